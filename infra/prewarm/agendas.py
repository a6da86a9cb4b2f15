"""Schedules that AWS keeps: of Application Auto Scaling for an alias, of EventBridge Scheduler for a store.

Both run with nobody's terminal open. They must not know why anything is raised; botocore's errors pass.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from infra.prewarm.windows import PREFIX, Action, Changes

_AT = "at({:%Y-%m-%dT%H:%M:%S})"


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


class Scaling:
    """Of an alias' provisioned concurrency: Application Auto Scaling sets minimum and maximum alike.

    Zero is allowed for both, and removes it (botocore's model of RegisterScalableTarget).
    """

    def __init__(self, client: Any, function: str, alias: str) -> None:
        """`client` is boto3's of application-autoscaling."""
        self._client = client
        self._where = {
            "ServiceNamespace": "lambda",
            "ResourceId": f"function:{function}:{alias}",
            "ScalableDimension": "lambda:function:ProvisionedConcurrency",
        }

    def register(self, most: int) -> None:
        """Makes the alias scalable up to `most`, without changing what it has within that."""
        self._client.register_scalable_target(**self._where, MinCapacity=0, MaxCapacity=most)

    def deregister(self) -> None:
        """Forgets the alias and every action of it. What is provisioned stays: lower that first."""
        known = self._client.describe_scalable_targets(
            ServiceNamespace="lambda", ResourceIds=[self._where["ResourceId"]]
        )
        if known["ScalableTargets"]:
            self._client.deregister_scalable_target(**self._where)

    def there(self) -> Mapping[str, Action]:
        """Every action of ours."""
        pages = self._client.get_paginator("describe_scheduled_actions").paginate(**self._where)
        found = (each for page in pages for each in page["ScheduledActions"])
        return {
            each["ScheduledActionName"]: Action(
                name=each["ScheduledActionName"],
                at=_moment(each["Schedule"]),
                amount=each["ScalableTargetAction"]["MaxCapacity"],
            )
            for each in found
            if each["ScheduledActionName"].startswith(f"{PREFIX}-")
        }

    def put(self, action: Action) -> None:
        """Adds the action, or replaces that of the same name."""
        self._client.put_scheduled_action(
            **self._where,
            ScheduledActionName=action.name,
            Schedule=_AT.format(action.at),
            ScalableTargetAction={"MinCapacity": action.amount, "MaxCapacity": action.amount},
        )

    def delete(self, name: str) -> None:
        """Removes the action of this name."""
        self._client.delete_scheduled_action(**self._where, ScheduledActionName=name)


class Scheduler:
    """Of anything that one call of AWS sets: EventBridge Scheduler makes the call, once, and forgets it."""

    def __init__(
        self, client: Any, prefix: str, role: str, call: str, given: Callable[[int], dict[str, Any]]
    ) -> None:
        """`client` is boto3's of scheduler; `prefix` begins the names here, of up to 40 letters.

        `role` is the ARN of who makes the `call` (as `elasticache:modifyServerlessCache`), and `given` what
        it is given for an amount.
        """
        self._client, self._prefix, self._given = client, prefix, given
        self._target = {"Arn": f"arn:aws:scheduler:::aws-sdk:{call}", "RoleArn": role}

    def register(self, most: int) -> None:
        """Nothing: Scheduler asks for no registration."""

    def deregister(self) -> None:
        """Nothing, likewise."""

    def there(self) -> Mapping[str, Action]:
        """Every action of ours; its name and amount are in the description, since names are short here."""
        pages = self._client.get_paginator("list_schedules").paginate(NamePrefix=f"{self._prefix}-")
        names = [each["Name"] for page in pages for each in page["Schedules"]]
        found = [self._client.get_schedule(Name=name) for name in names]
        told = [(each, each.get("Description", "").rpartition(" ")) for each in found]
        return {
            name: Action(name=name, at=_moment(each["ScheduleExpression"]), amount=int(amount))
            for each, (name, _, amount) in told
            if name.startswith(f"{PREFIX}-")
        }

    def put(self, action: Action) -> None:
        """Adds the action, or replaces that of the same name."""
        asked = {
            "Name": self._short(action.name),
            "Description": f"{action.name} {action.amount}",
            "ScheduleExpression": _AT.format(action.at),
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "Target": {**self._target, "Input": json.dumps(self._given(action.amount))},
        }
        try:
            self._client.create_schedule(**asked)
        except self._client.exceptions.ConflictException:
            self._client.update_schedule(**asked)

    def delete(self, name: str) -> None:
        """Removes the action of this name."""
        self._client.delete_schedule(Name=self._short(name))

    def _short(self, name: str) -> str:
        return f"{self._prefix}-{hashlib.sha256(name.encode()).hexdigest()[:20]}"


def apply(agenda: Agenda, to_do: Changes) -> None:
    """Does the changes one by one, in their order: whatever fails, what lowers is there."""
    for action in to_do.put:
        agenda.put(action)
    for name in to_do.delete:
        agenda.delete(name)


def _moment(said: str) -> datetime:
    found = re.fullmatch(r"at\((.+)\)", said)
    if not found:
        raise ValueError(f"not an action of ours: it is scheduled by {said}")
    return datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
