"""What each function is told: settings that it accepts, by names that it reads, and no store of others."""

from __future__ import annotations

import pytest

from chalicelib.settings import Settings, from_environment
from tests.support.service_stack import environment, functions, packaged

STORES = {
    "APIHandler": {"database", "valkey", "order_queue"},
    "Fulfil": {"database", "valkey", "order_queue"},
    "Reconcile": {"database", "valkey", "order_queue"},
    "Expire": {"database", "valkey"},
    "Watch": {"valkey", "order_queue"},
    "Migrate": {"database"},
}
"""By function: what it uses."""
EVERY = sorted(STORES)


def test_no_function_is_left_out() -> None:
    assert sorted(functions(packaged())) == EVERY


@pytest.mark.parametrize("function", EVERY)
def test_on_aws_every_function_starts_as_its_stage_and_asks_who_somebody_is(function: str) -> None:
    settings = from_environment(environment(packaged(), function, on_aws=True))
    assert (settings.stage, settings.auth_mode) == ("demo", "jwt")
    assert settings.payment_secret_id
    assert not settings.aws_endpoint_url_secrets_manager


@pytest.mark.parametrize("function", EVERY)
def test_on_the_emulator_every_function_is_a_laptops_and_never_asks_aws(function: str) -> None:
    settings = from_environment(environment(packaged("emulator"), function, on_aws=False))
    assert (settings.stage, settings.auth_mode) == ("local", "open")
    assert settings.aws_endpoint_url_secrets_manager.startswith("http://127.0.0.1")


@pytest.mark.parametrize("function", EVERY)
def test_every_variable_is_one_that_is_read(function: str) -> None:
    known = {name.upper() for name in Settings.__struct_fields__}
    assert set(environment(packaged(), function, on_aws=True)) <= known


def test_control_a_variable_that_nobody_reads_is_seen() -> None:
    template = packaged()
    template["Globals"]["Function"]["Environment"]["Variables"]["DATABASE"] = "misspelt"
    known = {name.upper() for name in Settings.__struct_fields__}
    assert set(environment(template, "Watch", on_aws=True)) - known == {"DATABASE"}


@pytest.mark.parametrize("function", EVERY)
def test_a_function_is_told_of_the_stores_it_uses(function: str) -> None:
    settings = from_environment(environment(packaged(), function, on_aws=True))
    told = {name for name in ("database", "valkey", "order_queue") if getattr(settings, f"{name}_url")}
    assert told == STORES[function]


def test_those_who_pause_fulfilment_or_ask_whether_it_is_know_its_mapping() -> None:
    for function in ("APIHandler", "Reconcile"):
        told = environment(packaged(), function, on_aws=True)["FULFILMENT_MAPPING_ID"]
        assert told == "FulfilFulfilSqsEventSource"


def test_no_variable_holds_a_secret() -> None:
    for function in EVERY:
        told = environment(packaged(), function, on_aws=True)
        assert not {"PAYMENT_SECRET", "AUTH_SECRET", "AWS_SECRET_ACCESS_KEY"} & set(told)
