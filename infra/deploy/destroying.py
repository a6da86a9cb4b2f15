"""Takes a stage down: the service, then the foundation; says what stays, and why it refuses.

It empties nothing and deletes nothing by itself: CloudFormation does, by what the templates say.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from infra.deploy import states
from infra.deploy.account import Account
from infra.deploy.bring import Manner, remove
from infra.deploy.faults import Fault
from infra.deploy.names import APPLICATION, ARTIFACTS, Names
from infra.deploy.reasons import UNPROTECT
from infra.deploy.stacks import Look, Stacks


@dataclass(frozen=True)
class Leftovers:
    """What is still there afterwards: snapshots by their names, and resources that the template retains."""

    snapshots: tuple[str, ...] = ()
    retained: tuple[str, ...] = ()


def refusal(stage: str, looks: Iterable[Look], *, protected: bool) -> str | None:
    """Why the stage must not be destroyed: its settings, or a stack's own protection; None when it may."""
    if protected:
        return f"Stage {stage} is protected. {UNPROTECT}"
    shielded = [look.name for look in looks if look.protected]
    if shielded:
        return f"{' and '.join(shielded)} has termination protection. {UNPROTECT}"
    return None


def stacks_of(account: Account, stage: str) -> list[Look]:
    """The stage's stacks that are there, in the order in which they go. Raises Fault when one is changing."""
    stacks, names = Stacks(account), Names(stage)
    looks = [look for name in (names.service, names.foundation) if (look := stacks.look(name))]
    for look in looks:
        busy = look.status.endswith("_IN_PROGRESS") and look.status != "REVIEW_IN_PROGRESS"
        if busy:
            raise Fault(states.advice(look.name, look.status))
    return looks


def destroy(account: Account, looks: Iterable[Look], manner: Manner) -> Leftovers:
    """Deletes the stacks one after the other, and says what stays. Raises Failed with what holds one."""
    stacks = Stacks(account)
    snapshots: list[str] = []
    retained: list[str] = []
    for look in looks:
        kept = list(stacks.resources(look.name))
        manner.tell(f"{look.name}: deleting {len(kept)} resources")
        remove(stacks, look, manner)
        # Asked by its id: a deleted stack has lost its name.
        events = stacks.events(look.stack_id)
        retained += [_named(each) for each in events if _stays(each)]
        snapshots += snapshots_of(account, kept)
    return Leftovers(tuple(snapshots), tuple(retained))


def remaining_stages(account: Account) -> list[str]:
    """The stages of the account and region that still have a stack."""
    found = set()
    for end in ("-foundation", "-service"):
        names = Stacks(account).named(f"{APPLICATION}-", end)
        found |= {name.removeprefix(f"{APPLICATION}-").removesuffix(end) for name in names}
    return sorted(found)


def destroy_artifacts(account: Account, manner: Manner) -> str | None:
    """Deletes the stack of artifacts; returns its bucket, which stays. Raises Fault while a stage is left."""
    if left := remaining_stages(account):
        raise Fault(f"{ARTIFACTS} stays: stage {', '.join(left)} is deployed from it.")
    stacks = Stacks(account)
    look = stacks.look(ARTIFACTS)
    if look is None:
        return None
    if look.protected:
        stacks.protect(ARTIFACTS, on=False)
    remove(stacks, look, manner)
    return look.outputs.get("ArtifactBucket")


def logs_left(account: Account, stage: str) -> list[str]:
    """The log groups of the stage's functions that no stack has deleted: made by hand, or by Lambda."""
    logs, names = account.client("logs"), Names(stage)
    wanted = {names.log_group(function) for function in names.functions}
    pages = logs.get_paginator("describe_log_groups").paginate(
        logGroupNamePrefix=names.log_group(names.prefix)
    )
    found = {group["logGroupName"] for page in pages for group in page["logGroups"]}
    return sorted(found & wanted)


def _stays(event: dict[str, Any]) -> bool:
    """Whether a resource was left alone; a version of a function goes with its function all the same."""
    skipped = event["ResourceStatus"] == "DELETE_SKIPPED"
    return skipped and event.get("ResourceType") != "AWS::Lambda::Version"


def _named(event: dict[str, Any]) -> str:
    return f"{event['ResourceType']} {event.get('PhysicalResourceId') or event['LogicalResourceId']}"


def snapshots_of(account: Account, resources: Iterable[dict[str, Any]]) -> list[str]:
    """The snapshots of the stack's clusters, newest last; only AWS makes any."""
    clusters = [
        each["PhysicalResourceId"] for each in resources if each["ResourceType"] == "AWS::RDS::DBCluster"
    ]
    if account.target != "aws" or not clusters:
        return []
    rds = account.client("rds")
    found: list[dict[str, Any]] = []
    for cluster in clusters:
        found += rds.describe_db_cluster_snapshots(DBClusterIdentifier=cluster, SnapshotType="manual")[
            "DBClusterSnapshots"
        ]
    return [
        each["DBClusterSnapshotIdentifier"]
        for each in sorted(found, key=lambda each: str(each.get("SnapshotCreateTime")))
    ]
