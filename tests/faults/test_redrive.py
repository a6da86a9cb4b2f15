"""Dead letters on real servers: tried again they sell once, given up they leave nobody without an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import pytest

from chalicelib.model import DeadLetterQuery
from chalicelib.ops.dead_letters import redrive
from chalicelib.ops.selections import Wish
from chalicelib.queue.client import QueueClient
from chalicelib.queue.dead_letters import Copy, DeadLetterQueue
from chalicelib.redelivery import bury, count_failures
from chalicelib.services import Services
from infra.local import sqs
from tests.faults.house import House
from tests.integration.test_fulfilment import TRAP
from tests.support.batches import an_order_of, message_of
from tests.support.sqs import ANYBODY
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.faults]

PATH = "/ops/dead-letters"
FREE = "DROP TRIGGER trap ON orders"


@pytest.fixture
def trapped(house: House) -> House:
    """A house whose ledger has a bug that only orders of `trap…` bring out."""
    alter(house, TRAP)
    return house


def alter(house: House, statement: str) -> None:
    with psycopg.connect(house.dsn, autocommit=True) as ledger:
        ledger.execute(statement.encode())


def asked(house: House, method: str, path: str, body: Any = None) -> Any:
    answer = house.api(method, path, body)
    assert answer.status == 200, answer.text
    return answer.json


def taken(queue_url: str) -> list[str]:
    """Takes every body off a queue."""
    queue = sqs.client(queue_url)
    found: list[str] = []
    while messages := queue.call("ReceiveMessage", {"MaxNumberOfMessages": 10}).get("Messages"):
        found += [message["Body"] for message in messages]
        entries = [
            {"Id": str(place), "ReceiptHandle": each["ReceiptHandle"]} for place, each in enumerate(messages)
        ]
        queue.call("DeleteMessageBatch", {"Entries": entries})
    queue.close()
    return found


def made_dead(house: House, bodies: Sequence[str]) -> list[str]:
    """Makes dead letters of messages, as the function does after their last failure."""
    records = [{"messageId": f"m{place}", "body": body} for place, body in enumerate(bodies)]
    reasons = {record["messageId"]: "KeyError: 1" for record in records}
    count_failures(house.services, records, reasons)
    moved = bury(house.services, records, reasons)
    house.services.ledger.mark_moved(moved, house.services.clock())
    assert len(moved) == len(bodies)
    return list(reasons)


def a_dead_order(house: House, event_id: int, user: str = "ann") -> tuple[str, str]:
    """An order whose only message is a dead letter; its id and the message's."""
    (order_id,) = house.accepted(event_id, [user])
    (body,) = taken(house.order_queue_url)
    return order_id, made_dead(house, [body])[0]


def test_poison_is_found_by_its_buyer_foreseen_redriven_and_sold(trapped: House) -> None:
    event_id = trapped.event(10)
    (order_id,) = trapped.accepted(event_id, ["trap"])
    with trapped.worker():
        until(lambda: trapped.dead_letters() == 1, "the order is given up", seconds=90)
        found = asked(trapped, "GET", f"{PATH}?userId=trap")
        (letter,) = found["items"]
        assert (found["total"], letter["orderId"], letter["state"]) == (1, order_id, "dead")
        shown = asked(trapped, "GET", f"{PATH}/{letter['messageId']}")
        assert len(shown["attempts"]) == shown["failures"] == 5
        assert shown["attempts"][0]["reason"].startswith("RaiseException: no trap")
        chosen = {"messageIds": [letter["messageId"]]}
        foreseen = asked(trapped, "POST", f"{PATH}/dry-run", chosen)
        assert foreseen["totals"] == {"valid": 1}
        alter(trapped, FREE)
        moved = asked(trapped, "POST", f"{PATH}/redrive", {**chosen, "reason": "the trigger is gone"})
        assert moved == {"moved": 1, "left": 0, "done": True, "via": "one-by-one"}
        trapped.until_decided(event_id, [order_id])
        trapped.until_quiet()
    assert trapped.statuses(event_id) == {order_id: "confirmed"}
    assert trapped.dead_letters() == 0
    after = asked(trapped, "GET", f"{PATH}/{letter['messageId']}")
    assert (after["state"], after["replay"]["verdict"]) == ("redriven", "already-applied")
    (record,) = asked(trapped, "GET", "/ops/log")["items"]
    assert (record["action"], record["target"]) == ("dead-letters-redriven", letter["messageId"])
    assert record["reason"] == "the trigger is gone"
    assert trapped.broken(event_id) == []


