"""Brings one stack to a template and parameters: looks, prepares a change set, executes it, follows it.

A repetition without a change executes nothing. What fails is rolled back by CloudFormation; the error has
the one cause of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.deploy import changes, events, states
from infra.deploy.failure import Failed, aftermath, why, why_no_change_set
from infra.deploy.faults import Fault
from infra.deploy.stacks import ChangeSet, Look, Stacks
from infra.deploy.states import Move

Tell = Callable[[str], None]
_OTHERS_SECONDS = 3_600.0
"""How long --wait waits for somebody else's change: an Aurora cluster takes a quarter of an hour."""


@dataclass(frozen=True)
class Wish:
    """What a stack is to be: `template` is a TemplateBody or TemplateURL argument."""

    stack: str
    template: dict[str, str]
    parameters: dict[str, str]
    tags: dict[str, str]
    protected: bool


@dataclass(frozen=True)
class Manner:
    """How to go about it: whom to tell what has happened and what is under way, and what is allowed."""

    tell: Tell
    now: Tell = lambda _: None
    wait: bool = False
    """For somebody else's change of a stack to end."""
    accept_loss: bool = False
    """Of resources that keep data."""

    def event(self, event: dict[str, Any]) -> None:
        """Tells one event of a stack: its end as a line, its beginning as what is under way."""
        told = self.now if events.is_beginning(event) else self.tell
        told(f"  {events.line(event)}")


def bring(stacks: Stacks, wish: Wish, manner: Manner) -> bool:
    """Makes the stack as wished, and returns whether anything changed.

    Raises Failed with the cause, Fault when the stack cannot be worked on, and botocore's exceptions.
    """
    look, move = _settled(stacks, wish.stack, manner)
    if move is Move.REPLACE and look:
        _clear(stacks, look, manner)
    create = move in {Move.CREATE, Move.REPLACE}
    change_set = stacks.prepare(
        wish.stack, create=create, template=wish.template, parameters=wish.parameters, tags=wish.tags
    )
    changed = _carried_out(stacks, change_set, manner)
    # Both ways, so that a stage that is protected no longer can be destroyed.
    now = stacks.look(wish.stack)
    if now and now.protected != wish.protected:
        stacks.protect(wish.stack, on=wish.protected)
        manner.tell(f"{wish.stack}: termination protection {'on' if wish.protected else 'off'}")
    return changed


def _settled(stacks: Stacks, name: str, manner: Manner) -> tuple[Look | None, Move]:
    """The stack when nobody else changes it any more. Raises Fault where no deployment may go on."""
    until = time.monotonic() + _OTHERS_SECONDS
    while True:
        look = stacks.look(name)
        move = states.next_move(look.status if look else None, has_lived=_has_lived(stacks, look))
        if look is None or move not in {Move.WAIT, Move.STOP}:
            return look, move
        if move is Move.STOP or not manner.wait or time.monotonic() > until:
            raise Fault(states.advice(name, look.status))
        manner.tell(f"{name}: waiting, it is in {look.status}")
        stacks.settle(look.stack_id, until - time.monotonic())


def _has_lived(stacks: Stacks, look: Look | None) -> bool:
    """Read from its events, which may be many, only where its status leaves it open."""
    if look is None or look.status not in states.PERHAPS_NEVER_LIVED:
        return look is not None
    return events.has_lived(stacks.events(look.stack_id), look.name)


def _clear(stacks: Stacks, look: Look, manner: Manner) -> None:
    manner.tell(
        f"{look.name}: its first creation failed ({look.status}); deleting what is left, to create it anew"
    )
    if look.protected:
        stacks.protect(look.name, on=False)
    remove(stacks, look, manner)


def remove(stacks: Stacks, look: Look, manner: Manner) -> None:
    """Deletes a stack and waits until it is gone. Raises Failed with what held it."""
    known = _ids(stacks, look.stack_id)
    stacks.delete(look.stack_id)
    status, seen = stacks.follow(look.stack_id, known, manner.event)
    if status not in states.GONE:
        cause = events.root_cause(seen)
        said = cause.sentence(look.name) if cause else f"{look.name} is in {status}."
        raise Failed(f"{said} {states.advice(look.name, 'DELETE_FAILED')}")


def _carried_out(stacks: Stacks, change_set: ChangeSet, manner: Manner) -> bool:
    name, tell = change_set.stack, manner.tell
    if change_set.empty:
        stacks.drop(change_set)
        tell(f"{name}: no changes")
        return False
    if change_set.failure:
        raise Failed(why_no_change_set(stacks, change_set))
    _refuse_losses(stacks, change_set, manner)
    tell(f"{name}: {len(change_set.changes)} changes")
    for each in changes.lines(change_set.changes):
        tell(f"  {each}")
    look = stacks.look(name)
    stack_id = look.stack_id if look else name
    known = _ids(stacks, stack_id)
    stacks.execute(change_set)
    status, seen = stacks.follow(stack_id, known, manner.event)
    if status not in states.GOOD:
        raise Failed(f"{why(stacks, stack_id, name, seen)}\n{aftermath(name, status)}")
    return True


def _refuse_losses(stacks: Stacks, change_set: ChangeSet, manner: Manner) -> None:
    lost = changes.losses(change_set.changes)
    if not lost or manner.accept_loss:
        return
    stacks.drop(change_set)
    raise Fault(
        f"This would remove or replace what keeps data in {change_set.stack}: {', '.join(lost)}."
        " Nothing was changed. If that is meant, deploy with --accept-loss."
    )


def _ids(stacks: Stacks, stack_id: str) -> frozenset[str]:
    """The newest event is enough: reading stops at it."""
    return frozenset(each["EventId"] for each in stacks.events(stack_id)[:1])
