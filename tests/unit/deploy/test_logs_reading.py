"""Reading CloudWatch Logs (moto's), and what may be said for a time, a function, a text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from click.testing import CliRunner
from moto import mock_aws

from infra.commands.logs import logs as verb
from infra.logs.reading import phrase, read
from infra.logs.words import chosen, moment

NOW = datetime.now(UTC)
GROUPS = {"onsale-demo": "/aws/lambda/onsale-demo", "onsale-demo-fulfil": "/aws/lambda/onsale-demo-fulfil"}
KNOWN = {"door": "onsale-demo", "fulfil": "onsale-demo-fulfil"}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield boto3.client("logs", region_name="us-east-1")


def write(client: Any, function: str, *texts: str, ago_seconds: int = 5) -> None:
    group = f"/aws/lambda/{function}"
    stream = f"{function}-{ago_seconds}-{len(texts)}"
    if not client.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        client.create_log_group(logGroupName=group)
    client.create_log_stream(logGroupName=group, logStreamName=stream)
    at_ms = int((datetime.now(UTC) - timedelta(seconds=ago_seconds)).timestamp() * 1_000)
    client.put_log_events(
        logGroupName=group,
        logStreamName=stream,
        logEvents=[{"timestamp": at_ms + n, "message": text} for n, text in enumerate(texts)],
    )


def texts(client: Any, since: timedelta, text: str | None = None) -> list[str]:
    since_ms = int((datetime.now(UTC) - since).timestamp() * 1_000)
    return [event.text for event in read(client, GROUPS, since_ms, text)]


def test_every_function_is_read_from_the_given_time_on(client: Any) -> None:
    write(client, "onsale-demo", "a", "b")
    write(client, "onsale-demo-fulfil", "c")
    write(client, "onsale-demo", "old", ago_seconds=600)
    assert texts(client, timedelta(minutes=1)) == ["a", "b", "c"]


def test_a_log_longer_than_a_page_is_read_whole(client: Any) -> None:
    write(client, "onsale-demo", *(str(n) for n in range(10_001)))
    assert len(texts(client, timedelta(minutes=1))) == 10_001


def test_a_function_that_never_ran_has_no_lines(client: Any) -> None:
    assert texts(client, timedelta(minutes=1)) == []


def test_only_lines_that_contain_the_text_are_read(client: Any) -> None:
    write(client, "onsale-demo", "order o-1 accepted", "order o-2 accepted")
    assert texts(client, timedelta(minutes=1), "o-1") == ["order o-1 accepted"]


def test_a_text_is_quoted_for_the_filter_as_it_is() -> None:
    assert phrase('a "b" \\') == '"a \\"b\\" \\\\"'


@pytest.mark.parametrize(
    ("said", "ago"),
    [
        ("90s", timedelta(seconds=90)),
        ("10m", timedelta(minutes=10)),
        ("2h", timedelta(hours=2)),
        ("1d", timedelta(1)),
    ],
)
def test_a_time_may_be_said_as_so_long_ago(said: str, ago: timedelta) -> None:
    assert moment(said, NOW) == NOW - ago


def test_a_time_may_be_said_with_its_zone() -> None:
    assert moment("2026-11-28T21:00:00+01:00", NOW) == datetime(2026, 11, 28, 20, tzinfo=UTC)


@pytest.mark.parametrize("said", ["", "soon", "10", "-5m", "2026-11-28T21:00:00", "9999999m"])
def test_what_is_no_time_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match=r"time|isoformat|month|year|hour|string"):
        moment(said, NOW)


def test_a_function_may_be_said_by_its_short_or_its_own_name() -> None:
    assert chosen("door", KNOWN) == chosen("onsale-demo", KNOWN) == ("onsale-demo",)
    assert chosen("all", KNOWN) == ("onsale-demo", "onsale-demo-fulfil")
    with pytest.raises(KeyError):
        chosen("window", KNOWN)


def said(*words: str) -> str:
    answer = CliRunner().invoke(verb, ["--stage", "demo", *words])
    assert answer.exit_code == 0, answer.output
    return answer.output


LINE = '{"time":"2026-11-28T20:00:00Z","level":"info","event":"order-accepted","orderId":"o-1"}'


def test_the_verb_shows_lines_and_hides_noise(client: Any) -> None:
    write(client, "onsale-demo", "START RequestId: x Version: 1", LINE, "END RequestId: x")
    assert said() == "20:00:00.000  door       info     order-accepted  orderId=o-1\n"
    assert said("--raw").splitlines()[0] == "START RequestId: x Version: 1"
    assert json.loads(said("door", "--json"))["orderId"] == "o-1"
    assert said("fulfil") == ""


def test_an_unknown_function_is_answered_with_the_known_ones() -> None:
    answer = CliRunner().invoke(verb, ["--stage", "demo", "window"])
    assert answer.exit_code == 2
    assert "there are door, fulfil, reconcile, expire, watch, migrate, and all" in " ".join(
        answer.output.split()
    )


def test_credentials_that_are_missing_are_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    answer = CliRunner().invoke(verb, ["--stage", "demo", "--region", "us-east-1"])
    assert answer.exit_code == 1
    assert answer.output.startswith("Error: There are no credentials for AWS.")
