"""What the browser tests and the pictures are about: events, orders, poison. Knows no page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.support.stack import Answer, Stack

BURIED_SECONDS = 60
"""Five failures, each later than the one before; see MAX_ATTEMPTS."""


def an_event(stack: Stack, tickets: int = 100) -> int:
    """Makes an event that anybody may buy of; returns its id."""
    draft = {"name": "The Long Night", "description": "", "totalTickets": tickets}
    return int(stack.call("POST", "/events", draft).json["id"])


def an_order(stack: Stack, event_id: int, user: str = "ada") -> Answer:
    """Asks for one ticket."""
    return stack.call("POST", "/orders", {"eventId": event_id, "quantity": 1, "userId": user})


def newest(stack: Stack) -> int:
    """The id of the event that was made last; 0 for none."""
    items, after = [], ""
    while True:
        page = stack.call("GET", f"/events?limit=100{after}").json
        items += page["items"]
        if page["nextCursor"] is None:
            return max((each["id"] for each in items), default=0)
        after = f"&cursor={page['nextCursor']}"


def sold(stack: Stack, event_id: int) -> int:
    """Tickets of an event that are sold."""
    return int(stack.call("GET", f"/ops/events/{event_id}/sale?seconds=60").json["sold"])


@contextmanager
def poison_for(stack: Stack, user: str) -> Iterator[None]:
    """The ledger breaks at every order of this buyer, as it would by a bug."""
    make = f"""
        CREATE FUNCTION break_it() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF NEW.user_id = '{user}' THEN RAISE EXCEPTION 'poison'; END IF;
          RETURN NEW;
        END $$;
        CREATE TRIGGER break_it BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION break_it();
    """
    run(stack, make)
    try:
        yield
    finally:
        run(stack, "DROP TRIGGER break_it ON orders; DROP FUNCTION break_it();")


def run(stack: Stack, statements: str) -> None:
    """Changes the ledger behind the service's back."""
    with psycopg.connect(stack.state["postgres"]["dsn"], autocommit=True) as connection:
        connection.execute(statements.encode())


def buried(stack: Stack, user: str) -> bool:
    """Whether a message of this buyer was moved aside."""
    return bool(stack.call("GET", f"/ops/dead-letters?userId={user}&state=dead").json["items"])
