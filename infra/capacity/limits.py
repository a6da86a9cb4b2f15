"""The limits that an on-sale can meet, and the figures of ours beside them, as `limits.json` has them.

Each says where it is from and when that was looked up. It must not know what any sale needs.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import msgspec

SOURCE = Path(__file__).with_name("limits.json")


class Kind(StrEnum):
    """Who can move a limit: AWS when asked, we by a setting, nobody."""

    QUOTA = "quota"
    SETTING = "setting"
    FIXED = "fixed"


class Confirmed(StrEnum):
    """How a value was checked on its date: in AWS's own pages, in others' pages, or not at all."""

    DOCS = "docs"
    PAGES = "pages"
    MEMORY = "memory"
    MEASURED = "measured"


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """One limit. `value` is what an account has by default, None where AWS says there is none.

    `ceiling` is the most that can be asked for or set, None where nothing is published.
    """

    id: str
    service: str
    name: str
    value: float | None
    unit: str
    kind: Kind
    adjustable: bool
    ceiling: float | None
    source: str
    confirmed: Confirmed
    as_of: str
    note: str


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure that was measured on our side, and where it is written down."""

    id: str
    name: str
    value: float
    unit: str
    source: str
    note: str


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file."""

    limits: tuple[Limit, ...]
    measured: tuple[Figure, ...]

    def figure(self, figure_id: str) -> float:
        """The value of a measured figure. Raises StopIteration when there is none of that id."""
        return next(figure.value for figure in self.measured if figure.id == figure_id)


def catalogue() -> Catalogue:
    """Reads the file. Raises msgspec.ValidationError when an entry lacks something."""
    return msgspec.json.decode(SOURCE.read_bytes(), type=Catalogue)
