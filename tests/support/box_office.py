"""A stand-in for the whole service: the HTTP contract on a real socket, and books that a test may falsify.

`BoxOffice` keeps its stock correctly. Each class below it is wrong in one way on purpose: the audit
has to notice. It knows of the service what the contract says and shares no code with it.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import msgspec

from infra.rush.facts import ItemSeen, LedgerSeen, OrderSeen, TicketTypeSeen

TYPE_ID = 11
PAGE = 100


class BoxOffice:
    """One event, one ticket type; an order is decided `decide_seconds` after it was accepted."""

    def __init__(self, decide_seconds: float = 0.005) -> None:
        self.capacity = self.left = 0
        self.orders: dict[str, OrderSeen] = {}
        self.placed = 0
        self._decide_seconds = decide_seconds

    def create(self, capacity: int) -> None:
        """Opens the sale of `capacity` tickets."""
        self.capacity = self.left = capacity

    def place(self, user_id: str, quantity: int) -> tuple[int, object]:
        """Status and body of the answer to an order."""
        self.placed += 1
        if not self.has(quantity):
            return 409, problem("sold-out" if self.left <= 0 else "not-enough-tickets")
        self.left -= quantity
        order = OrderSeen(
            id=self.new_id(),
            user_id=user_id,
            status="pending",
            items=(ItemSeen(TYPE_ID, quantity),),
            accepted_at=datetime.now(UTC),
        )
        self.orders[order.id] = order
        asyncio.get_running_loop().call_later(self._decide_seconds, self.decide, order.id)
        return 202, order

    def has(self, quantity: int) -> bool:
        """Whether an order of so many tickets may be accepted."""
        return self.left >= quantity

    def new_id(self) -> str:
        """An order id."""
        return str(uuid.uuid4())

    def decide(self, order_id: str) -> None:
        """Confirms a pending order."""
        order = self.orders[order_id]
        self.orders[order_id] = msgspec.structs.replace(
            order, status="confirmed", decided_at=datetime.now(UTC)
        )

    def order(self, order_id: str) -> tuple[int, object]:
        """Status and body of the answer to a buyer who asks after their order."""
        order = self.orders.get(order_id)
        return (200, order) if order else (404, problem("order-not-found"))

    def listed(self) -> list[OrderSeen]:
        """The orders, as the list shows them."""
        return list(self.orders.values())

    def available(self) -> int:
        """Tickets that are said to be left."""
        return max(self.left, 0)

    def sold(self) -> int:
        """The ledger's counter of sold tickets."""
        return sum(order.quantity for order in self.orders.values() if order.status == "confirmed")

    def ledger(self, event_id: int) -> LedgerSeen:  # noqa: ARG002 - a LedgerReader
        """What an auditor would read by SQL."""
        decided = tuple(order for order in self.orders.values() if order.status != "pending")
        return LedgerSeen((TicketTypeSeen(TYPE_ID, self.capacity, self.sold()),), decided)


class Oversells(BoxOffice):
    """Reads, checks and writes without a lock: three orders too many get through."""

    def has(self, quantity: int) -> bool:
        """Looks at a number that is three too high."""
        return self.left >= quantity - 3


class LosesAnOrder(BoxOffice):
    """Says 202 to the tenth order and forgets it."""

    def place(self, user_id: str, quantity: int) -> tuple[int, object]:
        """Acknowledges an id that nobody keeps."""
        status, answer = super().place(user_id, quantity)
        if self.placed == 10 and isinstance(answer, OrderSeen):
            answer = msgspec.structs.replace(answer, id=str(uuid.uuid4()))
        return status, answer


class NeverDecides(BoxOffice):
    """Leaves the first order pending."""

    def decide(self, order_id: str) -> None:
        """Skips the first."""
        if order_id != next(iter(self.orders)):
            super().decide(order_id)


class AnswersTwice(BoxOffice):
    """Lists the first order a second time, rejected."""

    def listed(self) -> list[OrderSeen]:
        """One line too many."""
        orders = super().listed()
        again = [msgspec.structs.replace(order, status="rejected", reason="sold-out") for order in orders[:1]]
        return orders + again


class ChangesItsMind(BoxOffice):
    """Tells buyers that they have a ticket, and the list that they have none."""

    def listed(self) -> list[OrderSeen]:
        """Everything turned round."""
        decided = [order for order in super().listed() if order.status == "confirmed"]
        return [msgspec.structs.replace(order, status="rejected", reason="sold-out") for order in decided]


