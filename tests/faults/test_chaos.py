"""Several faults meet in one rush, as `make rush CHAOS=1` has it; and a promise that is broken is noticed."""

from __future__ import annotations

import json
import threading
from typing import Any

import psycopg
import pytest

from infra.chaos.schedule import Kind
from tests.support.stack import Stack
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.faults]

BUYERS, TICKETS, SECONDS = 4_000, 3_000, 12
NEWEST = "SELECT max(id) FROM events"
SOLD = "SELECT sold FROM ticket_types WHERE event_id = %s"


def rush(stack: Stack, seed: int) -> tuple[int, dict[str, Any]]:
    """A small rush with chaos: its exit code, and what it came to."""
    figures = {"buyers": BUYERS, "tickets": TICKETS, "over-seconds": SECONDS, "seed": seed}
    figures["decide-seconds"] = 20  # one that is deleted is waited for in vain
    options = [word for name, value in figures.items() for word in (f"--{name}", str(value))]
    ended = stack.infra("rush", "--chaos", "--json", *options)
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout)


def broken(result: dict[str, Any]) -> list[str]:
    return [f"{one['promise']}: {one['detail']}" for one in result["audit"]["checks"] if not one["passed"]]


@pytest.mark.parametrize("seed", [1, 2])
def test_every_promise_is_kept_while_faults_meet(stack: Stack, seed: int) -> None:
    code, result = rush(stack, seed)
    assert broken(result) == []
    assert code == 0
    assert {fault["kind"] for fault in result["chaos"]["faults"]} == {kind.value for kind in Kind}
    assert result["chaos"]["gapZeroAfterSeconds"] <= 10
    assert result["walk"]["passed"]
    assert result["undecided"] == 0


class Tampering(threading.Thread):
    """Does something to the ledger behind the service's back, once a third of the tickets are sold."""

    def __init__(self, dsn: str, statement: str) -> None:
        super().__init__(daemon=True)
        self.rows = 0
        self._dsn, self._statement = dsn, statement
        self._events = self._ask(NEWEST, ())

    def run(self) -> None:
        """Waits for the rush's event and its sales, and strikes."""
        until(lambda: self._ask(NEWEST, ()) != self._events, "the rush has begun", seconds=30)
        (event_id,) = self._ask(NEWEST, ())
        until(lambda: self._sold(event_id) > TICKETS // 3, "a third is sold", seconds=30)
        with psycopg.connect(self._dsn, autocommit=True) as ledger:
            self.rows = ledger.execute(self._statement.encode(), {"event": event_id}).rowcount

    def _sold(self, event_id: int) -> int:
        try:
            return int(self._ask(SOLD, (event_id,))[0])
        except psycopg.OperationalError:  # it has just been struck
            return 0

    def _ask(self, statement: str, arguments: tuple[object, ...]) -> tuple[Any, ...]:
        with psycopg.connect(self._dsn, autocommit=True) as ledger:
            return ledger.execute(statement.encode(), arguments).fetchone() or ()


@pytest.mark.parametrize(
    ("statement", "noticed"),
    [
        (
            "UPDATE ticket_types SET sold = sold + 1, version = version + 1 WHERE event_id = %(event)s",
            "no ticket twice: each type's orders add up to what it sold",
        ),
        (
            "DELETE FROM orders WHERE id = (SELECT id FROM orders WHERE event_id = %(event)s LIMIT 1)",
            "every accepted order has exactly one answer in the ledger",
        ),
    ],
)
def test_a_ledger_that_was_tampered_with_meanwhile_fails_the_rush(
    stack: Stack, statement: str, noticed: str
) -> None:
    tampering = Tampering(stack.state["postgres"]["dsn"], statement)
    tampering.start()
    code, result = rush(stack, seed=3)
    tampering.join()
    assert tampering.rows == 1
    assert code == 1
    assert noticed in "\n".join(broken(result))
