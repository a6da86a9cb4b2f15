"""What to do with a stack in a given status: pure, and of CloudFormation's words alone.

A stack that never lived (its first creation failed) can only be deleted; one that lived must never be,
whatever its status says: LocalStack calls a failed update ROLLBACK_COMPLETE, too.
"""

from __future__ import annotations

from enum import Enum

GONE = frozenset({"DELETE_COMPLETE"})
GOOD = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
REVERTED = frozenset({"ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"})
UPDATABLE = GOOD | REVERTED
PERHAPS_NEVER_LIVED = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"})
"""Where a failed first creation ends; its events tell whether it was one."""


class Move(Enum):
    """How a deployment goes on with a stack."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "delete what is left of the failed creation, then create"
    WAIT = "wait"
    STOP = "stop"


def next_move(status: str | None, *, has_lived: bool) -> Move:
    """The move for a stack in `status`, None for one that is not there.

    `has_lived` says whether it was ever created or updated whole.
    """
    if status is None or status in GONE or status == "REVIEW_IN_PROGRESS":
        return Move.CREATE
    if status.endswith("_IN_PROGRESS"):
        return Move.WAIT
    if not has_lived and status in PERHAPS_NEVER_LIVED:
        return Move.REPLACE
    return Move.UPDATE if status in UPDATABLE else Move.STOP


def advice(stack: str, status: str) -> str:
    """Why a deployment stops at a stack in `status`, and what to do next."""
    if status == "UPDATE_ROLLBACK_FAILED":
        return (
            f"{stack} is stuck: an update failed, and so did its rollback. Remove what stands in the way,"
            f" then run `aws cloudformation continue-update-rollback --stack-name {stack}`"
            " (with --resources-to-skip for what cannot be brought back), and deploy again."
        )
    if status == "DELETE_FAILED":
        return (
            f"{stack} is half deleted. Run `destroy` again, or see in its events what holds it"
            f" (`aws cloudformation describe-stack-events --stack-name {stack}`), and deploy after that."
        )
    if status.endswith("_IN_PROGRESS"):
        return (
            f"{stack} is being changed by somebody else ({status})."
            " Try again when it is done, or give --wait to wait for it."
        )
    return (
        f"{stack} is in {status}, from which no deployment goes on. Its data may be in it:"
        " look at its events in the CloudFormation console, repair it there, then deploy again."
    )


def is_final(status: str) -> bool:
    """Whether a stack in `status` stays there until somebody acts."""
    return not status.endswith("_IN_PROGRESS")
