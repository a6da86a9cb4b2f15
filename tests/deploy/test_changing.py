"""A deployed stage is changed while people buy: no order is lost, and of a bad change nobody notices."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from infra.deploy.failure import Failed
from tests.support.deployed import Deployed, another_checkout
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.deploy]


@dataclass
class Buyers:
    """People who order one after the other, as long as the block lasts."""

    stack: Deployed
    event_id: int
    accepted: list[str] = field(default_factory=list)
    heard: Counter[int] = field(default_factory=Counter)

    def buy(self, stopped: threading.Event) -> None:
        """One order after the other."""
        while not stopped.is_set():
            answer = self.stack.order(self.event_id, f"buyer {sum(self.heard.values())}")
            self.heard[answer.status] += 1
            if answer.status == 202:
                self.accepted.append(answer.json["id"])

    def all_confirmed(self) -> bool:
        """Whether the ledger has each of them."""
        wanted = "SELECT count(*) FROM orders WHERE id = ANY(%s::uuid[]) AND status = 'confirmed'"
        return bool(self.stack.rows(wanted, self.accepted)[0][0] == len(self.accepted))


@contextmanager
def buying(stack: Deployed) -> Iterator[Buyers]:
    """Somebody buys inside the block, from its first moment to its last."""
    buyers, stopped = Buyers(stack, stack.event(tickets=100_000)), threading.Event()
    thread = threading.Thread(target=buyers.buy, args=(stopped,), daemon=True)
    thread.start()
    try:
        until(lambda: bool(buyers.accepted), "somebody has bought")
        yield buyers
        enough = len(buyers.accepted) + 3
        until(lambda: len(buyers.accepted) >= enough, "somebody buys afterwards as well")
    finally:
        stopped.set()
        thread.join(timeout=30)


def assert_nobody_noticed(buyers: Buyers, seconds: float = 20) -> None:
    assert set(buyers.heard) == {202}
    until(buyers.all_confirmed, "every accepted order is confirmed", seconds)


def version_of_the_door(stack: Deployed) -> str:
    alias = stack.client("lambda").get_alias(FunctionName=stack.names.door, Name="live")
    return str(alias["FunctionVersion"])


def with_a_migration_that_fails(checkout: Path) -> None:
    (checkout / "chalicelib" / "ledger" / "migrations" / "9999_half.sql").write_text("SELECT 1 / 0;\n")


def saying_that_it_is_new(checkout: Path) -> None:
    app = checkout / "app.py"
    app.write_text(app.read_text() + "\n# the next release\n")


@contextmanager
def taken_by_somebody_else(stack: Deployed) -> Iterator[None]:
    """All messages of the order queue are in the hands of another consumer, who does nothing with them."""
    sqs, url = stack.client("sqs"), stack.outputs["OrderQueueUrl"]
    taken: list[str] = []
    while messages := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600, WaitTimeSeconds=0
    ).get("Messages"):
        taken += [message["ReceiptHandle"] for message in messages]
    yield
    for handle in taken:
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)


def test_orders_that_are_lost_on_their_way_are_noticed(stack: Deployed) -> None:
    """The control: a deployment that loses messages."""
    client, mapping = stack.client("lambda"), stack.outputs["MappingId"]
    client.update_event_source_mapping(UUID=mapping, Enabled=False)
    with buying(stack) as buyers:
        pass
    with taken_by_somebody_else(stack):
        client.update_event_source_mapping(UUID=mapping, Enabled=True)
        with pytest.raises(AssertionError, match="in vain until every accepted order is confirmed"):
            assert_nobody_noticed(buyers, seconds=3)
    assert_nobody_noticed(buyers)


def test_a_repetition_changes_nothing(stack: Deployed) -> None:
    before = version_of_the_door(stack)
    assert not stack.deploy()
    assert version_of_the_door(stack) == before


def test_a_changed_setting_takes_effect_while_orders_flow_and_none_is_lost(stack: Deployed) -> None:
    version = version_of_the_door(stack)
    with buying(stack) as buyers:
        assert stack.deploy(cors_origins="https://tickets.example")
    assert_nobody_noticed(buyers)
    assert version_of_the_door(stack) != version
    answer = stack.call("GET", "/health", None, Origin="https://tickets.example")
    assert answer.headers["access-control-allow-origin"] == "https://tickets.example"
    assert stack.deploy(), "as it was before"


def test_new_code_takes_over_while_orders_flow_and_none_is_lost(stack: Deployed, tmp_path: Path) -> None:
    version = version_of_the_door(stack)
    with another_checkout(tmp_path, saying_that_it_is_new) as checkout, buying(stack) as buyers:
        assert stack.deploy(checkout)
    assert_nobody_noticed(buyers)
    assert version_of_the_door(stack) != version
    assert stack.deploy(), "as it was before"


def test_a_migration_that_fails_changes_no_function_and_nobody_notices(
    stack: Deployed, tmp_path: Path
) -> None:
    version = version_of_the_door(stack)
    with (
        another_checkout(tmp_path, with_a_migration_that_fails) as checkout,
        buying(stack) as buyers,
        pytest.raises(Failed) as raised,
    ):
        stack.deploy(checkout)
    assert "9999_half.sql" in str(raised.value), raised.value
    assert "division by zero" in str(raised.value)
    assert_nobody_noticed(buyers)
    assert version_of_the_door(stack) == version
    assert not stack.deploy(), "it is as this checkout has it"
