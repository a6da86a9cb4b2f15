"""Reads the dashboard and the alarms that AWS is given, and fills in what is filled in there on deployment.

Strict: a key that is not known here would be one that is silently not obeyed here. Evaluates nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from infra.local.cloudwatch.metric import Metric, metric
from infra.local.layout import CHECKOUT

FOLDER = CHECKOUT / "infra" / "cloudwatch"
REGION, ACCOUNT = "us-east-1", "000000000000"

Comparison = Literal[
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
]
Missing = Literal["missing", "ignore", "breaching", "notBreaching"]


class Dimension(msgspec.Struct, frozen=True, rename="pascal", forbid_unknown_fields=True):
    """One dimension of a metric."""

    name: str
    value: str


class MetricAlarm(msgspec.Struct, frozen=True, rename="pascal", forbid_unknown_fields=True, kw_only=True):
    """An alarm on one statistic of one metric, named as CloudFormation names its properties."""

    alarm_name: str
    alarm_description: str
    namespace: str
    metric_name: str
    dimensions: list[Dimension]
    period: int
    evaluation_periods: int
    datapoints_to_alarm: int
    threshold: float
    comparison_operator: Comparison
    treat_missing_data: Missing
    statistic: str = ""
    extended_statistic: str = ""

    @property
    def chosen(self) -> str:
        """The statistic, plain or a percentile."""
        return self.statistic or self.extended_statistic

    @property
    def metric(self) -> Metric:
        """What it looks at."""
        return metric(self.namespace, self.metric_name, {each.name: each.value for each in self.dimensions})


class CompositeAlarm(msgspec.Struct, frozen=True, rename="pascal", forbid_unknown_fields=True, kw_only=True):
    """An alarm on other alarms."""

    alarm_name: str
    alarm_description: str
    alarm_rule: str


class _Plain(msgspec.Struct, frozen=True, rename="pascal", tag_field="Type", tag="AWS::CloudWatch::Alarm"):
    properties: MetricAlarm


class _Composite(
    msgspec.Struct, frozen=True, rename="pascal", tag_field="Type", tag="AWS::CloudWatch::CompositeAlarm"
):
    properties: CompositeAlarm


def alarms(stage: str, folder: Path = FOLDER) -> list[MetricAlarm | CompositeAlarm]:
    """Every alarm, as the stage `stage` has it. Raises ValidationError for one that is not as it must be."""
    text = _substituted((folder / "alarms.json").read_text(), stage)
    found = msgspec.json.decode(text, type=dict[str, _Plain | _Composite])
    return [each.properties for each in found.values()]


def dashboard(stage: str, folder: Path = FOLDER) -> str:
    """The dashboard's body, JSON text, as the stage has it."""
    return _substituted((folder / "dashboard.json").read_text(), stage)


def alarm_arn(name: str) -> str:
    """How other parts of AWS name an alarm."""
    return f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"


def _substituted(text: str, stage: str) -> str:
    values = {"Stage": stage, "AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::Partition": "aws"}
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    return text
