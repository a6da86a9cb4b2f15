"""The service's own pages."""

from __future__ import annotations

import pytest

from tests.api.conftest import REQUEST_ID, Api
from tests.fakes.services import Down, MemoryServices


def test_the_index_leads_to_pages_that_exist(api: Api) -> None:
    index = api("GET", "/").json
    assert index["name"] == "onsale"
    assert set(index["links"]) == {"events", "orders", "health", "ready", "docs", "console", "openapi"}
    for link in index["links"].values():
        assert api("GET", link).status == 200


def test_health_asks_no_part(api: Api, services: MemoryServices) -> None:
    services.gate, services.queue, services.ledger = Down("gate"), Down("queue"), Down("ledger")
    assert api("GET", "/health?cache=no").json == {"status": "ok"}


def test_a_service_with_all_its_parts_is_ready(api: Api) -> None:
    ready = api("GET", "/ready")
    assert ready.status == 200
    assert ready.json == {"status": "ready", "parts": {"gate": "ok", "queue": "ok", "ledger": "ok"}}


@pytest.mark.parametrize("part", ["gate", "queue", "ledger"])
def test_readiness_names_the_part_that_is_down(api: Api, services: MemoryServices, part: str) -> None:
    setattr(services, part, Down(part))
    answer = api("GET", "/ready")
    assert answer.problem == (503, "unavailable")
    assert answer.headers["retry-after"] == "1"
    assert answer.json["parts"] == {"gate": "ok", "queue": "ok", "ledger": "ok"} | {part: "down"}
    assert answer.json["detail"] == f"Down: {part}."
    assert "secret-host" not in answer.text


def test_a_part_that_cannot_be_built_is_down(api: Api, services: MemoryServices) -> None:
    services.ledger = None
    assert api("GET", "/ready").json["parts"]["ledger"] == "down"


def test_every_answer_carries_the_requests_id(api: Api) -> None:
    for url in ("/", "/events/9", "/orders?x=1", "/docs"):
        assert api("GET", url).headers["x-request-id"] == REQUEST_ID