class CriesSoldOut(BoxOffice):
    """Says sold out to one in four while there are tickets, and has some left at the end."""

    def has(self, quantity: int) -> bool:
        """Looks away every fourth time."""
        return self.placed % 4 != 0 and super().has(quantity)


class GivesAnIdTwice(BoxOffice):
    """The first two buyers get the same order id."""

    def new_id(self) -> str:
        """An id, not always a new one."""
        return next(iter(self.orders)) if len(self.orders) == 1 and self.placed == 2 else super().new_id()


class HidesTickets(BoxOffice):
    """Says that one ticket is left when none is."""

    def available(self) -> int:
        """One too many."""
        return super().available() + 1


class SellsATicketTwice(BoxOffice):
    """The counter of sold tickets misses two that were confirmed."""

    def sold(self) -> int:
        """Two too few."""
        return super().sold() - 2


def problem(code: str) -> dict[str, str]:
    return {"type": "about:blank", "title": code, "code": code}


class Front:
    """The office's HTTP. The order POSTs whose number is in `cuts` lose their connection without an answer.

    `taken` says whether the office had taken the order before the connection was cut. With `answers_each`
    a connection is closed by the server after so many answers.
    """

    def __init__(
        self,
        office: BoxOffice,
        *,
        cuts: frozenset[int] = frozenset(),
        taken: bool = True,
        answers_each: int | None = None,
    ) -> None:
        self.office = office
        self.connections = 0
        self._posts = 0
        self._cuts, self._taken, self._answers_each = cuts, taken, answers_each

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until the caller or the office ends it."""
        self.connections += 1
        answers = 0
        try:
            while answers != self._answers_each:
                head = await reader.readuntil(b"\r\n\r\n")
                answer = await self._answer(head.decode(), reader)
                if answer is None:
                    break
                answers += 1
                writer.write(_answer_bytes(*answer, last=answers == self._answers_each))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, head: str, reader: asyncio.StreamReader) -> tuple[int, object] | None:
        method, target, _ = head.split(" ", 2)
        url = urlsplit(target)
        if method == "GET":
            return self._read(url.path, {name: values[0] for name, values in parse_qs(url.query).items()})
        body = msgspec.json.decode(await reader.readexactly(_content_length(head)))
        if url.path == "/events":
            self.office.create(body["ticketTypes"][0]["capacity"])
            return 201, self._event()
        self._posts += 1
        if self._posts in self._cuts and not self._taken:
            return None
        answer = self.office.place(body["userId"], body["quantity"])
        return None if self._posts in self._cuts else answer

    def _read(self, path: str, query: dict[str, str]) -> tuple[int, object]:
        if path == "/events/7":
            return 200, self._event()
        if path == "/events/7/availability":
            left = self.office.available()
            return 200, {"soldOut": left == 0, "ticketTypes": [{"id": TYPE_ID, "available": left}]}
        if path.startswith("/orders/"):
            return self.office.order(path.removeprefix("/orders/"))
        return 200, self._page(query)

    def _event(self) -> object:
        return {"id": 7, "totalTickets": self.office.capacity, "availableTickets": self.office.available()}

    def _page(self, query: dict[str, str]) -> object:
        wanted = query.get("status")
        orders = [order for order in self.office.listed() if wanted in {None, order.status}]
        start = int(query.get("cursor", "0"))
        more = start + PAGE < len(orders)
        return {"items": orders[start : start + PAGE], "nextCursor": str(start + PAGE) if more else None}


def _content_length(head: str) -> int:
    lengths = (
        line.split(":")[1] for line in head.split("\r\n") if line.lower().startswith("content-length:")
    )
    return int(next(lengths))


def _answer_bytes(status: int, answer: object, *, last: bool) -> bytes:
    body = msgspec.json.encode(answer)
    close = "Connection: close\r\n" if last else ""
    head = f"HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\nRetry-After: 1\r\n{close}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@contextmanager
def serving(front: Front) -> Iterator[str]:
    """Runs the front on a free loopback port, in a thread of its own, and yields its URL."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(front.serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        asyncio.run_coroutine_threadsafe(_close(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _close(server: asyncio.Server) -> None:
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
