"""The environment is read once, and a stage without a payment secret of its own does not start."""

from __future__ import annotations

import pytest

from chalicelib.settings import LOCAL_PAYMENT_SECRET, Settings, from_environment


def test_nothing_given_is_the_local_stage() -> None:
    assert from_environment({}) == Settings()
    assert from_environment({}).payment_secret == LOCAL_PAYMENT_SECRET


@pytest.mark.parametrize("secret", [None, "", " ", LOCAL_PAYMENT_SECRET])
def test_another_stage_needs_a_secret_of_its_own(secret: str | None) -> None:
    environ = {"STAGE": "prod"} | ({} if secret is None else {"PAYMENT_SECRET": secret})
    with pytest.raises(ValueError, match="PAYMENT_SECRET") as caught:
        from_environment(environ)
    assert LOCAL_PAYMENT_SECRET not in str(caught.value)


def test_a_given_secret_is_taken() -> None:
    assert from_environment({"STAGE": "prod", "PAYMENT_SECRET": "s"}).payment_secret == "s"


def test_a_variable_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ValueError, match="ledger_connections"):
        from_environment({"LEDGER_CONNECTIONS": "four"})
