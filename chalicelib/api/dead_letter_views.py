"""What operators are shown of messages that failed, and of the log of actions. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from chalicelib.api.answers import Output, utc
from chalicelib.model import DeadLetter, DeadLetterState, FailedAttempt, LoggedAction
from chalicelib.rules import Replay, Verdict


class DeadLetterView(Output, frozen=True):
    """A message that failed by itself. Order, event and buyer are null when nobody can read it."""

    message_id: str
    order_id: str | None
    event_id: int | None
    user_id: str | None
    reason: str
    failures: int
    receive_count: int
    recorded_at: datetime
    moved_at: datetime | None
    state: DeadLetterState


class DeadLetterPage(Output, frozen=True):
    """Messages that failed, newest first, and how many there are on all pages."""

    items: list[DeadLetterView]
    next_cursor: str | None
    total: int


class AttemptView(Output, frozen=True):
    """One failure, and how often SQS had handed the message out by then."""

    failed_at: datetime
    reason: str
    receive_count: int


class ReplayView(Output, frozen=True):
    """What a replay would do now; `detail` is the order's status, the reason of a no, or what is wrong."""

    verdict: Verdict
    detail: str


class DeadLetterDetail(DeadLetterView, frozen=True):
    """The same with the message itself, every failure, the last one first, and what a replay would do."""

    body: str
    attempts: list[AttemptView]
    replay: ReplayView


class LetterReplayView(ReplayView, frozen=True):
    """What a replay of one message would do."""

    message_id: str
    order_id: str | None


class DryRunView(Output, frozen=True):
    """What a redrive would do, by message and in all; `truncated`: there are more messages than these."""

    items: list[LetterReplayView]
    totals: dict[str, int]
    truncated: bool


class RedriveView(Output, frozen=True):
    """How far a redrive has come; ask for it again until it is done."""

    moved: int
    left: int
    done: bool
    via: str


class MoveTaskView(Output, frozen=True):
    """How far SQS has come with the last move that it was asked for."""

    running: bool
    moved: int
    to_move: int


class DeletionView(Output, frozen=True):
    """How many were deleted; what is left was not found in time, or its order could not be cancelled."""

    deleted: int
    left: int


class ActionView(Output, frozen=True):
    """Who did what to what, when and why."""

    id: str
    at: datetime
    actor: str
    action: str
    target: str
    reason: str
    detail: dict[str, Any]


class ActionPage(Output, frozen=True):
    """Actions, newest first."""

    items: list[ActionView]
    next_cursor: str | None


def dead_letter_view(letter: DeadLetter) -> DeadLetterView:
    """Shows one message that failed."""
    return DeadLetterView(**_shown(letter))


def dead_letter_detail(
    letter: DeadLetter, body: str, attempts: Sequence[FailedAttempt], replay: Replay
) -> DeadLetterDetail:
    """Shows all that is known of one message that failed."""
    return DeadLetterDetail(
        **_shown(letter),
        body=body,
        attempts=[
            AttemptView(
                failed_at=each.failed_at.astimezone(UTC), reason=each.reason, receive_count=each.receive_count
            )
            for each in attempts
        ],
        replay=ReplayView(verdict=replay.verdict, detail=replay.detail),
    )


def dry_run_view(items: Sequence[tuple[DeadLetter, Replay]], *, truncated: bool) -> DryRunView:
    """Shows what a redrive would do."""
    return DryRunView(
        items=[
            LetterReplayView(
                message_id=letter.message_id,
                order_id=letter.order_id,
                verdict=forecast.verdict,
                detail=forecast.detail,
            )
            for letter, forecast in items
        ],
        totals=dict(Counter(forecast.verdict.value for _, forecast in items)),
        truncated=truncated,
    )


def action_view(action: LoggedAction) -> ActionView:
    """Shows one action."""
    return ActionView(
        id=action.id,
        at=action.at.astimezone(UTC),
        actor=action.actor,
        action=action.action,
        target=action.target,
        reason=action.reason,
        detail=action.detail,
    )


def _shown(letter: DeadLetter) -> dict[str, Any]:
    return {
        "message_id": letter.message_id,
        "order_id": letter.order_id,
        "event_id": letter.event_id,
        "user_id": letter.user_id,
        "reason": letter.reason,
        "failures": letter.failures,
        "receive_count": letter.receive_count,
        "recorded_at": letter.recorded_at.astimezone(UTC),
        "moved_at": utc(letter.moved_at),
        "state": letter.state,
    }
