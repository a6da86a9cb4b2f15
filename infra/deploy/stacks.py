"""One stack of an account: how it is, a change set for it, and its way to the end.

Knows CloudFormation's calls, not what is deployed by them. Every call may raise botocore's exceptions.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from infra.deploy.account import Account
from infra.deploy.states import GONE, is_final

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_BEGIN_SECONDS = 30.0
"""After so long without an event nothing will begin any more, and the status is what it is."""
_NOTHING_NEW = ("didn't contain changes", "No updates are to be performed")
"""How an empty change set fails: of plain templates, and of those with a transform; or is not even made."""


@dataclass(frozen=True)
class Look:
    """A stack as it is now."""

    name: str
    stack_id: str
    status: str
    reason: str
    protected: bool
    outputs: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    changed_at: str = ""


@dataclass(frozen=True)
class ChangeSet:
    """What a change set would do; `empty` when that is nothing, `failure` when it cannot be said.

    `arn` is empty where CloudFormation did not even keep it.
    """

    arn: str
    stack: str
    changes: tuple[dict[str, Any], ...]
    empty: bool
    failure: str = ""


class Stacks:
    """The stacks of one account and region."""

    def __init__(self, account: Account) -> None:
        """Makes the client; calls nobody."""
        self._cloudformation = account.client("cloudformation")
        self._every = account.poll_seconds

    def look(self, name: str) -> Look | None:
        """The stack of that name or id; None when there is none, or it is deleted."""
        try:
            found = self._cloudformation.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return _look(found[0]) if found and found[0]["StackStatus"] not in GONE else None

    def events(self, name: str, known: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
        """Its events, newest first, down to the first whose id is `known`."""
        pages = self._cloudformation.get_paginator("describe_stack_events").paginate(StackName=name)
        found: list[dict[str, Any]] = []
        for page in pages:
            for event in page["StackEvents"]:
                if event["EventId"] in known:
                    return found
                found.append(event)
        return found

    def refusals(self, name: str, change_set: str = "") -> list[dict[str, Any]]:
        """What CloudFormation found invalid before it began, by the stack or by one of its change sets."""
        of = {"ChangeSetName": change_set} if change_set else {}
        answer = self._cloudformation.describe_events(StackName=name, Filters={"FailedEvents": True}, **of)
        found: list[dict[str, Any]] = answer["OperationEvents"]
        return found

    def template(self, name: str) -> str:
        """The template as it was given, before any transform."""
        body = self._cloudformation.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
        return body if isinstance(body, str) else json.dumps(body)

    def prepare(
        self,
        name: str,
        *,
        create: bool,
        template: dict[str, str],
        parameters: dict[str, str],
        tags: dict[str, str],
    ) -> ChangeSet:
        """Makes a change set, and waits until it says what it would do. `template`: TemplateBody or -URL."""
        try:
            made = self._cloudformation.create_change_set(
                StackName=name,
                ChangeSetName=f"deploy-{uuid4().hex}",
                ChangeSetType="CREATE" if create else "UPDATE",
                Capabilities=CAPABILITIES,
                Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
                Tags=[{"Key": k, "Value": v} for k, v in tags.items()],
                **template,
            )
        except ClientError as error:
            if _is_nothing_new(str(error)):
                return ChangeSet("", name, (), empty=True)
            raise
        while True:
            found = self._cloudformation.describe_change_set(ChangeSetName=made["Id"], StackName=name)
            if found["Status"] not in {"CREATE_PENDING", "CREATE_IN_PROGRESS"}:
                break
            time.sleep(self._every)
        return self._read(name, made["Id"], found)

    def execute(self, change_set: ChangeSet) -> None:
        """Starts what the change set says."""
        self._cloudformation.execute_change_set(ChangeSetName=change_set.arn, StackName=change_set.stack)

    def drop(self, change_set: ChangeSet) -> None:
        """Deletes a change set that will not be executed."""
        if change_set.arn:
            self._cloudformation.delete_change_set(ChangeSetName=change_set.arn, StackName=change_set.stack)

    def follow(
        self, stack_id: str, known: frozenset[str], tell: Callable[[dict[str, Any]], None]
    ) -> tuple[str, list[dict[str, Any]]]:
        """Tells each event that is not `known`, oldest first, until what was begun has ended.

        Returns the stack's status and those events, newest first.
        """
        seen: list[dict[str, Any]] = []
        patience = time.monotonic() + _BEGIN_SECONDS
        while True:
            # A status from before the first event may be the old one, which was final, too.
            begun = bool(seen) or time.monotonic() > patience
            # The look goes first: what it calls final has all its events.
            status = self._status(stack_id)
            new = self.events(stack_id, known | {each["EventId"] for each in seen[:1]})
            for event in reversed(new):
                tell(event)
            seen = [*new, *seen]
            if is_final(status) and (begun or status in GONE):
                return status, seen
            time.sleep(self._every)

    def settle(self, stack_id: str, seconds: float) -> None:
        """Waits until nobody changes the stack any more, or `seconds` are over."""
        until = time.monotonic() + seconds
        while not is_final(self._status(stack_id)) and time.monotonic() < until:
            time.sleep(self._every)

    def delete(self, stack_id: str) -> None:
        """Starts the deletion of a stack."""
        self._cloudformation.delete_stack(StackName=stack_id)

    def protect(self, name: str, *, on: bool) -> None:
        """Switches termination protection."""
        self._cloudformation.update_termination_protection(StackName=name, EnableTerminationProtection=on)

    def resources(self, name: str) -> Iterator[dict[str, Any]]:
        """What the stack is made of: logical id, physical id, type and status of each."""
        pages = self._cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
        for page in pages:
            yield from page["StackResourceSummaries"]

    def named(self, prefix: str, suffix: str) -> list[str]:
        """The names of stacks that are there and have this beginning and end."""
        pages = self._cloudformation.get_paginator("list_stacks").paginate()
        summaries = (each for page in pages for each in page["StackSummaries"])
        names = (each["StackName"] for each in summaries if each["StackStatus"] not in GONE)
        return sorted({name for name in names if name.startswith(prefix) and name.endswith(suffix)})

    def _status(self, stack_id: str) -> str:
        try:
            return str(self._cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"])
        except ClientError as error:
            if "does not exist" in str(error):
                return "DELETE_COMPLETE"
            raise

    def _read(self, name: str, arn: str, found: dict[str, Any]) -> ChangeSet:
        if found["Status"] == "CREATE_COMPLETE":
            return ChangeSet(arn, name, tuple(self._all_changes(name, arn, found)), empty=False)
        reason = str(found.get("StatusReason") or found["Status"])
        return ChangeSet(arn, name, (), _is_nothing_new(reason), reason)

    def _all_changes(self, name: str, arn: str, page: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield from page.get("Changes", [])
        while token := page.get("NextToken"):
            page = self._cloudformation.describe_change_set(
                ChangeSetName=arn, StackName=name, NextToken=token
            )
            yield from page.get("Changes", [])


def _is_nothing_new(said: str) -> bool:
    return any(each in said for each in _NOTHING_NEW)


def _look(found: dict[str, Any]) -> Look:
    return Look(
        found["StackName"],
        found["StackId"],
        found["StackStatus"],
        found.get("StackStatusReason") or "",
        bool(found.get("EnableTerminationProtection")),
        {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs") or ()},
        {each["ParameterKey"]: each.get("ParameterValue", "") for each in found.get("Parameters") or ()},
        str(found.get("LastUpdatedTime") or found.get("CreationTime") or ""),
    )
