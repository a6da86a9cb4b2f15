"""Why a stack could not be brought where it was to be: the one cause, and how it was left, in sentences."""

from __future__ import annotations

from typing import Any

from infra.deploy import events, states
from infra.deploy.faults import Fault
from infra.deploy.reasons import hint
from infra.deploy.stacks import ChangeSet, Stacks


class Failed(Fault):
    """A stack that could not be brought there, and is as it was before. The message has the cause."""


def why_no_change_set(stacks: Stacks, change_set: ChangeSet) -> str:
    """Why CloudFormation could not say what would change; the change set is dropped."""
    cause = None
    if events.refers_to_validation(change_set.failure):
        cause = events.validation_cause(stacks.refusals(change_set.stack, change_set.arn))
    stacks.drop(change_set)
    if cause:
        return f"{cause.sentence(change_set.stack)}\nNothing was changed."
    said = events.shortened(change_set.failure)
    return f"CloudFormation cannot say what would change in {change_set.stack}: {said}\nNothing was changed."


def why(stacks: Stacks, stack_id: str, name: str, seen: list[dict[str, Any]]) -> str:
    """The cause among the events that were `seen`, and what is known to help against it."""
    cause = events.root_cause(seen)
    if cause and events.refers_to_validation(cause.reason):
        cause = events.validation_cause(stacks.refusals(stack_id)) or cause
    if cause is None:
        return f"{name} failed, and its events do not say why."
    return "\n".join(filter(None, (cause.sentence(name), hint(cause.reason))))


def aftermath(name: str, status: str) -> str:
    """How the stack was left, and what to do next."""
    if status == "UPDATE_ROLLBACK_COMPLETE":
        return f"{name} was put back as it was before. Correct the cause, then deploy again."
    if status == "ROLLBACK_COMPLETE":
        return f"What was made of {name} was removed again. Correct the cause, then deploy again."
    return states.advice(name, status)
