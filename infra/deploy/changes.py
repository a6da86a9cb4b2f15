"""What a change set would do, a line each, and what it would lose. Pure: of the form of its Changes alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

_SIGNS = {"Add": "+", "Modify": "~", "Remove": "-", "Import": "+", "Dynamic": "?"}

KEEPERS = frozenset(
    {
        "AWS::RDS::DBCluster",
        "AWS::ElastiCache::ServerlessCache",
        "AWS::SQS::Queue",
        "AWS::SecretsManager::Secret",
        "AWS::KMS::Key",
        "AWS::S3::Bucket",
    }
)
"""Types of resources that hold what no deployment can make again: orders, claims, keys."""


def lines(changes: Sequence[dict[str, Any]]) -> list[str]:
    """`+`, `~`, `-` with the resource, and whether a new one takes its place."""
    return [_line(each["ResourceChange"]) for each in changes]


def losses(changes: Iterable[dict[str, Any]]) -> list[str]:
    """The logical ids of what keeps data and would be removed or replaced, in the set's order.

    A replacement that only may happen (`Conditional`) counts: it cannot be taken back either. What the
    template retains counts, too, since the service would no longer use it.
    """
    return [
        change["LogicalResourceId"]
        for change in (each["ResourceChange"] for each in changes)
        if change["ResourceType"] in KEEPERS
        and (change["Action"] == "Remove" or change.get("Replacement") in {"True", "Conditional"})
    ]


def _line(change: dict[str, Any]) -> str:
    said = f"{_SIGNS.get(change['Action'], '?')} {change['LogicalResourceId']}  {change['ResourceType']}"
    if change.get("Replacement") == "True":
        return f"{said}  is replaced"
    return f"{said}  may be replaced" if change.get("Replacement") == "Conditional" else said
