"""What every gate must do about too many requests: the in-memory twin, one Valkey, a Valkey cluster alike.

Nobody waits here: a bucket is a moment, and that time passes is the same as that moment coming nearer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.errors import Rejected
from chalicelib.gate.quotas import Claim
from chalicelib.gate.refusals import KeyForgotten
from chalicelib.model import OrderIntent, OrderPlaced, Quota
from tests.fakes.gate import MemoryGate
from tests.support.events import an_event, an_intent
from tests.support.gates import AnyGate, empty_gate, filled

MINUTE_US = 60_000_000
PLENTY = 100_000


def answer(gate: AnyGate, intent: OrderIntent) -> str:
    """The code of the refusal, or "claim"."""
    try:
        gate.admit(intent)
    except Rejected as refused:
        return refused.code
    return "claim"


def answers(gate: AnyGate, times: int, **who: Any) -> list[str]:
    return [answer(gate, an_intent(**who)) for _ in range(times)]


def limited(gate: AnyGate, intent: OrderIntent) -> Quota:
    """What a refusal says of the limit that it met."""
    with pytest.raises(Rejected, match="asked more often") as caught:
        gate.admit(intent)
    assert caught.value.code == "rate-limited"
    quota = caught.value.data["quota"]
    assert isinstance(quota, Quota)
    return quota


def let_pass(gate: AnyGate, client: Any, micros: int) -> None:
    """Lets time pass for every bucket."""
    if isinstance(gate, MemoryGate):
        for key in gate._buckets._whole_us:
            gate._buckets._whole_us[key] -= micros
        return
    for name in client.scan_iter("{e:1}:rate:*"):
        whole_us = int(client.get(name)) - micros
        if whole_us > time.time() * 1e6:
            client.set(name, whole_us, keepttl=True)
        else:
            client.delete(name)


def test_a_minutes_worth_is_let_in_at_once_and_then_one_after_the_other(gate: AnyGate, client: Any) -> None:
    filled(gate, PLENTY, buyer_rate_limit=5)
    assert answers(gate, 6) == [*["claim"] * 5, "rate-limited"]
    let_pass(gate, client, MINUTE_US // 5)
    assert answers(gate, 2) == ["claim", "rate-limited"]
    let_pass(gate, client, MINUTE_US)
    assert answers(gate, 6) == [*["claim"] * 5, "rate-limited"]


def test_a_refusal_names_the_bucket_its_limit_and_the_wait(gate: AnyGate) -> None:
    filled(gate, PLENTY, buyer_rate_limit=2, client_rate_limit=3)
    answers(gate, 2, user="ann")
    assert limited(gate, an_intent(user="ann")) in {Quota("buyer", 2, 0, wait) for wait in (29, 30)}
    answers(gate, 1, user="bob")
    assert limited(gate, an_intent(user="cleo")) in {Quota("client", 3, 0, wait) for wait in (19, 20)}


def test_a_claim_says_what_its_buyer_has_left(gate: AnyGate, client: Any) -> None:
    filled(gate, PLENTY, buyer_rate_limit=4, client_rate_limit=99)
    first, second = gate.admit(an_intent()), gate.admit(an_intent())
    assert first.quota == Quota("buyer", 4, 3, 15)
    assert second.quota in {Quota("buyer", 4, 2, 15), Quota("buyer", 4, 2, 14)}
    let_pass(gate, client, 2 * MINUTE_US)
    assert gate.admit(an_intent()).quota == first.quota


def test_a_buyers_bucket_is_not_anothers_nor_a_clients(gate: AnyGate) -> None:
    filled(gate, PLENTY, buyer_rate_limit=1, client_rate_limit=3)
    assert answers(gate, 2, user="ann", client="192.0.2.1") == ["claim", "rate-limited"]
    assert answers(gate, 2, user="bob", client="192.0.2.1") == ["claim", "rate-limited"]
    assert answers(gate, 1, user="192.0.2.1", client="ann") == ["claim"]
    assert answers(gate, 1, user="192.0.2.2", client="ann") == ["claim"]


def test_one_client_with_a_thousand_names_is_still_one_client(gate: AnyGate) -> None:
    filled(gate, PLENTY, buyer_rate_limit=1, client_rate_limit=30)
    told = [answer(gate, an_intent(user=str(number), client="192.0.2.1")) for number in range(50)]
    assert told == [*["claim"] * 30, *["rate-limited"] * 20]
    assert answers(gate, 1, user="other", client="192.0.2.2") == ["claim"]


def test_refusals_and_replays_take_from_the_buckets_too(gate: AnyGate) -> None:
    filled(gate, 1, buyer_rate_limit=3)
    assert answers(gate, 4) == ["claim", "sold-out", "sold-out", "rate-limited"]
    again = an_intent(key="k", user="bob")
    assert [answer(gate, again) for _ in range(4)] == [*["sold-out"] * 3, "rate-limited"]
    gate = empty_gate(getattr(gate, "_client", None))
    filled(gate, 9, buyer_rate_limit=3)
    assert answers(gate, 4, key="k") == [*["claim"] * 3, "rate-limited"]


def test_a_rate_limited_request_takes_nothing(gate: AnyGate, client: Any) -> None:
    filled(gate, 9, buyer_rate_limit=2, client_rate_limit=3)
    answers(gate, 20, user="ann")
    assert answers(gate, 1, user="bob") == ["claim"]
    found = gate.availability(1)
    assert found is not None
    assert [stock.available for stock in found[0]] == [6]
    let_pass(gate, client, MINUTE_US // 2)
    assert answers(gate, 2, user="ann") == ["claim", "rate-limited"]


def test_a_sale_without_limits_answers_everybody_for_ever_and_leaves_no_bucket(
    gate: AnyGate, client: Any
) -> None:
    filled(gate, PLENTY)
    assert answers(gate, 300) == ["claim"] * 300
    assert gate.admit(an_intent()).quota is None
    if client is not None:
        assert list(client.scan_iter("{e:1}:rate:*")) == []


def test_a_limit_can_be_changed_and_taken_away_while_the_sale_goes_on(gate: AnyGate) -> None:
    filled(gate, PLENTY, buyer_rate_limit=2)
    assert answers(gate, 3)[2] == "rate-limited"
    gate.configure(an_event(1, (100_000,), version=2, buyer_rate_limit=60))
    assert limited(gate, an_intent()).per_minute == 60
    gate.configure(an_event(1, (100_000,), version=3))
    assert answers(gate, 1) == ["claim"]


def test_a_request_that_asks_again_about_a_forgotten_key_counts_once(gate: AnyGate) -> None:
    filled(gate, PLENTY, refilled=True, buyer_rate_limit=1)
    intent = an_intent(key="k")
    with pytest.raises(KeyForgotten):
        gate.admit(intent)
    assert msgspec.json.decode(gate.admit(intent, key_is_new=True), type=OrderPlaced).user_id == "ann"
    assert answers(gate, 1) == ["rate-limited"]


def test_a_wiped_gate_forgets_its_buckets_which_lets_one_burst_more_in(client: Any) -> None:
    gate = empty_gate(client)
    filled(gate, PLENTY, buyer_rate_limit=3)
    assert answers(gate, 4)[3] == "rate-limited"
    gate = empty_gate(client)
    filled(gate, PLENTY, buyer_rate_limit=3)
    assert answers(gate, 4) == [*["claim"] * 3, "rate-limited"]


def test_a_bucket_says_no_name_and_runs_out_after_a_minute(client: Any) -> None:
    if client is None:
        pytest.skip("what runs out in Valkey stays in the twin")
    gate = empty_gate(client)
    filled(gate, PLENTY, buyer_rate_limit=3, client_rate_limit=3)
    gate.admit(an_intent(user="ann@example.org", client="192.0.2.77"))
    names = list(client.scan_iter("{e:1}:rate:*"))
    assert len(names) == 2
    assert not [name for name in names if b"ann" in name or b"192.0" in name]
    assert all(0 < client.pttl(name) <= 60_000 for name in names)


def passes(gate: AnyGate, pause: Callable[[int], None], schedule: list[tuple[int, int]]) -> list[int]:
    """Asks so often after each pause of so many µs; returns the µs at which it was let in."""
    passed_us: list[int] = []
    began, slept = time.monotonic_ns(), 0
    for pause_us, times in schedule:
        pause(pause_us)
        slept += pause_us
        told = [(answer(gate, an_intent()), time.monotonic_ns()) for _ in range(times)]
        passed_us += [slept + (at - began) // 1_000 for code, at in told if code == "claim"]
    return passed_us


def over(passed_us: list[int], limit: int) -> list[tuple[int, int]]:
    """Stretches of time in which more than the limit and its refill were let in."""
    return [
        (first, last)
        for first in range(len(passed_us))
        for last in range(first, len(passed_us))
        if last - first + 1 > limit + limit * (passed_us[last] - passed_us[first] + 5_000) / MINUTE_US
    ]


schedules = st.lists(
    st.tuples(st.one_of(st.integers(0, 3_000_000), st.integers(0, 90_000_000)), st.integers(1, 9)),
    min_size=1,
    max_size=8,
)
thoroughly = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@thoroughly
@given(limit=st.sampled_from((1, 2, 7, 60)), schedule=schedules)
def test_over_any_stretch_of_any_schedule_no_more_than_the_limit_and_its_refill_pass(
    client: Any, limit: int, schedule: list[tuple[int, int]]
) -> None:
    gate = empty_gate(client)
    filled(gate, PLENTY, buyer_rate_limit=limit)
    passed_us = passes(gate, lambda micros: let_pass(gate, client, micros), schedule)
    assert over(passed_us, limit) == []
    assert len(passed_us) >= min(limit, sum(times for _, times in schedule)), "it refused what is allowed"


class WindowGate(MemoryGate):
    """The negative control: counts by the minute of the clock, and begins anew with each."""

    def __init__(self) -> None:
        super().__init__()
        self.now_us, self._counts = 30_000_000, dict[int, int]()

    def admit(self, intent: OrderIntent, *, key_is_new: bool = False) -> Claim:  # noqa: ARG002
        """Lets in what this minute has left."""
        minute = self.now_us // MINUTE_US
        self._counts[minute] = self._counts.get(minute, 0) + 1
        if self._counts[minute] > 7:
            raise Rejected("rate-limited", "")
        return Claim(b"{}")

    def sleep(self, micros: int) -> None:
        """Lets time pass."""
        self.now_us += micros


def test_control_a_limit_by_the_minute_of_the_clock_lets_two_minutes_worth_in_at_once() -> None:
    gate = WindowGate()
    passed_us = passes(gate, gate.sleep, [(29_000_000, 9), (2_000_000, 9)])
    assert len(passed_us) == 14
    assert over(passed_us, 7)
