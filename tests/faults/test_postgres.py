"""Fault 6: PostgreSQL is restarted under load, and connections are cut inside COMMIT on either side of it."""

from __future__ import annotations

import itertools
import os
import signal
from collections import Counter
from urllib.parse import urlsplit

import pytest

from infra.rush.result import RushResult
from tests.faults.house import House
from tests.faults.proxy import Loss, losing_proxy
from tests.support.stack import Stack, broken_promises
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.faults]

TICKETS, BUYERS = 1_000, 3_000
ORDERS = 300
RESTARTS = {"at once, as in a crash": signal.SIGQUIT, "orderly, as for maintenance": signal.SIGINT}


@pytest.mark.parametrize("how", RESTARTS)
def test_postgres_restarted_in_the_middle_of_a_rush_forgets_and_doubles_nothing(
    stack: Stack, how: str
) -> None:
    postgres = stack.status()["postgres"]["pid"]
    result: RushResult = stack.rush_with_a_fault(
        lambda: os.kill(postgres, RESTARTS[how]), tickets=TICKETS, buyers=BUYERS
    )
    until(lambda: stack.status()["postgres"]["pid"] not in {None, postgres}, "PostgreSQL is back")
    assert broken_promises(result) == []
    assert (result.confirmed_tickets, result.undecided) == (TICKETS, 0)
    audit = stack.infra("audit", str(result.event_id))
    assert audit.returncode == 0, audit.stdout + audit.stderr


def test_connections_cut_inside_commit_leave_every_order_decided_once(house: House) -> None:
    event_id = house.event(ORDERS)
    ids = house.accepted(event_id, [f"u{number}" for number in range(ORDERS)])
    database = urlsplit(house.dsn)
    turns = itertools.cycle([Loss.ANSWER_CUT, None, Loss.REQUEST_CUT, None, Loss.ANSWER_CUT, None])
    with losing_proxy(int(database.port or 0), b"COMMIT") as proxy:
        proxy.choose = lambda: next(turns) if len(proxy.lost) < 12 else None
        address = {"DATABASE_URL": house.dsn.replace(f":{database.port}/", f":{proxy.port}/"), "BATCH": "20"}
        with house.worker(**address) as one, house.worker(**address) as other:
            house.until_decided(event_id, ids, seconds=60)
            house.until_quiet(seconds=60)
            logs = one.log.read_text() + other.log.read_text()
    assert Counter(proxy.lost) == {Loss.ANSWER_CUT: 8, Loss.REQUEST_CUT: 4}
    assert logs.count("batch-not-applied") == len(proxy.lost)
    assert Counter(house.statuses(event_id).values()) == {"confirmed": ORDERS}
    assert house.rows("SELECT sold FROM ticket_types WHERE event_id = %s", event_id) == [(ORDERS,)]
    assert house.dead_letters() == 0
    assert house.broken(event_id) == []
