"""What the live view shows of a snapshot."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from infra.top.screen import BARS, frame, sparkline
from infra.top.snapshot import Snapshot, newest_that_sells, take

SALE: dict[str, Any] = {
    "eventId": 7,
    "name": "Tour",
    "status": "on-sale",
    "capacity": 1_000,
    "sold": 600,
    "reserved": 50,
    "pending": 20,
    "available": 330,
    "gap": 0,
    "acceptedAt": "2026-06-01T12:00:00Z",
    "soldOutAt": None,
    "timeToSellOutSeconds": None,
    "forecast": {"soldOutAt": "2026-06-01T12:01:16.5Z", "ticketsPerSecond": 20.0},
    "attemptsPerSecond": 321.4,
    "buyers": 432,
    "curve": {
        "startsAt": "2026-06-01T11:55:00Z",
        "bucketSeconds": 1,
        "sold": [0] * 290 + [60] * 10,
        "soldBefore": 0,
    },
    "refused": [{"code": "order-limit-exceeded", "count": 1234}],
    "rejected": [],
    "asOf": "2026-06-01T12:01:00Z",
}
QUEUE: dict[str, Any] = {
    "waiting": 12,
    "inFlight": 3,
    "delayed": 1,
    "dead": 0,
    "oldestAgeSeconds": 75.0,
    "donePerMinute": 9_000.0,
    "fulfilment": {"state": "Enabled", "batchSize": 100, "windowSeconds": 1, "maximumConcurrency": 2},
    "asOf": "2026-06-01T12:01:00Z",
}
ALARM = {"name": "dead letters", "state": "ALARM", "reason": "3 >= 1"}
FINE = {"name": "5xx", "state": "OK", "reason": ""}


def drawn(**parts: Any) -> str:
    """The frame in plain text, and "<colour>" of the gap."""
    given: dict[str, Any] = {"sale": SALE, "queue": QUEUE, "alarms": {"items": [FINE]}, "latencies": {}}
    shot = Snapshot(at=datetime(2026, 6, 1, 12, 1, tzinfo=UTC), **(given | parts))
    console = Console(width=160, height=40, file=io.StringIO(), force_terminal=True, color_system="standard")
    console.print(frame(shot))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_every_ticket_has_its_place_on_one_line() -> None:
    shown = drawn()
    assert "1,000 = sold 600 + reserved 50 + pending 20 + available 330" in shown
    assert "20.0 sold a second, sold out in 16 s" in shown or "sold out in 17 s" in shown
    assert "321 asked for a second" in shown
    assert "the last 5 min, at best 60 a second" in shown
    assert "order-limit-exceeded 1,234" in shown


def test_a_gap_is_red_and_none_is_green() -> None:
    assert "\x1b[1;32m   gap 0" in drawn()
    assert "\x1b[1;31m   gap -3" in drawn(sale=SALE | {"gap": -3})


def test_a_sale_that_is_over_says_how_long_it_took() -> None:
    over = {"soldOutAt": "2026-06-01T12:00:41Z", "timeToSellOutSeconds": 41.25, "status": "sold-out"}
    assert "sold out in 41.2 s" in drawn(sale=SALE | over)


def test_the_queue_says_how_long_somebody_waits_and_what_works() -> None:
    shown = drawn()
    assert "waiting 12 " in shown
    assert "in flight 3  delayed 1" in shown
    assert "oldest 0:01:15" in shown
    assert "batch 100, window 1 s, at once 2" in shown
    paused = drawn(queue=QUEUE | {"dead": 4, "fulfilment": QUEUE["fulfilment"] | {"state": "Disabled"}})
    assert "\x1b[1;31mdead 4" in paused
    assert "\x1b[1;33mDisabled" in paused


def test_alarms_that_are_raised_are_named_with_their_reason() -> None:
    assert "dead letters: 3 >= 1" in drawn(alarms={"items": [FINE, ALARM]})
    assert "none of 1 raised" in drawn()


def test_latencies_that_nobody_measured_are_a_dash() -> None:
    shown = drawn(latencies={"acceptP50": 3.6, "acceptP99": 17.0})
    assert "accepted  p50 4 ms  p99 17 ms" in shown
    assert "decided   p50 -  p99 -" in shown


def test_what_cannot_be_had_says_why_and_takes_nothing_else_away() -> None:
    shown = drawn(alarms=None, sale=None, missing={"alarms": "There is nothing at this path."})
    assert "There is nothing at this path." in shown
    assert "waiting 12" in shown


def test_what_cloudwatch_does_not_tell_is_not_a_nought() -> None:
    shown = drawn(
        sale=SALE | {"refused": None, "attemptsPerSecond": None},
        queue=QUEUE | {"donePerMinute": None, "oldestAgeSeconds": None},
    )
    assert "refused   not known" in shown
    assert "? asked for a second" in shown
    assert "done a minute ?" in shown
    assert "oldest ?" in shown


@given(st.lists(st.integers(0, 10**6), max_size=700), st.integers(1, 100))
def test_a_sparkline_fits_and_shows_every_sale(values: list[int], width: int) -> None:
    line = sparkline(values, width)
    assert len(line) <= width
    assert set(line) <= set(BARS)
    assert any(values) == any(bar != BARS[0] for bar in line)


class Service:
    """Answers from a table; what is not in it fails with a sentence."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = answers

    def get(self, path: str, **query: object) -> Any:
        """Reads."""
        found = self.answers.get(f"{path} {query['cursor']}" if query.get("cursor") else path)
        if found is None:
            raise click.ClickException(f"nothing at {path}")
        return found

    def post(self, path: str, _: Mapping[str, object] | None = None) -> Any:
        """Asks with a body."""
        return self.get(path)


def event(event_id: int, status: str) -> dict[str, Any]:
    return {"id": event_id, "status": status}


def test_the_newest_event_that_sells_is_watched_wherever_it_is_listed() -> None:
    pages = {
        "/events": {"items": [event(1, "on-sale"), event(2, "on-sale")], "nextCursor": "more"},
        "/events more": {"items": [event(3, "closed"), event(4, "sold-out")], "nextCursor": None},
    }
    assert newest_that_sells(Service(pages)) == 2


@pytest.mark.parametrize(
    ("statuses", "found"),
    [(["closed", "sold-out", "sold-out"], 3), (["paused", "sold-out"], 1), (["closed"], 1)],
)
def test_without_one_that_sells_the_next_best_is_watched(statuses: list[str], found: int) -> None:
    items = [event(number, status) for number, status in enumerate(statuses, start=1)]
    assert newest_that_sells(Service({"/events": {"items": items, "nextCursor": None}})) == found


def test_without_any_event_somebody_is_told_what_to_do() -> None:
    with pytest.raises(click.ClickException, match="no event yet"):
        newest_that_sells(Service({"/events": {"items": [], "nextCursor": None}}))


def test_a_look_goes_on_where_a_part_is_missing() -> None:
    results = [
        {"id": "acceptP50", "times": [1, 2], "values": [5.0, 4.0]},
        {"id": "acceptP99", "times": [], "values": []},
    ]
    answers = {"/ops/events/7/sale": SALE, "/ops/metrics": {"results": results}}
    shot = take(Service(answers), 7, "local", 300)
    assert (shot.sale, shot.queue, shot.alarms) == (SALE, None, None)
    assert shot.latencies == {"acceptP50": 4.0}
    assert set(shot.missing) == {"queue", "alarms"}
    assert set(shot.as_json()) == {"at", "sale", "queue", "alarms", "latencies", "missing"}
