"""A schedule that AWS keeps and follows with nobody's terminal open; `scaling.py` and `scheduler.py` are two.

It must not know which, nor why anything is raised.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

from infra.prewarm.windows import Action, Changes

AT = "at({:%Y-%m-%dT%H:%M:%S})"
"""One moment in UTC, as both have it."""


class Agenda(Protocol):
    """A schedule, by the names of its actions."""

    def register(self, most: int) -> None:
        """Makes what is scheduled schedulable, up to `most`."""

    def deregister(self) -> None:
        """Undoes that, when nothing is left."""

    def there(self) -> Mapping[str, Action]:
        """Every action of ours."""

    def put(self, action: Action) -> None:
        """Adds the action, or replaces that of the same name."""

    def delete(self, name: str) -> None:
        """Removes the action of this name."""


def apply(agenda: Agenda, to_do: Changes) -> None:
    """Does the changes one by one, in their order: whatever fails, what lowers is there."""
    for action in to_do.put:
        agenda.put(action)
    for name in to_do.delete:
        agenda.delete(name)


def moment(said: str) -> datetime:
    """When an action is scheduled. Raises ValueError for what is no single moment."""
    found = re.fullmatch(r"at\((.+)\)", said)
    if not found:
        raise ValueError(f"not an action of ours: it is scheduled by {said}")
    return datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
