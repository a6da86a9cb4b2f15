"""How sends that meet are put together, and that each caller gets its own answer."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.aws.answers import AwsRefused
from chalicelib.errors import Unavailable
from chalicelib.queue.sender import MAX_BATCH_BYTES, Sender
from tests.fakes.queue import MemorySender
from tests.support.waiting import until


class Crowd:
    """Threads that send: the first holds the only lane, the others stand in line behind it."""

    def __init__(self, sender: MemorySender, pool: ThreadPoolExecutor) -> None:
        self.sender = sender
        self._pool = pool
        sender.queue.flowing.clear()
        self.first = self.send("first")
        until(lambda: len(sender.queue.calls) == 1, "the first has the lane")

    def send(self, body: str) -> Future[str]:
        """Sends in a thread of its own."""
        return self._pool.submit(self.sender.send, body, "1")

    def stand_in_line(self, *bodies: str) -> list[Future[str]]:
        """Returns when all of them wait, in this order."""
        line = []
        for body in bodies:
            before = self.sender.waiting
            line.append(self.send(body))
            until(lambda before=before: self.sender.waiting == before + 1, "it stands in line")  # type: ignore[misc]
        return line

    def go(self) -> None:
        """Lets the queue answer."""
        self.sender.queue.flowing.set()


@pytest.fixture
def crowd() -> Any:
    with ThreadPoolExecutor(40) as pool:
        crowd = Crowd(MemorySender(), pool)
        yield crowd
        crowd.go()


def sent(sender: MemorySender) -> dict[str, str]:
    return {message["Body"]: message["MessageId"] for message in sender.queue.messages}


def failure(future: Future[str]) -> BaseException:
    error = future.exception(timeout=20)
    assert error is not None
    return error


def test_a_lone_caller_sends_a_plain_message() -> None:
    sender = MemorySender()
    assert [sender.send(body, "7") for body in "ab"] == [m["MessageId"] for m in sender.queue.messages]
    assert sender.queue.calls == [("SendMessage", 1)] * 2


def test_those_who_arrive_meanwhile_go_together(crowd: Crowd) -> None:
    line = crowd.stand_in_line(*"abcdefghi")
    crowd.go()
    assert [future.result(20) for future in line] == [sent(crowd.sender)[body] for body in "abcdefghi"]
    assert crowd.sender.queue.calls == [("SendMessage", 1), ("SendMessageBatch", 9)]


def test_no_batch_has_more_than_ten_entries(crowd: Crowd) -> None:
    line = crowd.stand_in_line(*"abcdefghijklmnopqrstuvwxyz")
    crowd.go()
    assert [future.result(20) for future in line] == [
        sent(crowd.sender)[body] for body in "abcdefghijklmnopqrstuvwxyz"
    ]
    assert [size for _, size in crowd.sender.queue.calls] == [1, 10, 10, 6]


def test_no_batch_is_longer_than_a_mebibyte(crowd: Crowd) -> None:
    half = "é" * (MAX_BATCH_BYTES // 4)
    line = crowd.stand_in_line(half, half, "a", "b")
    crowd.go()
    assert len({future.result(20) for future in line}) == 4
    assert [size for _, size in crowd.sender.queue.calls] == [1, 2, 2]


def test_as_many_calls_are_under_way_as_there_are_lanes() -> None:
    sender = MemorySender(lanes=2)
    sender.queue.flowing.clear()
    with ThreadPoolExecutor(5) as pool:
        answers = [pool.submit(sender.send, body, "1") for body in "abcde"]
        until(lambda: sender.waiting == 3, "three stand in line")
        assert sender.queue.calls == [("SendMessage", 1)] * 2
        sender.queue.flowing.set()
        assert sorted(future.result(20) for future in answers) == sorted(sent(sender).values())


@pytest.mark.parametrize(
    ("entry", "kind", "ambiguous"),
    [
        ({"Code": "InvalidMessageContents", "SenderFault": True}, AwsRefused, None),
        ({"Code": "InternalError", "SenderFault": False}, Unavailable, True),
        ({"Code": "RequestThrottled", "SenderFault": False}, Unavailable, False),
        (None, Unavailable, True),
    ],
)
def test_a_failed_entry_fails_for_its_caller_alone(
    crowd: Crowd, entry: dict[str, Any] | None, kind: type[Exception], ambiguous: bool | None
) -> None:
    crowd.sender.queue.failed_entries["bad"] = entry
    good, bad, fine = crowd.stand_in_line("good", "bad", "fine")
    crowd.go()
    assert (good.result(20), fine.result(20)) == (sent(crowd.sender)["good"], sent(crowd.sender)["fine"])
    error = failure(bad)
    assert type(error) is kind
    assert getattr(error, "ambiguous", None) is ambiguous


def test_a_batch_refused_whole_is_sent_one_by_one(crowd: Crowd) -> None:
    good, bad = crowd.stand_in_line("good", "\x01")
    crowd.sender.queue.faults.extend([None, AwsRefused("InvalidParameterValue", "one of them")])
    crowd.go()
    assert good.result(20) == sent(crowd.sender)["good"]
    assert isinstance(failure(bad), AwsRefused)


@pytest.mark.parametrize("error", [Unavailable("queue", "down", ambiguous=True), RuntimeError("a bug")])
def test_an_error_of_the_batch_reaches_every_caller_in_it(crowd: Crowd, error: Exception) -> None:
    line = crowd.stand_in_line(*"abc")
    crowd.sender.queue.faults.extend([error, error])
    crowd.go()
    assert [failure(future) for future in (crowd.first, *line)] == [error] * 4
    assert crowd.sender.send("d", "1") == sent(crowd.sender)["d"]


def test_an_interrupted_leader_releases_its_followers(crowd: Crowd) -> None:
    line = crowd.stand_in_line(*"abc")
    crowd.sender.queue.faults.extend([Unavailable("queue", "down"), KeyboardInterrupt()])
    crowd.go()
    errors = [failure(future) for future in line]
    assert [type(error) for error in errors] == [KeyboardInterrupt, Unavailable, Unavailable]
    assert all(error.ambiguous for error in errors[1:] if isinstance(error, Unavailable))
    assert crowd.sender.send("d", "1") == sent(crowd.sender)["d"]


def test_an_interrupted_follower_leaves_the_line() -> None:
    sender = MemorySender()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with ThreadPoolExecutor(2) as pool:
            crowd = Crowd(sender, pool)
            waits = pool.submit(_signal_when_waiting, sender, threading.get_ident())
            with pytest.raises(KeyboardInterrupt):
                sender.send("interrupted", "1")
            crowd.go()
            assert (waits.result(20), crowd.first.result(20)) == (None, sent(sender)["first"])
    finally:
        signal.signal(signal.SIGUSR1, before)
    sender.send("later", "1")
    assert list(sent(sender)) == ["first", "later"]


def _signal_when_waiting(sender: Sender, thread: int) -> None:
    until(lambda: sender.waiting == 1, "the main thread stands in line")
    signal.pthread_kill(thread, signal.SIGUSR1)


def test_nobody_stands_in_line_for_longer_than_a_timeout() -> None:
    sender = MemorySender(timeout_ms=50)
    with ThreadPoolExecutor(2) as pool:
        crowd = Crowd(sender, pool)
        error = failure(crowd.send("late"))
        crowd.go()
        assert crowd.first.result(20) == sent(sender)["first"]
    assert isinstance(error, Unavailable)
    assert not error.ambiguous
    assert list(sent(sender)) == ["first"]


def test_text_that_is_no_unicode_fails_before_it_meets_others() -> None:
    sender = MemorySender()
    with pytest.raises(UnicodeEncodeError):
        sender.send("\ud800", "1")
    assert sender.send("fine", "1") == sent(sender)["fine"]


def test_a_ping_asks_and_sends_nothing() -> None:
    sender = MemorySender()
    sender.ping()
    assert (sender.queue.messages, sender.queue.calls) == ([], [("GetQueueAttributes", 1)])


@pytest.fixture(scope="module")
def often_switched() -> Iterator[None]:
    """Lets threads interrupt each other a thousand times as often as they usually do."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(before / 1_000)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("often_switched")
@settings(deadline=None, max_examples=40)
@given(
    lanes=st.integers(1, 3),
    threads=st.integers(1, 24),
    sends=st.integers(1, 8),
    padding=st.sampled_from([0, 10, MAX_BATCH_BYTES // 3]),
)
def test_every_body_is_sent_once_and_every_caller_gets_its_own_id(
    lanes: int, threads: int, sends: int, padding: int
) -> None:
    sender = MemorySender(lanes)
    answers: dict[str, str] = {}
    _in_threads(threads, lambda thread: _send_often(sender, answers, f"{thread}:{'.' * padding}", sends))
    assert len(sender.queue.messages) == threads * sends
    assert answers == sent(sender)
    assert sender.waiting == 0
    assert sender.queue.most_at_once <= lanes


def _send_often(sender: Sender, answers: dict[str, str], prefix: str, sends: int) -> None:
    for at in range(sends):
        answers[f"{prefix}{at}"] = sender.send(f"{prefix}{at}", "1")


def _in_threads(count: int, work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=[at]) for at in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive(), "a sender hangs"
