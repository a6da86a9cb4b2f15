"""The emulator as a deployment finds it: started when it is not up, and where a stage's stores are on it.

Knows addresses and databases; it does not know what a deployment consists of.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from infra.emulator import aws
from infra.emulator.homes import Home, homes, move_in, move_out
from infra.local import background, postgres, valkey
from infra.local.layout import LOOPBACK, Layout
from infra.local.tenancy import CannotStart

STOP_SECONDS = 60.0
"""What a stop may take: the emulator writes what it knows, PostgreSQL ends its sessions."""


@dataclass(frozen=True)
class Emulated:
    """Where one stage finds AWS and its stores, and where its API will answer."""

    endpoint_url: str
    database_url: str
    valkey_url: str
    url: str


def layout_at(state_dir: str | Path | None) -> Layout:
    """The emulator's files: `emulator` below `state_dir` (`.onsale` in the checkout). Creates nothing."""
    return Layout(Layout.at(state_dir).root / "emulator")


def ensure_running(state_dir: str | Path | None, stage: str) -> Emulated:
    """Starts the emulator in the background when it is not up, and makes the stage's own databases on it.

    Raises CannotStart and NoRoom, whose messages say what to do.
    """
    start(state_dir)
    layout = layout_at(state_dir)
    with suppress(psycopg.errors.DuplicateDatabase):
        _administer(layout, "CREATE DATABASE {}", move_in(layout, stage))
    found = running(state_dir, stage)
    if found is None:
        raise CannotStart(f"The emulator has just stopped; its logs are in {layout.logs}.")
    return found


def start(state_dir: str | Path | None) -> None:
    """Starts the emulator in the background, with what was deployed to it before; nothing when it is up.

    Raises CannotStart.
    """
    layout = layout_at(state_dir)
    if (layout.running_state() or {}).get("ready"):
        return
    layout.root.mkdir(parents=True, exist_ok=True)
    background.leave_running(layout, ["infra.emulator", str(layout.root)], "emulator.log")


def running(state_dir: str | Path | None, stage: str) -> Emulated | None:
    """Where the stage's things are, or None when no emulator runs or the stage never lived on it."""
    layout = layout_at(state_dir)
    state = layout.running_state()
    home = homes(layout).get(stage)
    if state is None or home is None or not state["ready"]:
        return None
    ports = state["ports"]
    return Emulated(
        endpoint_url=aws.url(ports["aws"]),
        database_url=postgres.dsn(ports["postgres"], home.database),
        valkey_url=f"valkey://{LOOPBACK}:{ports['valkey']}/{home.number}",
        url=home.url,
    )


def stage_at(url: str, state_dir: str | Path | None) -> Emulated | None:
    """The stage whose API answers at `url`, or None when it is none of this emulator's."""
    lets = (running(state_dir, stage) for stage in homes(layout_at(state_dir)))
    return next((found for found in lets if found and found.url == url.rstrip("/")), None)


def facts(state_dir: str | Path | None) -> dict[str, dict[str, str]]:
    """What runs, for people: the emulator, and by its name each stage; empty when none runs."""
    layout = layout_at(state_dir)
    state = layout.running_state()
    if state is None:
        return {}
    told = {"emulator": {"aws": state["http"]["url"], "logs": str(layout.logs)}}
    for stage in homes(layout):
        if found := running(state_dir, stage):
            told[stage] = {"api": found.url, "postgres": found.database_url, "valkey": found.valkey_url}
    return told


def leave(state_dir: str | Path | None, stage: str) -> bool:
    """Drops the stage's databases, once its stacks are gone. Returns whether it was the last.

    After the last one the emulator is stopped. Raises CannotStart when its PostgreSQL does not answer.
    """
    layout = layout_at(state_dir)
    home = homes(layout).get(stage)
    state = layout.running_state()
    if home is not None and state is not None:
        _administer(layout, "DROP DATABASE IF EXISTS {} WITH (FORCE)", home)
        valkey.ask(state["ports"]["valkey"], f"SELECT {home.number}\r\nFLUSHDB")
        move_out(layout, stage)
    return not homes(layout) and stop(state_dir)


def stop(state_dir: str | Path | None) -> bool:
    """Stops the emulator; False when none runs. What is deployed comes back with the next start."""
    return background.stop(layout_at(state_dir), STOP_SECONDS)


def _administer(layout: Layout, statement: str, home: Home) -> None:
    """Does something with the stage's database; `{}` is its name. Raises CannotStart, DuplicateDatabase."""
    state = layout.running_state() or {"ports": {"postgres": 0}}
    try:
        with psycopg.connect(postgres.dsn(state["ports"]["postgres"], "postgres"), autocommit=True) as admin:
            admin.execute(sql.SQL(statement).format(sql.Identifier(home.database)))
    except psycopg.OperationalError as error:
        raise CannotStart(f"The emulator's PostgreSQL does not answer; see {layout.logs}.") from error
