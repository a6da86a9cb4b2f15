"""How each function starts from the zip alone: at all, in time, and without what it does not need."""

from __future__ import annotations

import site
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any

import pytest

from chalicelib.queue.client import QueueClient
from infra.package.cold_start import DidNotStart, measure, started
from infra.package.starts import SETTINGS, STARTS, batch, call
from tests.support.sqs import fresh_queue, sqs_server
from tests.support.valkey import valkey_server

pytestmark = [pytest.mark.slow, pytest.mark.deploy]

DOOR = STARTS["door"]
DRIVERS = ("psycopg", "boto3", "botocore", "aws_lambda_powertools", "instaui_echarts", "chalice.local")
NAIVE = """
import sys
sys.path[:0] = {site}
import app, boto3, jwt, psycopg, valkey
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler.openapi import models
boto3.client("sqs", region_name="us-east-1")
boto3.client("secretsmanager", region_name="us-east-1")
boto3.client("cloudwatch", region_name="us-east-1")
door, services = app.app, app.services
"""
DRAFT = '{"name": "Night", "description": "", "totalTickets": 5}'
ORDER = '{"eventId": 1, "quantity": 1, "userId": "ann"}'


@pytest.fixture
def queue() -> Iterator[QueueClient]:
    with sqs_server() as endpoint:
        client = fresh_queue(endpoint)
        yield client
        client.close()


@pytest.fixture
def real(database: str, queue: QueueClient) -> Iterator[dict[str, str]]:
    """Settings of real servers, Valkey a cluster as on AWS."""
    keys = {name: SETTINGS[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    with valkey_server(cluster=True) as valkey:
        yield {"DATABASE_URL": database, "VALKEY_URL": valkey, "ORDER_QUEUE_URL": queue.queue_url, **keys}


def first(task: Path, settings: dict[str, str], function: str, *events: dict[str, Any]) -> dict[str, Any]:
    """A cold start that does nothing but serve the events."""
    return started(task, replace(STARTS[function], events=events, parts=(), modules=()), settings)


def received(queue: QueueClient) -> str:
    """The body of the message that waits."""
    answer = queue.call("ReceiveMessage", {"MaxNumberOfMessages": 1, "WaitTimeSeconds": 5})
    body: str = answer["Messages"][0]["Body"]
    return body


@pytest.mark.parametrize("function", STARTS)
def test_a_function_starts_in_time_with_all_that_its_first_calls_import(task: Path, function: str) -> None:
    found = measure(task, function, STARTS[function])
    assert found.is_within, found
    assert 0 < found.ready_ms < found.first_ms


def test_control_naive_imports_are_too_slow_for_the_door(task: Path, tmp_path: Path) -> None:
    copytree(task, tmp_path / "task")
    (tmp_path / "task" / "naive.py").write_text(NAIVE.format(site=site.getsitepackages()))
    naive = measure(tmp_path / "task", "naive", replace(DOOR, handler="naive.door"), times=2)
    assert not naive.is_within, naive
    assert "botocore" in list(naive.heaviest)[:5]


def test_the_door_is_measured_on_health_and_on_an_order_that_needs_the_issuers_keys(task: Path) -> None:
    health, order = started(task, DOOR)["answers"]
    assert health["statusCode"] == 200
    assert order["statusCode"] == 503


@pytest.mark.parametrize("function", STARTS)
def test_no_function_imports_what_only_another_needs(task: Path, function: str) -> None:
    needless = DRIVERS if function == "door" else DRIVERS[1:]
    assert not set(started(task, STARTS[function])["modules"]) & set(needless)


def test_a_first_order_on_real_servers_imports_nothing_that_was_not_measured(
    task: Path, real: dict[str, str], queue: QueueClient
) -> None:
    sold = first(task, real, "door", call("POST", "/events", DRAFT), call("POST", "/orders", ORDER))
    assert [answer["statusCode"] for answer in sold["answers"]] == [201, 202]
    order = first(task, real, "door", call("GET", "/health"), call("POST", "/orders", ORDER))
    assert [answer["statusCode"] for answer in order["answers"]] == [200, 202]
    assert set(order["modules"]) - set(started(task, DOOR)["modules"]) == set()
    done = first(task, real, "fulfil", batch(received(queue)))
    assert done["answers"] == [{"batchItemFailures": []}]
    assert set(done["modules"]) - set(started(task, STARTS["fulfil"])["modules"]) == set()


def test_control_a_module_that_was_not_measured_is_seen(task: Path) -> None:
    without = replace(DOOR, modules=(), parts=())
    assert "valkey.cluster" not in started(task, without)["modules"]
    assert "valkey.cluster" in started(task, DOOR)["modules"]


@pytest.mark.parametrize("package", ["chalice", "jwt", "msgspec", "valkey"])
def test_control_a_package_that_is_missing_is_noticed(task: Path, tmp_path: Path, package: str) -> None:
    copytree(task, tmp_path / "task")
    rmtree(tmp_path / "task" / package)
    with pytest.raises(DidNotStart, match=f"No module named '{package}'"):
        started(tmp_path / "task", DOOR)
