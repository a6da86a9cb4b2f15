"""How orders and the story of one are drawn at a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console, RenderableType

from chalicelib.traces import What
from infra.order_story import _MARKS, matches, story

ID = "0197a2b0-0000-7000-8000-000000000001"
NOON = "2026-06-01T12:00:00Z"


def drawn(what: RenderableType) -> list[str]:
    console = Console(width=140, no_color=True)
    with console.capture() as captured:
        console.print(what)
    return [line.rstrip() for line in captured.get().splitlines() if line.strip()]


def an_entry(what: str, at: str | None, detail: str = "so it was") -> dict[str, Any]:
    return {"at": at, "what": what, "detail": detail, "source": "ledger"}


def a_story(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"orderId": ID, "eventId": 7, "userId": "ann", "status": "confirmed", "entries": entries}


def test_a_story_is_told_downward_with_the_time_since_its_beginning() -> None:
    lines = drawn(
        story(
            a_story(
                an_entry("accepted", NOON),
                an_entry("queued", None),
                an_entry("decided", "2026-06-01T12:00:01.25Z", "confirmed"),
                an_entry("paid", "2026-06-01T12:03:05Z"),
                an_entry("cancelled", "2026-06-02T14:00:30Z"),
            )
        )
    )
    assert lines[0] == f"order {ID} of event 7, buyer ann: confirmed"
    told = [line.split("  ") for line in lines[1:] if line.strip(" │")]
    assert [line[0] for line in told] == [
        "2026-06-01 12:00:00.000",
        "time not kept",
        "2026-06-01 12:00:01.250",
        "2026-06-01 12:03:05.000",
        "2026-06-02 14:00:30.000",
    ]
    text = "\n".join(lines)
    assert all(since in text for since in ("+0.000 s", "+1.250 s", "+3 min 05 s", "+26 h 00 min"))
    assert "decided" in text
    assert "confirmed  [ledger]" in text


def test_everything_that_happens_has_a_sign() -> None:
    assert {what.value for what in What} == set(_MARKS)


def test_a_rejection_looks_like_none_of_the_good_answers() -> None:
    good, bad = (
        story(a_story(an_entry("decided", NOON, answer))) for answer in ("reserved", "rejected: sold-out")
    )
    assert "●" in "".join(drawn(good))
    assert "✗" in "".join(drawn(bad))


def test_what_a_stranger_wrote_moves_no_cursor_and_is_no_markup() -> None:
    lines = drawn(story(a_story(an_entry("attempt-failed", NOON, "\x1b[2J[red]boom[/red]\n"))))
    assert "\x1b" not in "".join(lines)
    assert any("[red]boom[/red]" in line for line in lines)


def test_every_match_has_a_line_and_what_nobody_knows_a_dash() -> None:
    order = {
        "orderId": ID,
        "eventId": 7,
        "userId": "[bold]ann",
        "status": "pending",
        "acceptedAt": NOON,
        "places": ["gate", "dead-letters"],
        "messageId": "m-1",
        "matched": "buyer",
    }
    unreadable = order | dict.fromkeys(("orderId", "eventId", "userId", "status", "acceptedAt"))
    _, _, first, second = drawn(matches([order, unreadable]))
    assert first.split()[:4] == [ID, "7", "[bold]ann", "pending"]
    assert "gate, dead-letters" in first
    assert second.split()[:5] == ["message", "m-1", "-", "-", "-"]
