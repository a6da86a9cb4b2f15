"""Signatures of payment notices: a fixed example, and everything that must not fit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import Rejected
from chalicelib.payments import TOLERANCE_SECONDS, sign, verify

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECONDS = int(AT.timestamp())
BODY = b'{"amount":5000}'


def fits(header: str | None, secret: str = "s3cret", body: bytes = BODY, now: datetime = AT) -> bool:
    try:
        verify(secret, header, body, now)
    except Rejected as error:
        return error.code != "invalid-signature"
    return True


def test_a_signature_is_the_one_that_openssl_makes() -> None:
    # printf '1780315200.{"amount":5000}' | openssl dgst -sha256 -hmac s3cret
    assert sign("s3cret", SECONDS, BODY) == (
        "t=1780315200,v1=505f958e5213aefccc7257c13d3b7c80a85a37fdc65c1615e5a2f21356ca32ca"
    )


def test_what_was_signed_fits() -> None:
    assert fits(sign("s3cret", SECONDS, BODY))
    assert fits(sign("s3cret", SECONDS, BODY).replace(",", ", "))


def test_an_empty_secret_fits_nothing() -> None:
    assert not fits(sign("", SECONDS, BODY), secret="")


@pytest.mark.parametrize(
    ("seconds", "good"),
    [(0, True), (TOLERANCE_SECONDS, True), (-TOLERANCE_SECONDS, True), (301, False), (-301, False)],
)
def test_a_time_counts_within_five_minutes(seconds: int, good: bool) -> None:
    assert fits(sign("s3cret", SECONDS, BODY), now=AT + timedelta(seconds=seconds)) is good


def test_one_of_several_signatures_is_enough() -> None:
    fitting = sign("s3cret", SECONDS, BODY).partition(",")[2]
    other = sign("old", SECONDS, BODY).partition(",")[2]
    for order in ([fitting, other], [other, fitting], [other, other, other, fitting]):
        assert fits(f"t={SECONDS},{','.join(order)}")
    assert not fits(f"t={SECONDS},{other},{other}")
    assert not fits(f"t={SECONDS},{','.join([other] * 4)},{fitting}")


@given(header=st.text() | st.from_regex(r"t=1780315200,v1=.*", fullmatch=True))
def test_no_header_that_was_not_signed_fits(header: str) -> None:
    assert not fits(header)


@given(body=st.binary(), changed=st.binary())
def test_a_signature_fits_one_body(body: bytes, changed: bytes) -> None:
    header = sign("s3cret", SECONDS, body)
    assert fits(header, body=body)
    assert fits(header, body=changed) is (body == changed)
