"""`status`: every part of the running stack with its process and its address; or a deployed stage.

With --stage: its stacks, the version of each function that traffic goes to, and what waits in its queues.
"""

from __future__ import annotations

import json
from typing import Any

import click
import msgspec
import psutil

from infra.deploy.at_stage import account_at, at_stage_if_given, told
from infra.deploy.standing import as_text, not_deployed, standing
from infra.deploy.steps import TargetKind
from infra.local.layout import Layout

PARTS = ("http", "worker", "postgres", "valkey", "sqs", "cloudwatch", "schedule")


@click.command(help=__doc__)
@at_stage_if_given
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(  # noqa: PLR0913 - an option each
    stage: str | None,
    target: TargetKind,
    region: str | None,
    profile: str | None,
    state_dir: str | None,
    *,
    as_json: bool,
) -> None:
    """Exits with 1 and a sentence when nothing runs."""
    if stage:
        with told(target):
            found = standing(account_at(target, stage, region, profile, state_dir), stage)
        if not any(each.status for each in found.stacks):
            raise click.ClickException(not_deployed(stage, target))
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode() if as_json else as_text(found))
        return
    _local(state_dir, as_json=as_json)


def _local(state_dir: str | None, *, as_json: bool) -> None:
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
