"""An alias's schedule, kept by Application Auto Scaling. It must not know why; botocore's errors pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.prewarm.agendas import AT, moment
from infra.prewarm.windows import PREFIX, Action


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
                at=moment(each["Schedule"]),
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
            Schedule=AT.format(action.at),
            ScalableTargetAction={"MinCapacity": action.amount, "MaxCapacity": action.amount},
        )

    def delete(self, name: str) -> None:
        """Removes the action of this name."""
        self._client.delete_scheduled_action(**self._where, ScheduledActionName=name)
