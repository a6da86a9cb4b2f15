"""One failure opens the breaker, one success closes it, and in between one caller in each interval tries."""

from __future__ import annotations

from chalicelib.breaker import Breaker, BreakerState


def test_it_is_closed_at_first_and_lets_everybody_through() -> None:
    breaker = Breaker(10)
    assert breaker.state(0) is BreakerState.CLOSED
    assert all(breaker.admits(now) for now in (0, 0, 1))
    assert breaker.wait(0) == 0


def test_after_a_failure_nobody_is_let_through_for_an_interval() -> None:
    breaker = Breaker(10)
    breaker.failed(100)
    assert breaker.state(100) is BreakerState.OPEN
    assert not any(breaker.admits(now) for now in (100, 105, 109.9))
    assert breaker.wait(104) == 6


def test_then_one_may_try_and_the_others_wait_for_what_it_finds() -> None:
    breaker = Breaker(10)
    breaker.failed(100)
    assert breaker.wait(110) == 0
    assert breaker.admits(110)
    assert breaker.state(111) is BreakerState.HALF_OPEN
    assert not any(breaker.admits(now) for now in (110, 115, 119.9))


def test_a_try_that_succeeds_closes_it() -> None:
    breaker = Breaker(10)
    breaker.failed(100)
    assert breaker.admits(110)
    breaker.succeeded()
    assert breaker.state(110) is BreakerState.CLOSED
    assert breaker.admits(110)
    assert breaker.admits(110)


def test_a_try_that_fails_opens_it_for_another_interval_from_then() -> None:
    breaker = Breaker(10)
    breaker.failed(100)
    assert breaker.admits(110)
    breaker.failed(113)
    assert breaker.state(113) is BreakerState.OPEN
    assert breaker.wait(113) == 10
    assert not breaker.admits(122)
    assert breaker.admits(123)


def test_a_try_that_never_reports_does_not_block_the_next() -> None:
    breaker = Breaker(10)
    breaker.failed(100)
    assert breaker.admits(110)
    assert breaker.state(120) is BreakerState.OPEN
    assert breaker.admits(120)


def test_over_an_outage_of_a_minute_it_lets_sixty_tries_through_however_many_ask() -> None:
    breaker = Breaker(1)
    breaker.failed(0)
    tries = 0
    for tenth in range(1, 601):
        now = tenth / 10
        if breaker.admits(now):
            tries += 1
            breaker.failed(now)
    assert 50 <= tries <= 60
