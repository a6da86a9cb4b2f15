"""Lambda's API of event source mappings, as far as the local stack has one: the queue function's own.

GET and PUT of `/2015-03-31/event-source-mappings/{uuid}`, with Lambda's states. A handler: method, path and
body in, status and body out. It must not know HTTP, nor who receives from the queue.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from infra.local import mapping_switch
from infra.local.mapping_switch import LOOK_SECONDS, Position

PREFIX = "/2015-03-31/event-source-mappings/"
MAPPING_ID = "3f0c1d52-8a46-4c1e-9b0d-6a1f5e7c2d90"
"""The queue function's mapping on every local stack."""
SETTLING_SECONDS = 1.0 + 3 * LOOK_SECONDS
"""How long a change is on its way: a worker may wait a second for messages when it is turned off."""

Answer = tuple[int, dict[str, object]]
"""A status, and the body before it is JSON."""


@dataclass(frozen=True)
class Registration:
    """What the app declares of the function, and how many workers the stack has."""

    uuid: str
    batch_size: int
    window_seconds: int
    workers: int


class MappingApi:
    """The two calls, of one mapping."""

    def __init__(
        self, file: Path, registration: Registration, clock: Callable[[], float] = time.time
    ) -> None:
        """`file` is the switch that workers look at; `clock` tells seconds since 1970."""
        self._file = file
        self._registration = registration
        self._clock = clock

    def __call__(self, method: str, path: str, body: bytes) -> Answer:
        """Answers one call, as Lambda does. `body` is the request's, as it came."""
        if path != PREFIX + self._registration.uuid:
            return _refused(404, "ResourceNotFoundException", "The resource you requested does not exist.")
        if method == "GET":
            return 200, self._described()
        if method == "PUT":
            return self._changed(body)
        return _refused(405, "MethodNotAllowed", f"{method} is not served here.")

    def _changed(self, body: bytes) -> Answer:
        try:
            asked = json.loads(body)
        except ValueError:
            return _refused(400, "InvalidRequestContentException", "Could not parse request body into json.")
        if not isinstance(asked, dict) or not isinstance(asked.get("Enabled"), bool) or len(asked) > 1:
            return _refused(400, "InvalidParameterValueException", "Only Enabled can be changed here.")
        if asked["Enabled"] != mapping_switch.read(self._file).enabled:
            mapping_switch.write(self._file, Position(asked["Enabled"], self._clock()))
        return 202, self._described()

    def _described(self) -> dict[str, object]:
        position = mapping_switch.read(self._file)
        settled = self._clock() - position.since >= SETTLING_SECONDS
        states = ("Enabled", "Enabling") if position.enabled else ("Disabled", "Disabling")
        facts = self._registration
        return {
            "UUID": facts.uuid,
            "State": states[0] if settled else states[1],
            "StateTransitionReason": "USER_INITIATED",
            "LastModified": datetime.fromtimestamp(position.since, UTC).isoformat(),
            "BatchSize": facts.batch_size,
            "MaximumBatchingWindowInSeconds": facts.window_seconds,
            "ScalingConfig": {"MaximumConcurrency": facts.workers},
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
        }


def of_app(file: Path, workers: int) -> MappingApi:
    """The API of `app.py`'s own registration, for a stack with so many workers; imports the app."""
    from infra.local.event_source import mapping_of

    mapping = mapping_of(import_module("app"))
    registration = Registration(MAPPING_ID, mapping.batch_size, int(mapping.window_seconds), workers)
    return MappingApi(file, registration)


def _refused(status: int, code: str, message: str) -> Answer:
    return status, {"__type": code, "Type": "User", "Message": message}
