"""Signatures of payment notices: a fixed example, and everything that must not fit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import Rejected
from chalicelib.payments import TOLERANCE_SECONDS, sign, verify
from chalicelib.secret import Secret, constant
from chalicelib.services import PAYMENT_REST_SECONDS

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECONDS = int(AT.timestamp())
BODY = b'{"amount":5000}'


def fits(header: str | None, secret: str = "s3cret", body: bytes = BODY, now: datetime = AT) -> bool:
    try:
        verify(constant(secret), header, body, now)
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


class Vault:
    """Holds the provider's secret and counts who asks; its clock stands until somebody moves it."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.readings = 0
        self.seconds = 0.0

    def read(self) -> str:
        """The newest."""
        self.readings += 1
        return self.secret

    def now(self) -> float:
        """Seconds since nothing in particular."""
        return self.seconds


def test_a_secret_that_was_changed_is_read_again_and_the_notice_taken() -> None:
    vault = Vault("old")
    secret = Secret(vault.read, PAYMENT_REST_SECONDS, vault.now)
    verify(secret, sign("old", SECONDS, BODY), BODY, AT)
    vault.secret = "new"
    verify(secret, sign("new", SECONDS, BODY), BODY, AT)
    assert vault.readings == 2
    with pytest.raises(Rejected, match="No signature"):
        verify(secret, sign("old", SECONDS, BODY), BODY, AT)


def test_forgers_do_not_make_us_read_it_at_their_pace() -> None:
    vault = Vault("old")
    secret = Secret(vault.read, PAYMENT_REST_SECONDS, vault.now)
    for number in range(1_000):
        vault.seconds = number * 0.03  # 30 s of it
        with pytest.raises(Rejected):
            verify(secret, sign(f"forged-{number}", SECONDS, BODY), BODY, AT)
    assert vault.readings == 1 + 3


def test_what_is_malformed_or_old_is_refused_without_reading_anything() -> None:
    vault = Vault("s")
    secret = Secret(vault.read, PAYMENT_REST_SECONDS, vault.now)
    for header in (None, "", "t=1", sign("s", SECONDS - 3_600, BODY)):
        with pytest.raises(Rejected):
            verify(secret, header, BODY, AT)
    assert vault.readings == 0
