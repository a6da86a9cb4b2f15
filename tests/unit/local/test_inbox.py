"""When a batch is ready."""

from __future__ import annotations

import threading

from infra.local.inbox import Inbox


def test_a_full_batch_does_not_wait_for_the_window() -> None:
    inbox: Inbox[int] = Inbox(batch_size=3, window_seconds=3_600)
    inbox.put([1, 2, 3, 4])
    assert inbox.take() == [1, 2, 3]


def test_a_part_of_a_batch_waits_until_the_window_of_its_oldest_has_passed() -> None:
    seconds = iter([0.0, 0.5, 1.5])
    inbox: Inbox[int] = Inbox(batch_size=10, window_seconds=1.0, clock=lambda: next(seconds))
    inbox.put([1])
    inbox.put([2])
    assert inbox.take() == [1, 2]


def test_closing_hands_out_what_is_left_and_then_nothing() -> None:
    inbox: Inbox[int] = Inbox(batch_size=2, window_seconds=3_600)
    inbox.put([1, 2, 3])
    inbox.close()
    assert [inbox.take(), inbox.take(), inbox.take()] == [[1, 2], [3], []]


def test_a_receiver_waits_while_a_batch_is_ahead_and_goes_on_when_it_is_taken() -> None:
    inbox: Inbox[int] = Inbox(batch_size=2, window_seconds=0)
    inbox.put([1, 2])
    answers: list[bool] = []
    receiver = threading.Thread(target=lambda: answers.append(inbox.wait_for_room()))
    receiver.start()
    assert answers == []
    inbox.take()
    receiver.join(10)
    assert answers == [True]


def test_a_receiver_that_waits_for_room_is_sent_home_on_closing() -> None:
    inbox: Inbox[int] = Inbox(batch_size=1, window_seconds=0)
    inbox.put([1])
    inbox.close()
    assert inbox.wait_for_room() is False
