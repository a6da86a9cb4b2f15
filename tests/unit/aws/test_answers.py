"""What an SQS answer means: done, not now, or never."""

from __future__ import annotations

import pytest

from chalicelib.aws.answers import THROTTLING, AwsRefused, Setback, verdict


def error(code: str) -> bytes:
    return b'{"__type":"com.amazonaws.sqs#%s","message":"why"}' % code.encode()


def test_a_good_answer_is_its_content() -> None:
    assert verdict(200, b'{"MessageId":"m"}') == {"MessageId": "m"}
    assert verdict(200, b"") == {}


@pytest.mark.parametrize("code", sorted(THROTTLING))
def test_throttling_may_pass_and_leaves_no_doubt(code: str) -> None:
    with pytest.raises(Setback) as caught:
        verdict(400, error(code))
    assert not caught.value.doubt


@pytest.mark.parametrize(
    ("status", "doubt"), [(429, False), (503, False), (500, True), (502, True), (504, True)]
)
def test_only_a_failure_behind_the_door_leaves_doubt(status: int, doubt: bool) -> None:
    with pytest.raises(Setback) as caught:
        verdict(status, b"<html>")
    assert caught.value.doubt is doubt


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"\xff"])
def test_a_good_status_without_sqs_content_leaves_doubt(body: bytes) -> None:
    with pytest.raises(Setback) as caught:
        verdict(200, body)
    assert caught.value.doubt


@pytest.mark.parametrize("code", ["QueueDoesNotExist", "AccessDeniedException", "InvalidMessageContents"])
def test_a_refusal_carries_the_code_of_aws(code: str) -> None:
    with pytest.raises(AwsRefused, match="why") as caught:
        verdict(400, error(code))
    assert caught.value.code == code


def test_a_refusal_in_another_form_carries_its_status() -> None:
    with pytest.raises(AwsRefused) as caught:
        verdict(404, b"<html>")
    assert caught.value.code == "404"
