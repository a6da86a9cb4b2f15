"""`status`: every part of the running stack with its process and its address."""

from __future__ import annotations

import json
from typing import Any

import click
import psutil

from infra.local.layout import Layout

PARTS = ("http", "worker", "postgres", "valkey", "sqs", "cloudwatch", "schedule")


@click.command(help=__doc__)
@click.option("--state-dir", envvar="STATE_DIR", help="The state directory that `up` was given.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(state_dir: str | None, *, as_json: bool) -> None:
    """Exits with 1 and a sentence when nothing runs."""
    layout = Layout.at(state_dir)
    found = layout.running_state()
    if found is None:
        raise click.ClickException(f"Nothing runs in {layout.root}. Start it with `make up`.")
    parts = {name: found[name] for name in PARTS}
    parts["http"]["pids"] = _with_children(parts["http"]["pids"])
    click.echo(json.dumps(parts, indent=2) if as_json else _table(parts))


def _with_children(pids: list[int]) -> list[int]:
    family = list(pids)
    for pid in pids:
        try:
            family += [child.pid for child in psutil.Process(pid).children()]
        except psutil.NoSuchProcess:
            family.remove(pid)
    return family


def _table(parts: dict[str, Any]) -> str:
    lines = []
    for name, facts in parts.items():
        pids = facts.get("pids") or [facts.get("pid") or "not ours"]
        address = facts.get("url") or facts.get("dsn") or facts.get("queueUrl") or ""
        lines.append(f"{name:<12}{' '.join(map(str, pids)):<24}{address}")
    return "\n".join(lines)
