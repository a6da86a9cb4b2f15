"""What a stack's events say: progress a line each, and the one cause of a failure. Pure.

Knows the form of CloudFormation's StackEvents, newest first, and calls nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

_REASON_LETTERS = 300
_HEAD_LETTERS = 190
_FOLLOWERS = (
    "Resource creation cancelled",
    "Resource update cancelled",
    "Resource deletion cancelled",
    "The following resource(s) failed to",
    "User Initiated",
)
"""How the reasons of those begin that failed only because another did."""
_DONE = {
    "CREATE_FAILED": "could not be created",
    "UPDATE_FAILED": "could not be updated",
    "DELETE_FAILED": "could not be deleted",
    "VALIDATION_FAILED": "cannot be as the template wants it",
}
_STACK = "AWS::CloudFormation::Stack"


@dataclass(frozen=True)
class Cause:
    """What failed first, and why."""

    logical_id: str
    resource_type: str
    status: str
    reason: str

    def sentence(self, stack: str) -> str:
        """One sentence for a person."""
        what = f"{self.logical_id} ({self.resource_type})"
        if self.resource_type == _STACK:
            return f"{stack} failed: {self.reason}"
        done = _DONE.get(self.status, "could not be changed")
        return f"{what} of {stack} {done}: {self.reason}"


def root_cause(events: Sequence[dict[str, Any]]) -> Cause | None:
    """The first failure among `events` (newest first) that no other one caused; None without a failure.

    A resource goes before its stack, and a failure with a reason of its own before one that follows another.
    """
    failed = [each for each in reversed(events) if each["ResourceStatus"].endswith("_FAILED")]
    own = [each for each in failed if not _reason(each).startswith(_FOLLOWERS)]
    resources = [each for each in own if each.get("ResourceType") != _STACK]
    for event in (*resources, *own, *failed):
        return Cause(
            event["LogicalResourceId"],
            event.get("ResourceType", ""),
            event["ResourceStatus"],
            shortened(_reason(event) or "no reason was given"),
        )
    return None


def validation_cause(events: Iterable[dict[str, Any]]) -> Cause | None:
    """The first of a change set's properties that CloudFormation has refused before it began.

    `events` are DescribeEvents' OperationEvents: a stack's own events only refer to them.
    """
    for event in events:
        if event.get("ValidationStatus") == "FAILED" and event.get("ValidationFailureMode") != "WARN":
            reason = shortened(str(event.get("ValidationStatusReason") or "it was found invalid"))
            kind = str(event.get("ResourceType", ""))
            return Cause(str(event.get("LogicalResourceId", "")), kind, "VALIDATION_FAILED", reason)
    return None


def refers_to_validation(reason: str) -> bool:
    """Whether a reason only says where the reason is."""
    return "DescribeEvents" in reason


def has_lived(events: Iterable[dict[str, Any]], stack: str) -> bool:
    """Whether a stack was ever created or updated whole, by its own events."""
    whole = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}
    return any(each["ResourceStatus"] in whole and each["LogicalResourceId"] == stack for each in events)


def is_beginning(event: dict[str, Any]) -> bool:
    """Whether an event says no more than that a resource is being worked on; a stack's own are news."""
    status: str = event["ResourceStatus"]
    return status.endswith("_IN_PROGRESS") and event.get("ResourceType") != _STACK


def line(event: dict[str, Any]) -> str:
    """One event as a line: what became of which resource, and why if it failed."""
    status = event["ResourceStatus"]
    said = f"{status:<16} {event['LogicalResourceId']}  {event.get('ResourceType', '')}"
    return f"{said}  {shortened(_reason(event))}" if status.endswith("_FAILED") and _reason(event) else said


def shortened(text: str) -> str:
    """`text` on one line, without its middle where it is long: AWS puts whole templates into messages."""
    flat = " ".join(text.split())
    if len(flat) <= _REASON_LETTERS:
        return flat
    return f"{flat[:_HEAD_LETTERS].rstrip()} … {flat[_HEAD_LETTERS - _REASON_LETTERS :].lstrip()}"


def _reason(event: dict[str, Any]) -> str:
    return str(event.get("ResourceStatusReason") or "")
