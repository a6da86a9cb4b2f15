"""What each stage has to itself on an emulator: a database, a Valkey database, and an address of its API.

On AWS every stage has servers of its own; here they share one PostgreSQL and one Valkey, whose databases do
not see each other. Knows names, numbers and a file; it does not know what is deployed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from infra.local.layout import LOOPBACK, Layout, free_port

NUMBERS = range(1, 16)
"""Valkey has sixteen databases; 0 is nobody's."""
API_STAGE = "api"
"""The path that every address of an API begins with, as on execute-api: its stage's name."""


class NoRoom(RuntimeError):
    """As many stages live here as there can. The message says what to do."""


@dataclass(frozen=True)
class Home:
    """One stage's own."""

    stage: str
    number: int
    port: int

    @property
    def database(self) -> str:
        """The name of its database."""
        return f"onsale_{self.stage.replace('-', '_')}"

    @property
    def url(self) -> str:
        """Where its API answers, once it is deployed."""
        return f"http://{LOOPBACK}:{self.port}/{API_STAGE}"


def homes(layout: Layout) -> dict[str, Home]:
    """Those that are let, by stage."""
    try:
        kept = json.loads(_file(layout).read_text())
    except (OSError, ValueError):
        return {}
    return {stage: Home(stage, **found) for stage, found in kept.items()}


def move_in(layout: Layout, stage: str) -> Home:
    """The stage's home; a new one when it has none. Raises NoRoom."""
    let = homes(layout)
    if stage in let:
        return let[stage]
    taken = {home.number for home in let.values()}
    free = next((number for number in NUMBERS if number not in taken), None)
    if free is None:
        raise NoRoom(f"{len(let)} stages live in {layout.root}; destroy one first: {', '.join(sorted(let))}.")
    made = Home(stage, free, free_port())
    _write(layout, {**let, stage: made})
    return made


def move_out(layout: Layout, stage: str) -> None:
    """Gives the stage's home up; nothing when it has none."""
    _write(layout, {name: home for name, home in homes(layout).items() if name != stage})


def _file(layout: Layout) -> Path:
    return layout.root / "stages.json"


def _write(layout: Layout, let: dict[str, Home]) -> None:
    fresh = _file(layout).with_suffix(".new")
    fresh.write_text(json.dumps({s: {"number": h.number, "port": h.port} for s, h in let.items()}) + "\n")
    fresh.replace(_file(layout))
