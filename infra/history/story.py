"""A history in order: its lines sorted by what they are, requests beside their answers. Pure.

What cannot be a history at all is found here; whether a promise was broken is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from infra.history.lines import SCHEMA, Answer, Commit, End, Event, Line, Request, Run, decode

Kept = TypeVar("Kept")


class Unreadable(ValueError):
    """What is no history; the message names the line."""


@dataclass(slots=True)
class Story:
    """A run from beginning to end. `end` is None when the run broke off."""

    run: Run
    events: dict[int, Event] = field(default_factory=dict)
    requests: dict[int, Request] = field(default_factory=dict)
    answers: dict[int, Answer] = field(default_factory=dict)
    commits: list[Commit] = field(default_factory=list)
    end: End | None = None

    @property
    def ledger_is_whole(self) -> bool:
        """Whether every change of the ledger is in it."""
        return self.end is not None and self.end.without_ledger is None

    def accepted(self) -> Iterator[tuple[Request, Answer, str]]:
        """Every 202 to an order: what was asked, what was answered, the order's id."""
        for number, answer in self.answers.items():
            request = self.requests[number]
            if request.buys and answer.status == 202 and answer.order_id:
                yield request, answer, answer.order_id

    def unheard(self) -> Iterator[Request]:
        """Requests for tickets of which nobody knows whether they were taken: cut off, or a fault (5xx)."""
        for number, request in self.requests.items():
            answer = self.answers.get(number)
            if request.buys and (answer is None or answer.status >= 500):
                yield request


def tell(lines: Iterable[bytes], at: Callable[[int], None] = lambda _: None) -> Story:
    """Reads the lines of a history; `at` hears now and then how many are read.

    Raises Unreadable, with the number of the line, at the first one that cannot be.
    """
    story: Story | None = None
    for number, raw in enumerate(lines, 1):
        try:
            line = decode(raw)
            if story is None:
                story = _begun(line)
            else:
                _take(story, line)
        except (msgspec.MsgspecError, UnicodeError, Unreadable) as error:
            raise Unreadable(f"line {number}: {error}") from error
        if number % 1_000 == 0:
            at(number)
    if story is None:
        raise Unreadable("line 1: there is none")
    return story


def _begun(line: Line) -> Story:
    if not isinstance(line, Run):
        raise Unreadable(f"a history begins with the run, not with {type(line).__name__.lower()}")
    if line.schema != SCHEMA:
        raise Unreadable(f"schema {line.schema}: this reader knows {SCHEMA}")
    return Story(line)


def _take(story: Story, line: Line) -> None:
    if story.end is not None:
        raise Unreadable("something follows the end")
    if isinstance(line, Event):
        story.events[line.id] = line
    elif isinstance(line, Request):
        _keep(story.requests, line.number, line, "request")
    elif isinstance(line, Answer):
        if line.number not in story.requests:
            raise Unreadable(f"answer {line.number} has no request before it")
        _keep(story.answers, line.number, line, "answer")
    elif isinstance(line, Commit):
        story.commits.append(line)
    elif isinstance(line, End):
        story.end = line
    else:
        raise Unreadable("the run begins a second time")


def _keep(kept: dict[int, Kept], number: int, line: Kept, what: str) -> None:
    if number in kept:
        raise Unreadable(f"{what} {number} comes twice")
    kept[number] = line
