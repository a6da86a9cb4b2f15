"""Which network a request counts for."""

from __future__ import annotations

import pytest

from chalicelib.api.clients import client_of, network_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"),
        ("2001:DB8:1:2::1", "2001:0db8:0001:0002:0000:0000:0000:0001"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::2"),
    ],
)
def test_addresses_of_one_subscriber_are_one_client(one: str, other: str) -> None:
    assert network_of(one) == network_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("192.0.2.7", "192.0.2.8"), ("2001:db8:1:2::1", "2001:db8:1:3::1"), ("::1", "1::")],
)
def test_addresses_of_two_subscribers_are_two_clients(one: str, other: str) -> None:
    assert network_of(one) != network_of(other)


@pytest.mark.parametrize("text", ["test-invoke-source-ip", "::nonsense", "1:2", ":"])
def test_what_is_no_address_counts_as_what_it_says(text: str) -> None:
    assert network_of(text) == text


@pytest.mark.parametrize("context", [{}, {"identity": {}}, {"identity": {"sourceIp": None}}])
def test_no_address_is_a_client_too(context: dict[str, object]) -> None:
    assert client_of(context) == ""
