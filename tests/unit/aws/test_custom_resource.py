"""CloudFormation hears the answer where it asked to, or the function fails; nobody else hears it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.aws import custom_resource
from chalicelib.errors import Unavailable
from tests.support.scripted_server import OK, Fault, ScriptedServer, answer

REQUEST = {
    "RequestType": "Update",
    "StackId": "arn:aws:cloudformation:eu-central-1:1:stack/onsale-demo-service/1",
    "RequestId": "r-1",
    "LogicalResourceId": "Migration",
}


def asked(server: ScriptedServer) -> dict[str, Any]:
    return {**REQUEST, "ResponseURL": f"{server.queue_url}?X-Amz-Signature=ab%2Fcd"}


def heard(request: bytes) -> tuple[str, list[str], dict[str, Any]]:
    """The request's first line, its headers' names, and what it says."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *headers = head.decode().split("\r\n")
    return first, [line.partition(":")[0].lower() for line in headers], json.loads(body)


def test_an_answer_is_put_where_it_was_asked_for() -> None:
    with ScriptedServer() as server:
        custom_resource.answer(asked(server), "schema", {"Applied": "0001"})
    first, headers, said = heard(server.requests[0])
    assert first == "PUT /000000000000/orders?X-Amz-Signature=ab%2Fcd HTTP/1.1"
    assert "content-type" not in headers  # the address is signed for none
    assert said == {
        "Status": "SUCCESS",
        "Reason": "",
        "PhysicalResourceId": "schema",
        "StackId": REQUEST["StackId"],
        "RequestId": "r-1",
        "LogicalResourceId": "Migration",
        "Data": {"Applied": "0001"},
    }


def test_a_failure_is_said_with_its_reason_and_fits() -> None:
    with ScriptedServer() as server:
        custom_resource.answer(asked(server), "schema", {}, "no" * 5_000)
    *_, said = heard(server.requests[0])
    assert said["Status"] == "FAILED"
    assert said["Reason"] == "no" * 500
    assert len(server.requests[0]) < 4_096


@pytest.mark.parametrize("step", [answer(503, b""), Fault.CLOSE, Fault.STOP_HALFWAY])
def test_an_answer_that_was_not_taken_is_given_again(step: bytes | Fault) -> None:
    with ScriptedServer([step, OK]) as server:
        custom_resource.answer(asked(server), "schema", {})
    assert len(server.requests) <= 2
    assert heard(server.requests[-1])[2]["Status"] == "SUCCESS"


def test_it_is_given_three_times_at_most() -> None:
    with ScriptedServer([answer(403, b"")] * 9) as server, pytest.raises(Unavailable, match="status 403"):
        custom_resource.answer(asked(server), "schema", {})
    assert len(server.requests) == custom_resource.TRIES


@pytest.mark.parametrize(
    "url",
    ["http://answers.example/", "file:///etc/passwd", "ftp://127.0.0.1/", "", "http://127.0.0.1.example/"],
)
def test_nothing_is_said_where_others_could_listen(url: str) -> None:
    with pytest.raises(ValueError, match="neither https nor this machine's"):
        custom_resource.answer({**REQUEST, "ResponseURL": url}, "schema", {})
