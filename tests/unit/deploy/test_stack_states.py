"""What a deployment does with a stack as it finds it, and what it says where it stops."""

from __future__ import annotations

import re

import pytest

from infra.deploy.states import Move, advice, next_move


@pytest.mark.parametrize(
    ("status", "move"),
    [
        (None, Move.CREATE),
        ("DELETE_COMPLETE", Move.CREATE),
        ("REVIEW_IN_PROGRESS", Move.CREATE),
        ("CREATE_COMPLETE", Move.UPDATE),
        ("UPDATE_COMPLETE", Move.UPDATE),
        ("UPDATE_ROLLBACK_COMPLETE", Move.UPDATE),
        ("CREATE_IN_PROGRESS", Move.WAIT),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", Move.WAIT),
        ("DELETE_IN_PROGRESS", Move.WAIT),
        ("UPDATE_ROLLBACK_FAILED", Move.STOP),
        ("DELETE_FAILED", Move.STOP),
        ("ROLLBACK_FAILED", Move.STOP),
    ],
)
def test_each_status_of_a_stack_that_has_lived_has_one_move(status: str | None, move: Move) -> None:
    assert next_move(status, has_lived=True) is move


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"])
def test_what_is_left_of_a_failed_creation_is_deleted_and_made_anew(status: str) -> None:
    assert next_move(status, has_lived=False) is Move.REPLACE


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"])
def test_a_stack_that_has_lived_is_never_deleted_by_a_deployment(status: str) -> None:
    assert next_move(status, has_lived=True) is not Move.REPLACE


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("UPDATE_ROLLBACK_FAILED", "aws cloudformation continue-update-rollback --stack-name shop"),
        ("DELETE_FAILED", "Run `destroy` again"),
        ("UPDATE_IN_PROGRESS", "somebody else .* give --wait"),
        ("ROLLBACK_FAILED", "look at its events"),
    ],
)
def test_where_a_deployment_stops_it_says_what_to_do(status: str, said: str) -> None:
    assert re.search(said, advice("shop", status))
