"""One call against a server that fails in every way, over real sockets."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from chalicelib.aws.answers import AwsRefused
from chalicelib.aws.client import BACKOFF_MS, MAX_IDLE_SECONDS
from chalicelib.aws.sigv4 import Credentials
from chalicelib.errors import Unavailable
from chalicelib.queue.client import QueueClient
from infra.local.layout import free_port
from tests.support.scripted_server import OK, Fault, ScriptedServer, answer, chunked
from tests.support.waiting import until

BUSY = answer(503, b'{"__type":"ServiceUnavailable"}')
THROTTLED = answer(400, b'{"__type":"com.amazonaws.sqs#RequestThrottled","message":"slow down"}')
BROKEN = answer(500, b'{"__type":"InternalError"}')


class Time:
    """A clock that stands still but for the waits, which it writes down."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        """Seconds since no matter when."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Waits in no time."""
        self.waits.append(seconds)
        self.seconds += seconds


def client_of(url: str, time: Time | None = None, timeout_ms: int = 5_000, **more: Any) -> QueueClient:
    time = time or Time()
    return QueueClient(
        url,
        "us-east-1",
        lambda: Credentials("AKID", "secret"),
        timeout_ms,
        monotonic=time.monotonic,
        sleep=time.sleep,
        uniform=lambda _, most: most,
        **more,
    )


def impatient(url: str) -> QueueClient:
    return QueueClient(url, "us-east-1", lambda: Credentials("AKID", "secret"), timeout_ms=150)


def outcome(client: QueueClient) -> str:
    """The message id, or what became of the call in two words."""
    try:
        return str(client.call("SendMessage", {"MessageBody": "b"})["MessageId"])
    except Unavailable as error:
        return f"{error.part} ambiguous" if error.ambiguous else f"{error.part} unavailable"
    finally:
        client.close()


def test_a_call_is_one_request_with_the_queue_in_its_body() -> None:
    with ScriptedServer() as server:
        assert outcome(client_of(server.queue_url)) == "m-1"
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST / HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nX-Amz-Target: AmazonSQS.SendMessage\r\n" in head
    assert body == b'{"QueueUrl":"%s","MessageBody":"b"}' % server.queue_url.encode()


@pytest.mark.parametrize(
    ("steps", "expected", "requests"),
    [
        ([BUSY], "m-1", 2),
        ([THROTTLED, answer(429, b"")], "m-1", 3),
        ([BUSY] * 3, "queue unavailable", 3),
        ([THROTTLED] * 3, "queue unavailable", 3),
        ([BROKEN] * 3, "queue ambiguous", 3),
        ([BROKEN, BUSY, BUSY], "queue ambiguous", 3),
        ([Fault.CLOSE], "m-1", 2),
        ([Fault.CLOSE] * 3, "queue ambiguous", 3),
        ([Fault.STOP_HALFWAY], "m-1", 2),
        ([Fault.CLOSE, BUSY, BUSY], "queue ambiguous", 3),
        ([answer(200, b"<html>")] * 3, "queue ambiguous", 3),
        ([b"SSH-2.0-OpenSSH_9.6\r\n\r\n"], "m-1", 2),
        ([b"HTTP/1.1 100 Continue\r\n\r\n" + OK], "m-1", 1),
        ([chunked(b'{"Message', b'Id":"m-1"}')], "m-1", 1),
    ],
)
def test_what_a_retry_may_mend_is_tried_three_times(
    steps: Sequence[bytes | Fault], expected: str, requests: int
) -> None:
    with ScriptedServer(steps) as server:
        assert outcome(client_of(server.queue_url)) == expected
        assert len(server.requests) == requests


def test_the_waits_between_tries_are_drawn_from_the_whole_back_off() -> None:
    time = Time()
    with ScriptedServer([BUSY] * 3) as server:
        outcome(client_of(server.queue_url, time))
    assert time.waits == [most / 1000 for most in BACKOFF_MS]


def test_no_wait_outlasts_the_time_limit() -> None:
    time = Time()
    with ScriptedServer([BUSY] * 3) as server:
        assert (
            outcome(client_of(server.queue_url, time, timeout_ms=BACKOFF_MS[0] + 100)) == "queue unavailable"
        )
        assert len(server.requests) == 2
    assert time.waits == [BACKOFF_MS[0] / 1000]


def test_what_a_retry_cannot_mend_is_refused_at_once() -> None:
    missing = answer(400, b'{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no such queue"}')
    with ScriptedServer([missing]) as server:
        client = client_of(server.queue_url)
        with pytest.raises(AwsRefused, match="no such queue") as caught:
            client.call("SendMessage", {})
        assert caught.value.code == "QueueDoesNotExist"
        assert len(server.requests) == 1
        client.close()


def test_no_answer_in_time_is_ambiguous() -> None:
    with ScriptedServer([Fault.HANG]) as server:
        assert outcome(impatient(server.queue_url)) == "queue ambiguous"


