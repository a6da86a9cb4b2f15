"""Our signature against botocore's own signer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.aws.client import endpoint
from chalicelib.aws.sigv4 import LAMBDA, Credentials, sign, sign_path


class Call(NamedTuple):
    """Everything that a signature covers."""

    place: str = "http://localhost"
    region: str = "us-east-1"
    target: str = "AmazonSQS.SendMessage"
    credentials: Credentials = Credentials("AKID", "secret")
    at: int = 0
    body: bytes = b"{}"


class SignerAt(SigV4Auth):  # type: ignore[misc]
    """botocore's signer at a time of our choice: it does what `add_auth` does, without asking the clock."""

    def headers_at(self, request: AWSRequest, stamp: str) -> dict[str, str]:
        """Signs as of `stamp` and returns the headers, their names in lower case."""
        request.context["timestamp"] = stamp
        self._modify_request_before_signing(request)
        to_sign = self.string_to_sign(request, self.canonical_request(request))
        self._inject_signature_to_request(request, self.signature(to_sign, request))
        return {name.lower(): value for name, value in request.headers.items()}


def botocores(call: Call) -> dict[str, str]:
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": call.target}
    request = AWSRequest("POST", f"{call.place}/", headers=headers, data=call.body)
    key = call.credentials
    boto = BotoCredentials(key.access_key_id, key.secret_access_key, key.session_token or None)
    stamp = datetime.fromtimestamp(call.at, UTC).strftime("%Y%m%dT%H%M%SZ")
    return SignerAt(boto, "sqs", call.region).headers_at(request, stamp)


def ours(call: Call) -> dict[str, str]:
    host, _ = endpoint(f"{call.place}/000000000000/orders")
    lines = sign(host, call.region, call.target, call.credentials, call.at + 0.999, call.body)
    return headers_of(lines, host)


def headers_of(lines: str, host: str) -> dict[str, str]:
    assert lines.startswith(f"Host: {host}\r\n")
    assert lines.endswith("\r\n")
    made = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines.split("\r\n")[:-1])}
    made.pop("host")
    return made


WORDS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=60)
LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
PLACES = st.builds(
    lambda scheme, name, port: f"{scheme}://{name}" + (f":{port}" if port else ""),
    st.sampled_from(["http", "https"]),
    st.lists(LABELS, min_size=1, max_size=4).map(".".join) | st.sampled_from(["127.0.0.1", "[::1]"]),
    st.none() | st.sampled_from([80, 443]) | st.integers(1, 65_535),
)
CALLS = st.builds(
    Call,
    PLACES,
    st.sampled_from(["us-east-1", "eu-central-1", "ap-southeast-3", "us-gov-west-1"]),
    st.sampled_from(["AmazonSQS.SendMessage", "AmazonSQS.SendMessageBatch"]),
    st.builds(Credentials, WORDS, WORDS, st.just("") | WORDS),
    st.integers(0, 4_102_444_800),
    st.binary(max_size=2_000),
)


@given(CALLS)
@example(Call("https://sqs.eu-west-1.amazonaws.com:443", credentials=Credentials("AKID", "s", "t/+=")))
@example(Call("http://localhost:80", at=951_782_400))
def test_every_header_equals_botocores(call: Call) -> None:
    assert ours(call) == botocores(call)


@pytest.mark.parametrize("at", [86_399, 86_400])
def test_a_new_day_gets_a_new_signing_key(at: int) -> None:
    assert ours(Call(at=at)) == botocores(Call(at=at))


def test_one_changed_byte_changes_the_signature() -> None:
    assert ours(Call(body=b"{}"))["authorization"] != ours(Call(body=b"{ "))["authorization"]


def botocores_by_path(method: str, path: str, call: Call) -> dict[str, str]:
    request = AWSRequest(
        method, f"{call.place}{path}", headers={"Content-Type": LAMBDA.content_type}, data=call.body
    )
    key = call.credentials
    boto = BotoCredentials(key.access_key_id, key.secret_access_key, key.session_token or None)
    stamp = datetime.fromtimestamp(call.at, UTC).strftime("%Y%m%dT%H%M%SZ")
    return SignerAt(boto, "lambda", call.region).headers_at(request, stamp)


def ours_by_path(method: str, path: str, call: Call) -> dict[str, str]:
    host, _ = endpoint(call.place)
    lines = sign_path(host, call.region, method, path, call.credentials, call.at + 0.999, call.body, LAMBDA)
    return headers_of(lines, host)


PATHS = st.from_regex(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,30}){1,4}", fullmatch=True)


@given(st.sampled_from(["GET", "PUT", "DELETE"]), PATHS, CALLS)
@example("GET", "/2015-03-31/event-source-mappings/0f0e-1", Call(body=b""))
def test_every_header_of_a_call_by_path_equals_botocores(method: str, path: str, call: Call) -> None:
    assert ours_by_path(method, path, call) == botocores_by_path(method, path, call)


@pytest.mark.parametrize(
    "path", ["", "x", "/a b", "/a?b=c", "/a%20b", "/../b", "/ä", "/a/", "//a", "/a\r\nX: y"]
)
def test_a_path_that_would_have_to_be_escaped_is_not_signed(path: str) -> None:
    with pytest.raises(ValueError, match="not a plain path"):
        ours_by_path("GET", path, Call())


def test_the_method_and_the_path_are_part_of_the_signature() -> None:
    made = {
        ours_by_path(*asked, Call())["authorization"]
        for asked in [("GET", "/a"), ("PUT", "/a"), ("GET", "/b")]
    }
    assert len(made) == 3
