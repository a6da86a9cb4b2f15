"""Reads the log groups of functions from CloudWatch Logs. It must not know what a line says.

Raises botocore's errors as they are; a function that has never run has no group yet, and no lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from infra.logs.tail import Event


def read(logs: Any, groups: Mapping[str, str], since_ms: int, text: str | None = None) -> Iterator[Event]:
    """Every event from `since_ms` on (Unix, milliseconds) that contains `text`, page by page.

    `logs` is a boto3 client, `groups` the log group of each function. CloudWatch leaves out lines without
    `text` by itself; emulators read patterns more loosely, hence the second look.
    """
    for function, group in groups.items():
        alike: Counter[str] = Counter()
        for event in _events(logs, group, since_ms, text):
            if text is None or text in event["message"]:
                found = event.get("eventId") or _made_up(event, alike)
                yield Event(id=found, function=function, at_ms=event["timestamp"], text=event["message"])


def _events(logs: Any, group: str, since_ms: int, text: str | None) -> Iterator[dict[str, Any]]:
    asked: dict[str, Any] = {"logGroupName": group, "startTime": since_ms}
    if text is not None:
        asked["filterPattern"] = phrase(text)
    try:
        for page in logs.get_paginator("filter_log_events").paginate(**asked):
            yield from page["events"]
    except logs.exceptions.ResourceNotFoundException:
        return


def _made_up(event: dict[str, Any], alike: Counter[str]) -> str:
    """An id where an emulator gives none; the same in every answer, which has all of a moment or nothing."""
    about = f"{event.get('logStreamName')} {event['timestamp']} {event['message']}"
    alike[about] += 1
    return f"{about} {alike[about]}"


def phrase(text: str) -> str:
    """The filter pattern for lines that contain `text` as it is: in quotes, its own quotes escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
