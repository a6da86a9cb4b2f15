"""How long a record stays away, and what is done with one that has failed too often."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.aws.answers import AwsRefused
from chalicelib.errors import Unavailable
from chalicelib.fulfilment import fulfil
from chalicelib.model import DeadLetterQuery
from chalicelib.redelivery import CAP_SECONDS, MAX_ATTEMPTS, seconds_until_next
from infra.local.sqs import MAX_RECEIVES
from tests.fakes.ledger import MemoryLedger
from tests.support.batches import a_draft, an_order, batch_of, failures, services_with
from tests.support.events import NOON

A_DAY = 86_400


class NotingReturns:
    """Notes what is delayed and what is buried; `refusal` is what it says to a burial."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.refusal = refusal
        self.delayed: dict[str, int] = {}
        self.buried: list[tuple[str, dict[str, str], str | None]] = []

    def delay(self, waits: list[tuple[str, int]]) -> int:
        """Notes them by receipt handle."""
        self.delayed |= dict(waits)
        return 0

    def bury(self, body: str, attributes: dict[str, str], group: str | None) -> None:
        """Notes them, unless it refuses."""
        if self.refusal is not None:
            raise self.refusal
        self.buried.append((body, attributes, group))


class Broken:
    """A ledger in front of which every attempt fails for a bug, or only those with an order of `victims`."""

    def __init__(self, ledger: MemoryLedger, *victims: str) -> None:
        self.ledger = ledger
        self.victims = victims
        self.attempts = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ledger, name)

    def attempt(self) -> Any:
        """An attempt whose snapshot may be the bug."""
        self.attempts += 1
        broken, attempt = self, self.ledger.attempt()

        class Attempt:
            def __enter__(self) -> Attempt:
                self.inner = attempt.__enter__()
                return self

            def __exit__(self, *error: Any) -> Any:
                return attempt.__exit__(*error)

            def snapshot(self, batch: Any, *, hold: bool = False) -> Any:
                if not broken.victims or {placed.order_id for placed in batch} & set(broken.victims):
                    raise ZeroDivisionError("a bug")
                return self.inner.snapshot(batch, hold=hold)

            def record(self, decision: Any) -> None:
                self.inner.record(decision)

        return Attempt()


def delivered(batch: dict[str, Any], times: int = 1) -> dict[str, Any]:
    """The batch as SQS hands it over for the `times`-th time."""
    for record in batch["Records"]:
        counts = {"ApproximateReceiveCount": str(times), "MessageGroupId": "7"}
        record |= {"receiptHandle": f"receipt {record['messageId']}", "attributes": counts}
    return batch


def services_of(ledger: Any, returns: NotingReturns) -> Any:
    services = services_with(ledger)
    services.__dict__.update(returns=returns)
    return services


def test_the_first_steps_are_short_and_the_last_is_a_quarter_of_an_hour() -> None:
    assert [seconds_until_next(count, 1.0) for count in (1, 2, 3, 4, 5)] == [2, 3, 4, 4, 5]
    assert [seconds_until_next(count, 1.0) for count in (100, 1_000, 10**9)] == [CAP_SECONDS] * 3


def test_a_step_is_never_shorter_than_the_one_before_nor_nothing() -> None:
    steps = [seconds_until_next(count, 1.0) for count in range(60)]
    assert steps == sorted(steps)
    assert min(seconds_until_next(count, 0.0) for count in (0, 1, 2)) == 1


def test_jitter_takes_at_most_half_of_a_step() -> None:
    assert {seconds_until_next(100, jitter) for jitter in (0.0, 0.5, 1.0)} == {450, 675, 900}


def test_after_an_outage_a_message_is_away_for_at_most_a_quarter_of_it_longer() -> None:
    passed = 0
    for count in range(1, 28):
        step = seconds_until_next(count, 1.0)
        assert step <= 3 + passed / 4
        passed += step


