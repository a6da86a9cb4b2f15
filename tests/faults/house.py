"""The service between real servers, with workers that are processes of their own, and its auditor."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from chalicelib.queue.client import QueueClient
from chalicelib.reconcile import reconcile
from chalicelib.services import Services
from chalicelib.settings import from_environment
from infra.audit.walk import Places, walk
from infra.history.judge import judge
from infra.history.lines import Left
from infra.history.recorder import Recorder
from infra.history.story import Story, tell
from infra.local import sqs
from infra.local.children import end_group
from infra.local.event_source import READY
from infra.local.layout import CHECKOUT
from infra.rush.verdict import Audit
from tests.faults.heard import HeardApi, take_down_sent, terms_of
from tests.support.waiting import until

VISIBILITY_SECONDS = 2
"""Short, so that what was in a dead worker's hands comes back while the test watches."""
SETTLE_MS = 10_000.0
"""Until a dead worker's claims are settled by another: its visibility, some waits and a slow machine."""
DECIDED = {"confirmed", "reserved", "rejected", "cancelled", "expired"}


@dataclass
class Worker:
    """A worker process and the files that it shares with the test."""

    process: subprocess.Popen[bytes]
    log: Path
    struck: Path
    release: Path

    def has_struck(self) -> bool:
        """Whether the trap has closed."""
        assert self.process.poll() in {None, 9}, self.log.read_text()
        return self.struck.exists()


