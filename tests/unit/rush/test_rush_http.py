"""The crowd's HTTP: requests as bytes, answers taken apart, and what is no answer refused."""

from __future__ import annotations

import pytest

from infra.rush import http

ANSWER = b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"id":1}\n'


def test_a_url_gives_host_port_and_prefix() -> None:
    assert http.address("http://127.0.0.1:8000/") == http.Address("127.0.0.1", 8000, tls=False, prefix="")
    assert http.address("https://a.example/prod") == http.Address("a.example", 443, tls=True, prefix="/prod")


@pytest.mark.parametrize("url", ["ftp://a.example", "127.0.0.1:8000", "http://", ""])
def test_what_is_no_http_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        http.address(url)


def test_a_post_announces_the_length_of_its_body() -> None:
    to = http.address("http://127.0.0.1:8000/prod")
    assert http.post(to, "/orders", b'{"a":1}') == (
        b"POST /prod/orders HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n"
        b'Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a":1}'
    )


def test_a_whole_answer_is_taken_apart() -> None:
    answer = http.split(ANSWER)
    assert answer is not None
    assert (answer.status, answer.body) == (202, b'{"id":1}\n')


def test_an_answer_in_pieces_is_not_read_before_its_last_byte() -> None:
    assert all(http.split(ANSWER[:length]) is None for length in range(len(ANSWER)))


@pytest.mark.parametrize(
    "data",
    [
        ANSWER + b"x",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"SSH-2.0-x\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 abc\r\nContent-Length: 0\r\n\r\n",
        b"x" * (http.HEAD_LIMIT_BYTES + 1),
    ],
)
def test_what_is_no_single_answer_with_a_length_is_unreadable(data: bytes) -> None:
    with pytest.raises(http.Unreadable):
        http.split(data)


def test_a_server_that_hangs_up_is_noticed() -> None:
    assert http.closes(b"http/1.1 200 ok\r\nconnection: close")
    assert not http.closes(b"http/1.1 200 ok\r\nconnection: keep-alive")


@pytest.mark.parametrize(
    ("field", "seconds"), [(b"\r\nretry-after: 3", 3.0), (b"", 1.0), (b"\r\nretry-after: x", 1.0)]
)
def test_retry_after_is_read_or_a_second(field: bytes, seconds: float) -> None:
    assert http.retry_after_seconds(b"http/1.1 200 ok" + field + b"\r\ncontent-length: 0") == seconds