def test_an_outage_of_days_does_not_use_up_what_sqs_allows() -> None:
    assert sum(seconds_until_next(count, 0.0) for count in range(1, MAX_RECEIVES)) > 4 * A_DAY
    assert sum(seconds_until_next(count, 0.5) for count in range(1, MAX_RECEIVES)) > 7 * A_DAY


def test_a_batch_handed_back_stays_away_for_a_while_that_grows_with_its_deliveries() -> None:
    returns = NotingReturns()
    services = services_of(MemoryLedger(), returns)
    services.ledger_breaker.failed(0.0)
    event = services.ledger.create_event(a_draft(3))
    now = [0.0]
    for times in (1, 10):
        batch = delivered(batch_of(an_order(event), an_order(event)), times)
        answer = fulfil(services, batch, sleep=lambda _: None, jitter=lambda: 1.0, monotonic=lambda: now[0])
        assert failures(answer) == ["m0", "m1"]
        assert set(returns.delayed.values()) == {seconds_until_next(times, 1.0)}


def test_a_ledger_that_is_down_is_tried_once_in_an_interval_and_a_batch_waits_for_its_turn() -> None:
    class Away:
        tries = 0

        def attempt(self) -> None:
            self.tries += 1
            raise Unavailable("ledger", "down")

    ledger, now = Away(), [100.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    services = services_of(ledger, NotingReturns())
    event = MemoryLedger().create_event(a_draft(3))
    for _ in range(5):
        batch = delivered(batch_of(an_order(event)))
        assert failures(fulfil(services, batch, sleep=sleep, monotonic=lambda: now[0])) == ["m0"]
    assert (ledger.tries, now[0]) == (5, 104.0)
    services.__dict__["ledger"] = healthy = MemoryLedger()
    event = healthy.create_event(a_draft(3))
    batches = [delivered(batch_of(an_order(event))) for _ in range(3)]
    for batch in batches:
        assert failures(fulfil(services, batch, sleep=sleep, monotonic=lambda: now[0])) == []
    assert now[0] == 105.0, "after the first success nobody waits"


def test_a_gate_that_is_down_keeps_nobody_from_being_decided_and_is_tried_once_in_an_interval() -> None:
    class Away:
        tries = 0

        def settle(self, *_: object) -> None:
            self.tries += 1
            raise Unavailable("gate", "down")

    ledger, gate = MemoryLedger(), Away()
    services = services_with(ledger, gate)
    event = ledger.create_event(a_draft(9))
    orders = [an_order(event) for _ in range(5)]
    for placed in orders:
        assert failures(fulfil(services, batch_of(placed), monotonic=lambda: 100.0)) == ["m0"]
    assert gate.tries == 1
    assert all(ledger.order(placed.order_id) for placed in orders)


def test_a_record_that_nobody_can_read_becomes_a_dead_letter_with_its_reason_after_its_own_failures() -> None:
    ledger, returns = MemoryLedger(), NotingReturns()
    services = services_of(ledger, returns)
    for failure in range(1, MAX_ATTEMPTS + 1):
        assert returns.buried == []
        answer = fulfil(services, delivered(batch_of("{"), failure))
        assert failures(answer) == (["m0"] if failure < MAX_ATTEMPTS else [])
    ((body, attributes, group),) = returns.buried
    assert (body, group) == ("{", "7")
    assert attributes["messageId"] == "m0"
    assert attributes["reason"].startswith("undecodable: ")
    (kept,) = ledger.dead_letters(DeadLetterQuery())
    assert (kept.message_id, kept.failures, kept.recorded_at) == ("m0", MAX_ATTEMPTS, NOON)
    assert (kept.reason, kept.receive_count) == (attributes["reason"], MAX_ATTEMPTS)


def test_a_dead_letter_that_is_delivered_once_more_is_not_moved_twice() -> None:
    ledger, returns = MemoryLedger(), NotingReturns()
    services = services_of(ledger, returns)
    for _ in range(MAX_ATTEMPTS):
        answer = fulfil(services, delivered(batch_of("{")))
    assert failures(answer) == failures(fulfil(services, delivered(batch_of("{")))) == []
    assert len(returns.buried) == 1
    assert ledger.dead_letters(DeadLetterQuery())[0].moved_at == NOON


def test_deliveries_during_an_outage_do_not_count_against_a_message() -> None:
    ledger, returns = MemoryLedger(), NotingReturns()
    assert failures(fulfil(services_of(ledger, returns), delivered(batch_of("{"), 500))) == ["m0"]
    assert returns.buried == []


@pytest.mark.parametrize("refusal", [Unavailable("queue", "down"), AwsRefused("AccessDenied", "no right")])
def test_a_dead_letter_that_the_queue_does_not_take_is_kept(refusal: Exception) -> None:
    ledger, returns = MemoryLedger(), NotingReturns(refusal)
    for _ in range(MAX_ATTEMPTS + 2):
        assert failures(fulfil(services_of(ledger, returns), delivered(batch_of("{")))) == ["m0"]


def test_an_order_that_brings_a_bug_out_fails_alone_and_the_rest_of_the_batch_is_decided() -> None:
    ledger, returns = MemoryLedger(), NotingReturns()
    event = ledger.create_event(a_draft(100))
    orders = [an_order(event) for _ in range(100)]
    broken = Broken(ledger, orders[41].order_id)
    services = services_of(broken, returns)
    assert failures(fulfil(services, delivered(batch_of(*orders)))) == ["m41"]
    assert sum(kind.sold for kind in ledger.event(event.id).ticket_types) == 99
    assert broken.attempts < 20
    for _ in range(MAX_ATTEMPTS - 2):
        assert failures(fulfil(services, delivered(batch_of(*orders)))) == ["m41"]
    assert failures(fulfil(services, delivered(batch_of(*orders)))) == []
    ((_, attributes, _),) = returns.buried
    assert attributes["reason"] == "ZeroDivisionError: a bug"


def test_a_bug_that_every_order_of_a_batch_meets_is_the_workers_and_buries_nobody() -> None:
    ledger, returns = MemoryLedger(), NotingReturns()
    event = ledger.create_event(a_draft(9))
    batch = delivered(batch_of(*(an_order(event) for _ in range(4))))
    services, now = services_of(Broken(ledger), returns), [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    for _ in range(2 * MAX_ATTEMPTS):
        assert len(failures(fulfil(services, batch, sleep=sleep, monotonic=lambda: now[0]))) == 4
    assert (returns.buried, ledger.dead_letters(DeadLetterQuery())) == ([], [])
    services.__dict__["ledger"] = ledger
    assert failures(fulfil(services, batch, sleep=sleep, monotonic=lambda: now[0])) == []


def test_a_bug_in_settling_is_nobodys_fault_and_comes_again() -> None:
    class Bad:
        def settle(self, *_: object) -> None:
            raise KeyError("a bug")

    ledger, returns = MemoryLedger(), NotingReturns()
    event = ledger.create_event(a_draft(9))
    services = services_of(ledger, returns)
    services.__dict__["gate"] = Bad()
    assert failures(fulfil(services, delivered(batch_of(an_order(event))))) == ["m0"]
    assert ledger.dead_letters(DeadLetterQuery()) == []


def test_failures_are_told_in_one_line_without_the_body(capfd: pytest.CaptureFixture[str]) -> None:
    fulfil(services_of(MemoryLedger(), NotingReturns()), delivered(batch_of('{"userId": "ann"}')))
    line, batch = [json.loads(text) for text in capfd.readouterr().out.splitlines()]
    assert (line["event"], line["messageId"]) == ("message-undecodable", "m0")
    assert (batch["event"], batch["Retries"]) == ("batch-applied", 1)
    assert "ann" not in line["detail"]
