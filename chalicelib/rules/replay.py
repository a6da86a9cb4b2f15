"""What would become of messages that failed if they came again now. Pure; it decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from chalicelib.model import OrderPlaced, OrderStatus
from chalicelib.rules.sale import Outcome, Snapshot, decide


class Verdict(StrEnum):
    """What a replay would do."""

    ALREADY_APPLIED = "already-applied"
    VALID = "valid"
    SOLD_OUT = "sold-out"
    HOLD_EXPIRED = "hold-expired"
    WOULD_BE_REJECTED = "would-be-rejected"
    UNDECODABLE = "undecodable"


class Replay(msgspec.Struct, frozen=True):
    """The verdict on one message; `detail` is the order's status, the reason of a no, or what is wrong."""

    verdict: Verdict
    detail: str


def foresee(
    messages: Mapping[str, OrderPlaced | str], snapshot: Snapshot, now: datetime
) -> dict[str, Replay]:
    """Tells for each message, by its id, what a replay of them all would do.

    A message is its order, or why nobody can read it. `snapshot` is of all the orders, with their keys. They
    are decided together, as a replay would: two that want the last ticket are not both valid.
    """
    orders = [message for message in messages.values() if not isinstance(message, str)]
    outcomes = {each.order_id: each for each in decide(orders, snapshot, now).outcomes}
    return {
        message_id: Replay(Verdict.UNDECODABLE, message)
        if isinstance(message, str)
        else _forecast(outcomes[message.order_id])
        for message_id, message in messages.items()
    }


def _forecast(outcome: Outcome) -> Replay:
    told = outcome.reason or outcome.status.value
    if outcome.known:
        over = outcome.status is OrderStatus.EXPIRED
        return Replay(Verdict.HOLD_EXPIRED if over else Verdict.ALREADY_APPLIED, told)
    if outcome.kept:
        return Replay(Verdict.VALID, told)
    return Replay(Verdict.SOLD_OUT if told == "sold-out" else Verdict.WOULD_BE_REJECTED, told)