def test_no_answer_to_a_retry_makes_the_whole_call_ambiguous() -> None:
    with ScriptedServer([BUSY, Fault.HANG]) as server:
        assert outcome(impatient(server.queue_url)) == "queue ambiguous"


def test_nobody_there_is_not_ambiguous() -> None:
    assert outcome(client_of(f"http://127.0.0.1:{free_port()}/000000000000/orders")) == "queue unavailable"


def test_a_long_poll_has_a_time_limit_of_its_own() -> None:
    with ScriptedServer([Fault.HANG]) as server:
        client = client_of(server.queue_url, timeout_ms=3_600_000)
        with pytest.raises(Unavailable):
            impatient(server.queue_url).call("ReceiveMessage", {}, timeout_ms=100)
        assert client.call("ReceiveMessage", {}, timeout_ms=1_000) == {"MessageId": "m-1"}
        client.close()


def test_one_connection_serves_call_after_call() -> None:
    with ScriptedServer() as server:
        client = client_of(server.queue_url)
        for _ in range(5):
            client.call("SendMessage", {})
        assert (len(server.requests), server.connections) == (5, 1)
        client.close()


def test_a_stale_connection_is_reopened_at_no_cost_to_the_tries() -> None:
    with ScriptedServer([OK, Fault.CLOSE, BUSY, BUSY]) as server:
        client = client_of(server.queue_url)
        client.call("SendMessage", {})
        assert outcome(client) == "m-1"
        assert (len(server.requests), server.connections) == (5, 2)


def test_a_stale_connection_is_reopened_for_free_only_once() -> None:
    with ScriptedServer([OK] + [Fault.CLOSE] * 4) as server:
        client = client_of(server.queue_url)
        client.call("SendMessage", {})
        assert outcome(client) == "queue ambiguous"
        assert len(server.requests) == 5


def test_an_answer_broken_off_costs_a_try_even_on_a_kept_connection() -> None:
    with ScriptedServer([OK, Fault.STOP_HALFWAY, BUSY, BUSY]) as server:
        client = client_of(server.queue_url)
        client.call("SendMessage", {})
        assert outcome(client) == "queue ambiguous"
        assert len(server.requests) == 4


def test_where_one_connection_is_stale_the_others_are_not_tried() -> None:
    time, both = Time(), threading.Event()
    with ScriptedServer([both, both]) as server:
        client = client_of(server.queue_url, time)
        threads = [threading.Thread(target=client.call, args=["SendMessage", {}]) for _ in range(2)]
        for thread in threads:
            thread.start()
        until(lambda: len(server.requests) == 2, "two calls are under way")
        both.set()
        for thread in threads:
            thread.join()
        server.drop_connections()
        assert outcome(client) == "m-1"
        assert server.connections == 3
    assert time.waits == []


def test_a_connection_dropped_while_idle_is_noticed_without_a_wait() -> None:
    time = Time()
    with ScriptedServer() as server:
        client = client_of(server.queue_url, time)
        client.call("SendMessage", {})
        server.drop_connections()
        assert outcome(client) == "m-1"
        assert server.connections == 2
    assert time.waits == []


def test_a_connection_idle_for_long_is_not_trusted() -> None:
    time = Time()
    with ScriptedServer() as server:
        client = client_of(server.queue_url, time)
        client.call("SendMessage", {})
        time.seconds += MAX_IDLE_SECONDS
        assert outcome(client) == "m-1"
        assert server.connections == 2


def test_a_connection_that_the_server_ends_is_not_used_again() -> None:
    ended = answer(200, b'{"MessageId":"m-1"}', "Connection: close")
    with ScriptedServer([ended]) as server:
        client = client_of(server.queue_url)
        client.call("SendMessage", {})
        assert outcome(client) == "m-1"
        assert server.connections == 2


def test_threads_never_share_a_connection_at_once() -> None:
    with ScriptedServer() as server:
        client = client_of(server.queue_url)
        answers: list[dict[str, Any]] = []
        threads = [threading.Thread(target=_call_often, args=[client, answers]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [{"MessageId": "m-1"}] * 400
        assert server.connections <= 8
        client.close()


def _call_often(client: QueueClient, answers: list[dict[str, Any]]) -> None:
    answers.extend(client.call("SendMessage", {"MessageBody": "b" * 5_000}) for _ in range(50))


def test_https_checks_the_certificate_of_the_server(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with ScriptedServer(tls=context) as server:
        trusted = client_of(server.queue_url, tls=lambda: ssl.create_default_context(cafile=str(certificate)))
        assert outcome(trusted) == "m-1"
        assert outcome(client_of(server.queue_url)) == "queue unavailable"
        assert len(server.requests) == 1


@pytest.mark.parametrize("url", ["", "orders", "ftp://127.0.0.1/orders", "http:///orders"])
def test_an_address_that_is_no_queues_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="not an HTTP address"):
        client_of(url)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Key and certificate of 127.0.0.1, signed by itself, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path
