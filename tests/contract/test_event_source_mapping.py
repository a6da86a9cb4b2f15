"""A mapping is looked at and switched with our own signed calls, against the local stack's API over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from chalicelib.aws.event_source_mapping import EventSourceMapping, event_source_mapping, mapping_of
from chalicelib.aws.mapping import Mapping, MappingState
from chalicelib.errors import Unavailable
from chalicelib.settings import from_environment
from infra.local import sqs
from infra.local.layout import free_port
from infra.local.mapping_api import MAPPING_ID, MappingApi, Registration
from tests.fakes.monitoring import MemoryMapping
from tests.support.lambda_api import serving
from tests.support.scripted_server import ScriptedServer
from tests.support.waiting import until


@contextmanager
def mapping_at(endpoint: str, uuid: str = MAPPING_ID) -> Iterator[EventSourceMapping]:
    environment = {**sqs.CREDENTIALS, "AWS_ENDPOINT_URL_LAMBDA": endpoint, "FULFILMENT_MAPPING_ID": uuid}
    made = event_source_mapping(from_environment(environment))
    assert made is not None
    with closing(made):
        yield made


def refused(ask: Callable[[], object], why: str) -> Unavailable:
    with pytest.raises(Unavailable, match=why) as caught:
        ask()
    return caught.value


@pytest.fixture(params=["memory", "local"])
def mapping(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EventSourceMapping | MemoryMapping]:
    if request.param == "memory":
        yield MemoryMapping()
        return
    api = MappingApi(tmp_path / "mapping.json", Registration(MAPPING_ID, 100, 1, 2))
    with serving(api) as endpoint, mapping_at(endpoint) as real:
        yield real


def test_it_is_described(mapping: EventSourceMapping) -> None:
    found = mapping.read()
    assert (found.state, found.batch_size, found.window_seconds) == (MappingState.ENABLED, 100, 1)


def test_it_is_turned_off_and_on(mapping: EventSourceMapping) -> None:
    assert mapping.switch(enabled=False).state is MappingState.DISABLING
    until(lambda: mapping.read().state is MappingState.DISABLED, "it is off")
    assert mapping.switch(enabled=False).state in {MappingState.DISABLING, MappingState.DISABLED}
    assert mapping.switch(enabled=True).state is MappingState.ENABLING
    until(lambda: mapping.read().state is MappingState.ENABLED, "it is on")


def test_a_mapping_that_is_not_there_is_not_now(tmp_path: Path) -> None:
    api = MappingApi(tmp_path / "m.json", Registration(MAPPING_ID, 100, 1, 2))
    with serving(api) as endpoint, mapping_at(endpoint, "00000000-0000-0000-0000-000000000000") as other:
        caught = refused(other.read, "ResourceNotFound")
    assert caught.part == "fulfilment"


def test_nobody_there_is_not_now() -> None:
    with mapping_at(f"http://127.0.0.1:{free_port()}") as mapping, pytest.raises(Unavailable):
        mapping.read()


def test_an_id_that_is_none_is_not_now_and_nothing_is_sent() -> None:
    with mapping_at(f"http://127.0.0.1:{free_port()}", "../functions?x") as mapping:
        refused(mapping.read, "not a plain path")


def test_a_call_without_the_right_to_it_is_not_now_and_is_lambdas() -> None:
    body = b'{"Message": "not you"}'
    answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with ScriptedServer([answer]) as server:
        with mapping_at(server.queue_url.rpartition("/000")[0]) as mapping:
            refused(lambda: mapping.switch(enabled=False), "not you")
        (request,) = server.requests
    assert request.startswith(b"PUT /2015-03-31/event-source-mappings/%s HTTP/1.1" % MAPPING_ID.encode())
    assert b"/us-east-1/lambda/aws4_request" in request
    assert request.endswith(b'{"Enabled":false}')


def test_a_deployment_need_not_have_one() -> None:
    assert event_source_mapping(from_environment({})) is None


def test_a_developers_machine_never_asks_aws() -> None:
    named = {"FULFILMENT_MAPPING_ID": MAPPING_ID}
    assert event_source_mapping(from_environment(named)) is None
    away = {"STAGE": "prod", "AUTH_MODE": "jwt", "AUTH_ISSUER": "i", "AUTH_JWKS_URL": "https://i.example"}
    assert event_source_mapping(from_environment(named | away | {"PAYMENT_SECRET": "x" * 32})) is not None


@pytest.mark.parametrize(
    ("told", "state"),
    [("Creating", MappingState.ENABLING), ("Updating", MappingState.UNKNOWN), ("", MappingState.UNKNOWN)],
)
def test_a_state_that_is_none_of_ours_is_not_guessed(told: str, state: MappingState) -> None:
    assert mapping_of({"State": told}) == Mapping(state=state)
