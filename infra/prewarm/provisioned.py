"""Provisioned concurrency of one function's alias, as Lambda has it now. It must not know any schedule.

Raises botocore's errors as they are, and Failed when Lambda gives up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from infra.prewarm.room import Room


class Failed(Exception):
    """Lambda could not make the environments; the message is its reason."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for, and how much of it is there. `settled`: Lambda is done, for good or ill."""

    asked: int
    there: int
    settled: bool


class Provisioned:
    """The alias of one function."""

    def __init__(self, client: Any, function: str, alias: str) -> None:
        """`client` is boto3's of Lambda."""
        self._client = client
        self._where = {"FunctionName": function, "Qualifier": alias}
        self.function, self.alias = function, alias

    def state(self) -> State:
        """Now; nothing asked for and nothing there where nothing is provisioned. Raises Failed."""
        found = self._configured()
        if found is None:
            return State(asked=0, there=0, settled=True)
        if found["Status"] == "FAILED":
            raise Failed(found.get("StatusReason") or "Lambda gives no reason")
        return State(
            asked=found["RequestedProvisionedConcurrentExecutions"],
            there=found.get("AvailableProvisionedConcurrentExecutions", 0),
            settled=found["Status"] == "READY",
        )

    def ask(self, amount: int) -> None:
        """Asks for `amount`; for 0, that nothing is provisioned at all. Does not wait."""
        if amount:
            self._client.put_provisioned_concurrency_config(
                **self._where, ProvisionedConcurrentExecutions=amount
            )
        elif self._configured() is not None:
            self._client.delete_provisioned_concurrency_config(**self._where)

    def room(self) -> Room:
        """The function among the others of its account."""
        limits = self._client.get_account_settings()["AccountLimit"]
        reserved = self._client.get_function_concurrency(FunctionName=self.function)
        alias = self._client.get_alias(FunctionName=self.function, Name=self.alias)
        return Room(
            limit=limits["ConcurrentExecutions"],
            unreserved=limits["UnreservedConcurrentExecutions"],
            reserved=reserved.get("ReservedConcurrentExecutions"),
            provisioned=(self._configured() or {}).get("RequestedProvisionedConcurrentExecutions", 0),
            split=bool((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights")),
        )

    def _configured(self) -> dict[str, Any] | None:
        """What Lambda says of it, failed or not; None where nothing is provisioned."""
        try:
            found: dict[str, Any] = self._client.get_provisioned_concurrency_config(**self._where)
        except self._client.exceptions.ProvisionedConcurrencyConfigNotFoundException:
            return None
        return found


def wait(read: Callable[[], State], seen: Callable[[State], None], pause: Callable[[], None]) -> State:
    """Reads until Lambda has settled, tells each reading to `seen`, and pauses between two. Raises Failed."""
    state = read()
    seen(state)
    while not state.settled:
        pause()
        state = read()
        seen(state)
    return state
