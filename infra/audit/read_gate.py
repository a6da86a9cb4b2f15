"""The gate as an auditor reads it: its keys, past the scripts that keep them. Read-only."""

from __future__ import annotations

from typing import Any

import msgspec

from chalicelib.gate import keys
from infra.audit.evidence import ClaimHeld, GateHeld
from infra.rush.facts import ItemSeen


class _Claim(msgspec.Struct, rename="camel"):
    order_id: str
    event_id: int
    items: tuple[ItemSeen, ...]


def read_epoch(client: Any, event_id: int) -> bytes:
    """The counter that moves when claims are settled, to be read before the ledger, by a Valkey client."""
    epoch: bytes = client.get(keys.epoch(event_id)) or b""
    return epoch


def read_gate(client: Any, event_id: int, epoch: bytes) -> GateHeld:
    """Everything of an event, as of one moment; steady when the epoch is still `epoch`."""
    with client.pipeline(transaction=True) as at_once:
        at_once.get(keys.epoch(event_id))
        at_once.hgetall(keys.stock(event_id))
        at_once.hgetall(keys.claims(event_id))
        at_once.zrange(keys.waiting(event_id), 0, -1, withscores=True)
        at_once.time()
        now_epoch, stock, claims, waiting, (seconds, micros) = at_once.execute()
    queued = {order_id.decode(): int(score) for order_id, score in waiting}
    return GateHeld(
        now_ms=seconds * 1_000 + micros // 1_000,
        stock={int(type_id): int(left) for type_id, left in stock.items()} or None,
        claims=tuple(_claim(order_id.decode(), raw, queued) for order_id, raw in claims.items()),
        waiting=frozenset(queued),
        steady=(now_epoch or b"") == epoch,
    )


def _claim(order_id: str, raw: bytes, queued: dict[str, int]) -> ClaimHeld:
    try:
        claim = msgspec.json.decode(raw, type=_Claim)
    except msgspec.MsgspecError:
        return ClaimHeld(order_id=order_id, event_id=None, items=None, queued_ms=queued.get(order_id))
    whole = claim.items if claim.order_id == order_id else None
    return ClaimHeld(order_id=order_id, event_id=claim.event_id, items=whole, queued_ms=queued.get(order_id))
