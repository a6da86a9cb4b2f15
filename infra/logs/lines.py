"""What a line of the log says: when, how grave, what happened, and the facts beside it. Pure.

Knows the line as `chalicelib/log.py` writes it, with or without metrics, and what Lambda writes around it.
It must not know where lines are kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

GRAVE = frozenset({"warning", "error", "critical"})
"""Levels that are never noise."""
_TOLD_BY_METRICS = frozenset({"requestId", "eventId", "code"})
"""Facts that do not make a line of metrics worth reading: dashboards tell metrics apart by them."""
_AROUND = re.compile(
    r"(START|END|REPORT|INIT_START|INIT_REPORT|RESTORE_START|RESTORE_REPORT|EXTENSION|XRAY)\b"
)
_FAILED = re.compile(r"Status: (timeout|error|failure)|Task timed out|Error Type: ")
_BAD = frozenset({"timeout", "error", "failure"})


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line. `noise` is what somebody who reads along does not want: Lambda's own, and mere metrics."""

    at: datetime
    level: str
    function: str
    message: str
    facts: Mapping[str, Any]
    noise: bool
    raw: str


def line_of(function: str, at_ms: int, raw: str) -> Line:
    """Reads what CloudWatch Logs kept at `at_ms` (Unix, milliseconds). Any text is a line: never raises."""
    at = datetime.fromtimestamp(at_ms / 1_000, UTC)
    raw = raw.rstrip("\n")
    said = _object(raw)
    if said is None:
        level, message, facts, noise = _text(raw)
    elif str(said.get("type", "")).startswith("platform."):
        level, message, facts, noise = _platform(said)
    else:
        at = _time(said.get("time") or said.get("timestamp")) or at
        level, message, facts, noise = _ours(said)
    return Line(at=at, level=level, function=function, message=message, facts=facts, noise=noise, raw=raw)


_Parts = tuple[str, str, Mapping[str, Any], bool]


def _ours(said: Mapping[str, Any]) -> _Parts:
    """A line of the service; one of Python's logging, or an exception that nobody caught, is read alike."""
    failed = "errorMessage" in said
    level = str(said.get("level") or said.get("log_level") or ("error" if failed else "info")).lower()
    message = said.get("event") or said.get("errorMessage") or said.get("message") or ""
    left_out = {"time", "timestamp", "level", "log_level", "event", "_aws"} | _metric_names(said)
    if not said.get("event"):
        left_out |= {"message", "errorMessage"}
    facts = {name: value for name, value in said.items() if name not in left_out}
    mere = "_aws" in said and level not in GRAVE and not set(facts) - _TOLD_BY_METRICS
    return level, str(message), facts, mere


def _metric_names(said: Mapping[str, Any]) -> set[str]:
    """Metrics and their dimensions, as the embedded metric format declares them."""
    found: set[str] = set()
    about = said.get("_aws")
    for directive in about.get("CloudWatchMetrics", []) if isinstance(about, dict) else []:
        found |= {metric["Name"] for metric in directive.get("Metrics", [])}
        found |= {name for names in directive.get("Dimensions", []) for name in names}
    return found


def _platform(said: Mapping[str, Any]) -> _Parts:
    record = said.get("record")
    facts = record if isinstance(record, dict) else {}
    failed = facts.get("status") in _BAD
    return ("error" if failed else "info"), str(said["type"]), facts, not failed


def _text(raw: str) -> _Parts:
    if _FAILED.search(raw):
        return "error", " ".join(raw.split()), {}, False
    if raw.startswith(("[ERROR]", "[CRITICAL]", "Traceback ")):
        return "error", raw, {}, False
    return ("warning" if raw.startswith("[WARNING]") else "info"), raw, {}, bool(_AROUND.match(raw))


def _object(raw: str) -> dict[str, Any] | None:
    if not raw.startswith("{"):
        return None
    try:
        found = json.loads(raw)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _time(said: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(said))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