@dataclass
class House:
    """One database, one Valkey, one pair of queues."""

    dsn: str
    valkey_url: str
    endpoint: str
    folder: Path
    order_queue_url: str = field(init=False)
    dead_letter_url: str = field(init=False)
    record: Recorder = field(init=False)
    _opened: list[Services] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.record = Recorder("fault test", "", self.dsn, settle_ms=SETTLE_MS)
        name = uuid4().hex
        self.order_queue_url = f"{self.endpoint}/000000000000/orders-{name}"
        self.dead_letter_url = f"{self.endpoint}/000000000000/dead-{name}"
        arn = f"arn:aws:sqs:us-east-1:000000000000:dead-{name}"
        self._make(self.dead_letter_url, {})
        self._make(self.order_queue_url, sqs.attributes(arn, VISIBILITY_SECONDS))

    def _make(self, url: str, attributes: dict[str, str]) -> None:
        with closing(sqs.client(url)) as client:
            client.call("CreateQueue", {"QueueName": url.rpartition("/")[2], "Attributes": attributes})

    def environment(self, **changes: str) -> dict[str, str]:
        """The settings of this house's service."""
        return {
            **sqs.CREDENTIALS,
            "DATABASE_URL": self.dsn,
            "VALKEY_URL": self.valkey_url,
            "ORDER_QUEUE_URL": self.order_queue_url,
            "LEDGER_CONNECTIONS": "16",
            "LOG_LEVEL": "error",
            **changes,
        }

    @cached_property
    def services(self) -> Services:
        """The door's parts, in this process."""
        return self.services_with()

    def services_with(self, **changes: str) -> Services:
        """The same with other settings."""
        services = Services(from_environment(self.environment(**changes)))
        self._opened.append(services)
        return services

    @cached_property
    def api(self) -> HeardApi:
        """The real routes, called as API Gateway calls them."""
        return self.door(self.services)

    def door(self, services: Services) -> HeardApi:
        """The routes of these services, whose callers are in the house's history as well."""
        return HeardApi(services, self.record)

    @cached_property
    def queue(self) -> QueueClient:
        """The order queue, for a test that puts something on it itself."""
        return sqs.client(self.order_queue_url)

    def event(self, capacity: int, **terms: Any) -> int:
        """Makes an event with one ticket type at 25.00; nobody asks or cancels too often."""
        kind = {"name": "Floor", "price": 2500, "capacity": capacity}
        free = dict.fromkeys(("buyerRateLimit", "clientRateLimit", "maxCancellations"))
        draft = {"name": "x", "description": "", "ticketTypes": [kind]} | free
        answer = self.api("POST", "/events", draft | terms)
        assert answer.status == 201, answer.text
        self.record.event(terms_of(answer.json))
        return int(answer.json["id"])

    def order(self, event_id: int, user: str, quantity: int = 1, **headers: str) -> Any:
        """Asks for tickets; the whole answer."""
        body = {"eventId": event_id, "quantity": quantity, "userId": user}
        return self.api("POST", "/orders", body, **headers)

    def accepted(self, event_id: int, buyers: Iterable[str], quantity: int = 1) -> list[str]:
        """Each buys; the ids of their orders."""
        answers = [self.order(event_id, user, quantity) for user in buyers]
        assert {answer.status for answer in answers} == {202}
        return [answer.json["id"] for answer in answers]

    def send(self, bodies: Iterable[str]) -> None:
        """Puts texts on the queue, past the door."""
        listed = list(bodies)
        take_down_sent(self.record, listed)
        for start in range(0, len(listed), 10):
            entries = [
                {"Id": str(place), "MessageBody": body}
                for place, body in enumerate(listed[start : start + 10])
            ]
            answer = self.queue.call("SendMessageBatch", {"Entries": entries})
            assert not answer.get("Failed"), answer

    @contextmanager
    def worker(self, fault: str = "nowhere", act: str = "die", **changes: str) -> Iterator[Worker]:
        """Runs a worker process until the block ends; see `tests.faults.worker` for faults."""
        name = self.folder / f"worker-{uuid4().hex}"
        log, struck, release = (name.with_suffix(end) for end in (".log", ".struck", ".release"))
        trap = {"FAULT": fault, "ACT": act, "STRUCK": str(struck), "RELEASE": str(release)}
        environment = self.environment(**{"LOG_LEVEL": "info"} | changes)
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.worker"],
                env={**os.environ, **environment, **trap, "PYTHONUNBUFFERED": "1"},
                cwd=CHECKOUT,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            until(lambda: READY in log.read_text() or process.poll() is not None, "a worker receives")
            yield Worker(process, log, struck, release)
        finally:
            process.terminate()
            try:
                process.wait(10)
            finally:
                end_group(process.pid)

    def rows(self, statement: str, *arguments: object) -> list[tuple[Any, ...]]:
        """Asks the ledger past the service."""
        with psycopg.connect(self.dsn, autocommit=True) as ledger:
            return ledger.execute(statement.encode(), arguments).fetchall()

    def statuses(self, event_id: int) -> dict[str, str]:
        """What the ledger has decided, by order id."""
        return dict(self.rows("SELECT id::text, status FROM orders WHERE event_id = %s", event_id))

    def until_decided(self, event_id: int, order_ids: Iterable[str], seconds: float = 30) -> None:
        """Waits until the ledger has decided every one of these orders and the gate holds no claim."""
        wanted = set(order_ids)
        until(lambda: wanted <= self.statuses(event_id).keys(), "every order has its answer", seconds)
        until(lambda: not self.services.gate.pending(event_id, None, 1), "every claim is settled", seconds)

    def until_quiet(self, seconds: float = 30) -> None:
        """Waits until no message waits and no worker holds one."""
        until(lambda: sqs.waiting(self.order_queue_url) == (0, 0), "the queue is empty", seconds)

    def dead_letters(self) -> int:
        """Messages that were given up."""
        return sum(sqs.waiting(self.dead_letter_url))

    def reconcile(self) -> None:
        """Runs the scheduled function now; every claim is overdue."""
        reconcile(self.services, overdue_ms=0)

    def broken(self, event_id: int) -> list[str]:
        """What the auditor finds broken, and the history's judge; each promise with its figures."""
        audit: Audit = walk(
            Places(self.dsn, self.valkey_url, self.order_queue_url, self.dead_letter_url), event_id, 10.0
        )[1]
        checks = [*audit.checks, *judge(self.story(event_id)).checks]
        return [f"{check.promise}: {check.detail}" for check in checks if not check.passed]

    def story(self, event_id: int) -> Story:
        """All that was asked, answered and committed so far, as it is read back from the file of it."""
        answer = self.api("GET", f"/events/{event_id}/availability")
        assert answer.status == 200, answer.text
        self.record.over(Left(stock["id"], stock["available"]) for stock in answer.json["ticketTypes"])
        file = self.folder / "history.jsonl"
        self.record.write(file)
        with file.open("rb") as lines:
            story = tell(lines)
        assert story.ledger_is_whole, story.end
        return story

    def close(self) -> None:
        """Closes what was opened."""
        self.record.close()
        if "queue" in self.__dict__:
            self.queue.close()
        for services in self._opened:
            made: Any = services.__dict__
            for name, inner in (
                ("gate", "_client"),
                ("ledger", "_connections"),
                ("queue", "_client"),
                ("dead_letters", "_client"),
            ):
                if name in made:
                    getattr(made[name], inner).close()


def at_once(threads: int, work: Any, items: Iterable[Any]) -> list[Any]:
    """Does the work for every item, the first of each thread all at the same moment."""
    listed = list(items)
    start = threading.Barrier(min(threads, len(listed)))
    waited = threading.local()

    def one(item: Any) -> Any:
        if not getattr(waited, "done", False):
            waited.done = True
            start.wait(10)
        return work(item)

    with ThreadPoolExecutor(min(threads, len(listed))) as pool:
        return list(pool.map(one, listed))
