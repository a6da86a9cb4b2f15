"""A store's schedule, kept by EventBridge Scheduler. It must not know why; botocore's errors pass."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from infra.prewarm.agendas import AT, moment
from infra.prewarm.windows import PREFIX, Action


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
            name: Action(name=name, at=moment(each["ScheduleExpression"]), amount=int(amount))
            for each, (name, _, amount) in told
            if name.startswith(f"{PREFIX}-")
        }

    def put(self, action: Action) -> None:
        """Adds the action, or replaces that of the same name."""
        asked = {
            "Name": self._short(action.name),
            "Description": f"{action.name} {action.amount}",
            "ScheduleExpression": AT.format(action.at),
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