class Died(BaseException):
    """The process is gone at this point: nothing of it goes on."""


class DyingClient(QueueClient):
    """Calls the queue, and dies instead of a call of `action`; what it has in hand is soon seen again."""

    action = "none"

    def call(
        self, action: str, payload: Mapping[str, object], timeout_ms: int | None = None
    ) -> dict[str, Any]:
        """As the real one."""
        if action == self.action:
            raise Died
        soon = {"VisibilityTimeout": 2} if action == "ReceiveMessage" else {}
        return super().call(action, {**payload, **soon}, timeout_ms)


class DeletesFirst(DeadLetterQueue):
    """The unsafe order, for the control."""

    def put_back(self, copies: Sequence[Copy]) -> list[Copy]:
        """Deletes, then sends."""
        self.remove(copies)
        for copy in copies:
            self.send(copy.body, copy.group)
        return list(copies)


def dying(house: House, action: str, kind: type[DeadLetterQueue]) -> Services:
    """Services of a process that dies instead of this call."""
    services = house.services_with()
    client = DyingClient(house.order_queue_url, "us-east-1", lambda: ANYBODY, timeout_ms=3_000)
    client.action = action
    services.__dict__["dead_letters"] = kind(client)
    return services


def dies(services: Services, message_id: str) -> None:
    with pytest.raises(Died):
        redrive(services, DeadLetterQuery(message_ids=(message_id,)), Wish("olga", ""))


def test_who_dies_between_sending_and_deleting_leaves_two_copies_which_sell_once(house: House) -> None:
    event_id = house.event(10)
    order_id, message_id = a_dead_order(house, event_id)
    dies(dying(house, "DeleteMessageBatch", DeadLetterQueue), message_id)
    assert (sqs.waiting(house.order_queue_url), house.dead_letters()) == ((1, 0), 1)
    assert asked(house, "GET", f"{PATH}/{message_id}")["state"] == "dead", "so somebody will try again"
    until(lambda: asked(house, "POST", f"{PATH}/redrive", {"all": True})["done"], "the rest is moved", 60)
    assert sum(sqs.waiting(house.order_queue_url)) == 2
    with house.worker():
        house.until_decided(event_id, [order_id])
        house.until_quiet()
    assert house.rows("SELECT sold FROM ticket_types WHERE event_id = %s", event_id) == [(1,)]
    assert house.dead_letters() == 0
    assert house.broken(event_id) == []


def test_control_deleting_before_sending_loses_it(house: House) -> None:
    event_id = house.event(10)
    _, message_id = a_dead_order(house, event_id)
    dies(dying(house, "SendMessage", DeletesFirst), message_id)
    assert (sqs.waiting(house.order_queue_url), house.dead_letters()) == ((0, 0), 0)
    assert house.statuses(event_id) == {}
    moved = asked(house, "POST", f"{PATH}/redrive", {"messageIds": [message_id]})
    assert moved["moved"] == 1, "and only the ledger's copy brings it back"
    assert sqs.waiting(house.order_queue_url) == (1, 0)


