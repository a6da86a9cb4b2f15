"""The audit's judgement of what lies on the queues; the stores' side is tested on real stores."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from infra.audit.checks import OVERDUE_MS, judge
from infra.audit.evidence import ClaimHeld, Evidence, GateHeld, LedgerHeld, OrderHeld, QueueHeld, TypeHeld
from infra.audit.ledger_checks import ledger_checks
from infra.rush.facts import ItemSeen
from infra.rush.verdict import Audit

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
NOW_MS = 1_780_315_200_000
ITEMS = (ItemSeen(11, 2),)


def claim(order_id: str, age_ms: int = 0) -> ClaimHeld:
    return ClaimHeld(order_id=order_id, event_id=1, items=ITEMS, queued_ms=NOW_MS - age_ms)


def seen(*claims: ClaimHeld, decided: tuple[str, ...] = (), **more: Any) -> Evidence:
    """Ten tickets; two go for each claim and each decided order."""
    orders = tuple(
        OrderHeld(
            id=order_id,
            user_id=order_id,
            status="confirmed",
            items=ITEMS,
            total_price=0,
            currency="EUR",
            decided_at=NOW,
        )
        for order_id in decided
    )
    ledger = LedgerHeld(
        now=NOW,
        max_per_buyer=None,
        hold_seconds=0,
        types=(TypeHeld(11, 10, 2 * len(decided), 0),),
        orders=orders,
        tallies=dict.fromkeys(decided, 2),
        given_back={},
        payments=(),
    )
    gate = GateHeld(
        now_ms=NOW_MS,
        stock={11: 10 - 2 * len(claims) - 2 * len(decided)},
        claims=claims,
        waiting=frozenset(each.order_id for each in claims),
        steady=True,
    )
    queues: dict[str, Any] = {"orders": QueueHeld(), "dead_letters": QueueHeld()}
    given: dict[str, Any] = {"event_id": 1, "ledger": ledger, "gate": gate, **queues, **more}
    return Evidence(**given)


def broken(audit: Audit) -> list[str]:
    return [check.detail for check in audit.checks if not check.passed]


def test_orders_on_their_way_are_no_fault() -> None:
    evidence = seen(
        claim("a"), claim("b", OVERDUE_MS + 1), decided=("c",), orders=QueueHeld(order_ids=("b",))
    )
    assert broken(judge(evidence)) == []


def test_a_claim_without_its_message_is_lost_when_it_has_waited_too_long() -> None:
    assert broken(judge(seen(claim("a", OVERDUE_MS)))) == []
    assert broken(judge(seen(claim("a", OVERDUE_MS + 1)))) == ["a"]


def test_nothing_is_called_lost_while_a_worker_holds_messages() -> None:
    audit = judge(seen(claim("a", OVERDUE_MS + 1), orders=QueueHeld(in_flight=3)))
    assert broken(audit) == []
    assert "3 messages" in audit.notes[0]


def test_an_unanswered_order_among_the_dead_letters_is_a_fault() -> None:
    dead = QueueHeld(order_ids=("a", "b"), unreadable=1)
    audit = judge(seen(claim("a"), decided=("b",), dead_letters=dead))
    assert broken(audit) == ["a"]
    assert "nobody can read" in audit.notes[0]


def test_a_gate_that_has_not_loaded_the_event_is_a_note() -> None:
    cold = GateHeld(now_ms=NOW_MS, stock=None, claims=(), waiting=frozenset(), steady=True)
    audit = judge(seen(gate=cold))
    assert (audit.passed, len(audit.notes)) == (True, 1)


def test_two_views_of_different_moments_are_not_compared() -> None:
    moved = GateHeld(now_ms=NOW_MS, stock={11: 3}, claims=(), waiting=frozenset(), steady=False)
    assert judge(seen(gate=moved)).passed
    still = GateHeld(now_ms=NOW_MS, stock={11: 3}, claims=(), waiting=frozenset(), steady=True)
    assert broken(judge(seen(gate=still))) == ["type 11: 3 available, 10 unsold - 0 claimed"]


def test_an_order_given_back_that_its_buyers_tally_does_not_count_is_a_fault() -> None:
    held = seen(decided=("ann", "bob")).ledger
    given_back = tuple(
        replace(order, status=status)
        for order, status in zip(held.orders, ("cancelled", "expired"), strict=True)
    )
    books = replace(held, orders=given_back, tallies={}, types=(TypeHeld(11, 10, 0, 0),))
    for counted, wrong in (
        ({"ann": 1, "bob": 1}, []),
        ({"ann": 1}, ["1 of 2 buyers differ"]),
        ({"ann": 2, "bob": 1}, ["1 of 2 buyers differ"]),
        ({"ann": 1, "bob": 1, "eve": 1}, ["1 of 3 buyers differ"]),
    ):
        checks = ledger_checks(replace(books, given_back=counted))
        assert [check.detail for check in checks if not check.passed] == wrong
