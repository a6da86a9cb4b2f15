"""The environment is read once, and a stage without a payment secret of its own does not start."""

from __future__ import annotations

import pytest

from chalicelib.settings import LOCAL_PAYMENT_SECRET, Settings, from_environment

PROD = {
    "STAGE": "prod",
    "PAYMENT_SECRET": "s",
    "AUTH_MODE": "jwt",
    "AUTH_ISSUER": "https://issuer.example",
    "AUTH_JWKS_URL": "https://issuer.example/keys",
}


def test_nothing_given_is_the_local_stage() -> None:
    assert from_environment({}) == Settings()
    assert from_environment({}).payment_secret == LOCAL_PAYMENT_SECRET


@pytest.mark.parametrize("secret", ["", " ", LOCAL_PAYMENT_SECRET])
def test_another_stage_needs_a_secret_of_its_own(secret: str) -> None:
    environ = PROD | {"PAYMENT_SECRET": secret or ""}
    with pytest.raises(ValueError, match="PAYMENT_SECRET") as caught:
        from_environment(environ)
    assert LOCAL_PAYMENT_SECRET not in str(caught.value)


def test_a_given_secret_is_taken() -> None:
    assert from_environment(PROD).payment_secret == "s"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"AUTH_MODE": "open"}, "AUTH_MODE=open lets everybody in"),
        ({"AUTH_MODE": ""}, "AUTH_MODE=open lets everybody in"),
        ({"AUTH_MODE": "none"}, "auth_mode"),
        ({"AUTH_ISSUER": ""}, "AUTH_ISSUER"),
        ({"AUTH_JWKS_URL": ""}, "needs one of AUTH_JWKS_URL"),
        ({"AUTH_SECRET": "s" * 32}, "needs one of AUTH_JWKS_URL"),
        ({"AUTH_SECRET": "s" * 32, "AUTH_JWKS_URL": ""}, "AUTH_SECRET is for stage local"),
        ({"AUTH_SECRET": "s" * 31, "AUTH_JWKS_URL": "", "STAGE": "local"}, "under 32 bytes"),
        ({"AUTH_JWKS_URL": "http://issuer.example/keys"}, "https://"),
        ({"AUTH_JWKS_URL": "file:///etc/keys"}, "https://"),
    ],
)
def test_a_door_that_cannot_be_kept_is_not_opened(changes: dict[str, str], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        from_environment(PROD | changes)


def test_keys_may_come_over_plain_http_from_this_machine_alone() -> None:
    assert from_environment(PROD | {"AUTH_JWKS_URL": "http://127.0.0.1:9/keys"}).auth_jwks_url


def test_a_secret_that_is_kept_elsewhere_is_one_of_its_own() -> None:
    kept = PROD | {"PAYMENT_SECRET": "", "PAYMENT_SECRET_ID": "onsale/payment"}
    assert from_environment(kept).payment_secret_id == "onsale/payment"
    with pytest.raises(ValueError, match="AUTH_MODE"):
        from_environment(kept | {"AUTH_MODE": "open"})


def test_a_variable_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ValueError, match="ledger_connections"):
        from_environment({"LEDGER_CONNECTIONS": "four"})
