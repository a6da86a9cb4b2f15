"""What the verbs of `dead-letters` ask the service for, again and again until it is done.

It knows the contract under /ops/dead-letters, and nothing of a terminal but the bar.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import click

from infra.commands.moving import Moving
from infra.operator import Operator

PATH = "/ops/dead-letters"
PAGE = 100
"""The largest page of the contract, and the most that one call deletes."""
REST_SECONDS = 0.5
"""Between two looks at a move that SQS makes by itself."""
PATIENCE_SECONDS = 45.0
"""Without one message moved: what others have in hand is seen again after 30 s."""


def listed(operator: Operator, limit: int, filters: dict[str, Any]) -> tuple[int, list[dict[str, Any]]]:
    """At most `limit` messages, and how many there are."""
    asked = {"eventId": filters.get("event"), "userId": filters.get("buyer")}
    asked |= {"reason": filters.get("reason"), "state": filters.get("state")}
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = operator.get(PATH, **asked, limit=min(PAGE, limit - len(items)), cursor=cursor)
        items += page["items"]
        cursor = page["nextCursor"]
        if cursor is None or len(items) >= limit:
            return page["total"], items


def dead(operator: Operator, filters: dict[str, Any]) -> list[dict[str, Any]]:
    """All that lie dead and match."""
    return listed(operator, 1_000_000, {**filters, "state": "dead"})[1]


def redriven(operator: Operator, wish: dict[str, Any], *, quiet: bool) -> dict[str, Any]:
    """Asks again until all is moved. Raises click.ClickException when nothing moves any more."""
    moved, last = 0, time.monotonic()
    with Moving("redriven", quiet=quiet) as bar:
        while True:
            result = operator.post(f"{PATH}/redrive", wish)
            by_sqs = result["via"] == "move-task"
            now = max(moved, result["moved"]) if by_sqs else moved + result["moved"]
            if now > moved:
                moved, last = now, time.monotonic()
            bar.at(moved, result["left"])
            if result["done"]:
                return {**result, "moved": moved}
            if time.monotonic() - last > PATIENCE_SECONDS:
                raise click.ClickException(
                    f"{moved:,} redriven, and nothing has moved for {PATIENCE_SECONDS:.0f} s; "
                    f"{result['left']:,} left. Somebody else may have them in hand: try again in a minute."
                )
            if by_sqs:
                time.sleep(REST_SECONDS)


def deleted(operator: Operator, ids: Sequence[str], why: str, *, quiet: bool) -> dict[str, int]:
    """Deletes them in parts, each again as long as that brings it further."""
    total = {"deleted": 0, "left": 0}
    with Moving("deleted", quiet=quiet) as bar:
        for place, part in enumerate(_parts(ids), start=1):
            left = -1
            while True:
                found = operator.post(f"{PATH}/delete", {"messageIds": part, "reason": why})
                total["deleted"] += found["deleted"]
                bar.at(total["deleted"], max(0, len(ids) - place * PAGE) + found["left"])
                if not found["left"] or found["left"] == left:
                    break
                left = found["left"]
            total["left"] += found["left"]
    return total


def _parts(ids: Sequence[str]) -> Iterator[list[str]]:
    return (list(ids[start : start + PAGE]) for start in range(0, len(ids), PAGE))
