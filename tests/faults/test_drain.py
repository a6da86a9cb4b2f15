"""After an outage of PostgreSQL the backlog is decided about as fast as a backlog that no outage made.

Run it with `pytest -s tests/faults/test_drain.py` to see the figures.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec
import pytest
import valkey

from chalicelib.ledger.migrate import migrate
from chalicelib.order_ids import new_order_id
from infra.local import postgres as embedded
from infra.local.layout import free_port
from tests.faults.house import House
from tests.support.events import an_order_for
from tests.support.parts import running
from tests.support.postgres import SETTINGS
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.faults]

BACKLOG = 15_000
"""About what a busy door accepts in ten seconds."""
AWAY_SECONDS = 10.0
TRIES = 3
"""A shared machine's speed swings by a third within a minute. A worker that is slower is so every time."""


class Drain(NamedTuple):
    """How a backlog was decided: orders a second, the first and last twentieth left out, and by when."""

    per_second: float
    first: datetime
    last: datetime


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that no other pytest shuts; see the stack's."""
    with TemporaryDirectory(prefix="onsale-drain-") as name:
        yield Path(name)


def drain_of(house: House, event_id: int) -> Drain:
    rows = house.rows("SELECT decided_at FROM orders WHERE event_id = %s ORDER BY decided_at", event_id)
    moments = [moment for (moment,) in rows]
    edge = len(moments) // 20
    begin, end = moments[edge], moments[-edge - 1]
    return Drain((len(moments) - 2 * edge) / (end - begin).total_seconds(), moments[0], moments[-1])


def pile_up(house: House, event_id: int) -> list[str]:
    """Lets the gate admit orders and puts them on the queue, as the door does, and faster."""
    intents = [
        msgspec.structs.replace(
            an_order_for((None, 1), event_id=event_id, user=f"u{number}"),
            order_id=new_order_id(event_id, time.time_ns() // 1_000_000),
        )
        for number in range(BACKLOG)
    ]
    house.send(house.services.gate.admit(intent).decode() for intent in intents)
    return [intent.order_id for intent in intents]


def an_open_event(house: House) -> int:
    event_id = house.event(BACKLOG)
    assert house.api("GET", f"/events/{event_id}/availability").status == 200
    return event_id


@contextmanager
def two_workers(house: House) -> Iterator[None]:
    usual = {"WINDOW": "1"}
    with house.worker(**usual), house.worker(**usual):
        yield


def the_share_kept(folder: Path, valkey_url: str, endpoint: str) -> float:
    """Decides one backlog in calm and one after an outage; returns the second's rate over the first's."""
    port = free_port()
    server = embedded.part(folder / "data", port, SETTINGS)
    with valkey.Valkey.from_url(valkey_url) as client:
        client.flushall()
    with running(server, folder):
        migrate(embedded.dsn(port))
        house = House(embedded.dsn(port), valkey_url, endpoint, folder)
        calm, hit = an_open_event(house), an_open_event(house)
        ids = pile_up(house, calm)
        with two_workers(house):
            house.until_decided(calm, ids, seconds=120)
            house.until_quiet()
        usual = drain_of(house, calm)
    with two_workers(house):
        gone = time.monotonic()
        ids = pile_up(house, hit)
        until(lambda: time.monotonic() - gone > AWAY_SECONDS, "PostgreSQL was away for long enough", 60)
        with running(server, folder):
            back = datetime.now().astimezone()
            house.until_decided(hit, ids, seconds=120)
            after = drain_of(house, hit)
    house.close()
    share = after.per_second / usual.per_second
    waited = (after.first - back).total_seconds(), (after.last - back).total_seconds()
    print(  # noqa: T201 - the figures are what it is for
        f"\n{BACKLOG:,} orders: {usual.per_second:,.0f}/s usually, {after.per_second:,.0f}/s after an outage"
        f" ({share:.0%}); the first {waited[0]:.1f} s and the last {waited[1]:.1f} s after it was back"
    )
    return share


def test_the_backlog_of_an_outage_is_decided_at_nine_tenths_of_the_usual_rate(
    folder: Path, valkey_url: str, endpoint: str
) -> None:
    tries = (the_share_kept(folder / str(number), valkey_url, endpoint) for number in range(TRIES))
    assert any(share >= 0.9 for share in tries)
