"""What a line of the log says, whoever wrote it: the service, Python, or Lambda around them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from chalicelib.log import about, log
from chalicelib.metrics import emit
from infra.logs.lines import Line, line_of
from infra.logs.words import as_json, shown

AT_MS = 1_795_809_600_000


def read(raw: str) -> Line:
    return line_of("onsale-demo", AT_MS, raw)


@pytest.fixture
def written(capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[[], Line]]:
    """What the service has written last, as it is read."""
    about()
    yield lambda: read(capfd.readouterr().out)
    about()


def test_a_line_of_the_service_has_its_own_time_level_event_and_facts(written: Callable[[], Line]) -> None:
    before = datetime.now(UTC)
    log("bug", "error", orderId="o-1", attempts=3)
    line = written()
    assert (line.level, line.message, line.facts) == ("error", "bug", {"orderId": "o-1", "attempts": 3})
    assert before <= line.at <= datetime.now(UTC)
    assert not line.noise


def test_metrics_that_ride_on_a_line_are_not_among_its_facts(written: Callable[[], Line]) -> None:
    emit("order-accepted", {"Accepted": 1, "AcceptLatency": 4.2}, fields={"orderId": "o-1"}, event_id=7)
    line = written()
    assert line.facts == {"orderId": "o-1"}
    assert not line.noise


def test_a_line_of_nothing_but_metrics_is_noise(written: Callable[[], Line]) -> None:
    emit("watched", {"QueueDepth": 4})
    assert written().noise
    emit("order-refused", {"Refused": 1}, fields={"eventId": 7, "code": "sold-out"}, event_id=7)
    assert written().noise


def test_a_grave_line_is_never_noise(written: Callable[[], Line]) -> None:
    emit("not-now", {"Unavailable": 1}, "warning", {"code": "unavailable"})
    assert not written().noise


@pytest.mark.parametrize(
    "raw",
    [
        "START RequestId: 1b-2 Version: 7",
        "END RequestId: 1b-2",
        "REPORT RequestId: 1b-2\tDuration: 12.00 ms\tBilled Duration: 13 ms\tMemory Size: 1024 MB",
        "INIT_START Runtime Version: python:3.12.v1",
        '{"time":"2026-11-28T20:00:00Z","type":"platform.report","record":{"status":"success"}}',
    ],
)
def test_what_lambda_says_around_a_call_is_noise(raw: str) -> None:
    assert read(raw).noise


@pytest.mark.parametrize(
    "raw",
    [
        "2026-11-28T20:00:00.000Z 1b-2 Task timed out after 15.00 seconds",
        "REPORT RequestId: 1b-2\tDuration: 15000.00 ms\tStatus: timeout",
        "[ERROR] KeyError: 'x'\nTraceback (most recent call last):\n  File ...",
        '{"time":"2026-11-28T20:00:00Z","type":"platform.report","record":{"status":"timeout"}}',
        '{"errorMessage":"x","errorType":"KeyError","stackTrace":[]}',
    ],
)
def test_a_call_that_failed_is_an_error_and_shown(raw: str) -> None:
    line = read(raw)
    assert line.level == "error"
    assert not line.noise


@pytest.mark.parametrize("raw", ["", "{", "[1]", "null", '{"time": 3}', '{"level":null}', "hello", "{}"])
def test_whatever_is_printed_is_a_line(raw: str) -> None:
    assert read(raw).at == datetime.fromtimestamp(AT_MS / 1_000, UTC)
    assert json.loads(as_json(read(raw)))["function"] == "onsale-demo"


def test_a_shown_line_begins_with_time_function_and_level() -> None:
    raw = (
        '{"time":"2026-11-28T20:00:00.123456Z","level":"info","event":"order-accepted","orderId":"o-1","n":2}'
    )
    text = shown(read(raw), {"onsale-demo": "door"}, 6).plain
    assert text == "20:00:00.123  door    info     order-accepted  orderId=o-1  n=2"