def test_who_is_given_up_has_a_final_answer_and_the_tickets_go_back(trapped: House) -> None:
    event_id = trapped.event(10)
    order_id, message_id = a_dead_order(trapped, event_id, "trap")
    wish = {"messageIds": [message_id], "reason": "cannot be mended"}
    assert asked(trapped, "POST", f"{PATH}/delete", wish) == {"deleted": 0, "left": 1}
    assert trapped.dead_letters() == 1, "nobody is given up without an answer"
    alter(trapped, FREE)
    assert asked(trapped, "POST", f"{PATH}/delete", wish) == {"deleted": 1, "left": 0}
    assert asked(trapped, "GET", f"/orders/{order_id}")["status"] == "cancelled"
    assert asked(trapped, "GET", f"/events/{event_id}/availability")["ticketTypes"][0]["available"] == 10
    assert trapped.dead_letters() == 0
    (record,) = asked(trapped, "GET", "/ops/log")["items"]
    assert (record["action"], record["reason"]) == ("dead-letters-deleted", "cannot be mended")
    assert trapped.broken(event_id) == []


def test_an_order_that_was_decided_meanwhile_stays_so_when_its_dead_letter_is_deleted(house: House) -> None:
    event_id = house.event(10)
    (order_id,) = house.accepted(event_id, ["ann"])
    (body,) = taken(house.order_queue_url)
    (message_id,) = made_dead(house, [body])
    house.send([body])
    with house.worker():
        house.until_decided(event_id, [order_id])
    wish = {"messageIds": [message_id], "reason": "a second copy"}
    assert asked(house, "POST", f"{PATH}/delete", wish) == {"deleted": 1, "left": 0}
    assert house.statuses(event_id) == {order_id: "confirmed"}
    assert house.dead_letters() == 0


def test_what_is_not_wanted_is_seen_again_at_once(house: House) -> None:
    event_id = house.event(50)
    (type_id,) = house.rows("SELECT id FROM ticket_types WHERE event_id = %s", event_id)[0]
    ids = made_dead(house, [message_of(an_order_of(event_id, (type_id, 1))) for _ in range(35)])
    moved = asked(house, "POST", f"{PATH}/redrive", {"messageIds": [ids[30]]})
    assert (moved["moved"], moved["done"]) == (1, True)
    assert sqs.waiting(house.dead_letter_url) == (34, 0)


def test_a_filter_moves_what_it_matches_and_all_moves_the_rest_even_what_the_ledger_never_saw(
    house: House,
) -> None:
    event_id = house.event(50)
    (type_id,) = house.rows("SELECT id FROM ticket_types WHERE event_id = %s", event_id)[0]
    mine, others = (
        [message_of(an_order_of(event_id, (type_id, 1), user=user)) for _ in range(12)]
        for user in ("ann", "b")
    )
    made_dead(house, [*mine, *others, "{"])
    buried_by_sqs = message_of(an_order_of(event_id, (type_id, 1)))
    dead = sqs.client(house.dead_letter_url)
    dead.call("SendMessage", {"MessageBody": buried_by_sqs})
    dead.close()
    moved = asked(house, "POST", f"{PATH}/redrive", {"filter": {"userId": "ann"}})
    assert (moved["moved"], moved["left"], moved["done"]) == (12, 0, True)
    assert sorted(taken(house.order_queue_url)) == sorted(mine)
    moved = asked(house, "POST", f"{PATH}/redrive", {"all": True})
    assert (moved["moved"], moved["left"], moved["done"]) == (14, 0, True)
    assert sorted(taken(house.order_queue_url)) == sorted([*others, "{", buried_by_sqs])
    assert asked(house, "GET", f"{PATH}?state=dead")["total"] == 0


def test_the_reconciler_adds_no_copy_of_an_order_that_lies_dead(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_dead_order(house, house.event(10))
    house.reconcile()
    assert sqs.waiting(house.order_queue_url) == (0, 0)
    monkeypatch.setattr(house.services.ledger, "have_messages", lambda *_: frozenset())
    house.reconcile()
    assert sqs.waiting(house.order_queue_url) == (1, 0), "control: who does not ask the ledger adds one"
