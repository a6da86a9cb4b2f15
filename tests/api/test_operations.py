"""What every call has in common: bugs stay inside, threads stay apart, lines in the log hold no names."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from chalice.test import Client

from chalicelib.errors import Conflict, Unavailable
from chalicelib.log import log, set_level
from tests.api.conftest import REQUEST_ID, Api
from tests.fakes.services import MemoryServices

ORDER = {"eventId": 1, "quantity": 1, "userId": "ann@example.org"}


class Broken:
    """A part with a bug that has personal data in its message."""

    def __getattr__(self, name: str) -> Any:
        raise ZeroDivisionError("ann@example.org")


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in capfd.readouterr().out.splitlines()]


def test_a_bug_is_500_with_nothing_of_our_insides(
    api: Api, services: MemoryServices, capfd: pytest.CaptureFixture[str]
) -> None:
    services.ledger = Broken()
    answer = api("GET", "/events")
    assert answer.problem == (500, "internal-error")
    assert "ZeroDivision" not in answer.text
    (line,) = lines(capfd)
    assert (line["level"], line["event"], line["requestId"]) == ("error", "bug", REQUEST_ID)
    assert (line["type"], line["operation"]) == ("ZeroDivisionError", "listEvents")
    assert "test_operations.py" in line["trace"][-1]
    assert "ann" not in msgspec.json.encode(line).decode()


@pytest.mark.parametrize("failure", [Conflict("row 5"), Unavailable("ledger", "gone", ambiguous=True)])
def test_every_failure_that_may_pass_is_503(
    api: Api, services: MemoryServices, capfd: pytest.CaptureFixture[str], failure: Exception
) -> None:
    class Failing:
        """A ledger that fails in this way."""

        def event(self, _: int) -> None:
            raise failure

    set_level("warning")
    services.ledger = Failing()
    answer = api("GET", "/events/1")
    assert answer.problem == (503, "unavailable")
    (line,) = lines(capfd)
    assert (line["event"], line["operation"], line["cause"]) == ("not-now", "getEvent", str(failure))


def test_orders_are_logged_by_their_ids_and_without_names(
    api: Api, capfd: pytest.CaptureFixture[str]
) -> None:
    set_level("info")
    api("POST", "/events", {"name": "Secret gig", "description": "", "totalTickets": 1})
    order_id = api("POST", "/orders", ORDER).json["id"]
    api("POST", "/orders", ORDER)
    made, filled, accepted, refused = lines(capfd)
    assert (filled["event"], filled["eventId"]) == ("gate-filled", 1)
    assert {**made, "time": 0} == {
        "time": 0,
        "level": "info",
        "event": "event-created",
        "requestId": REQUEST_ID,
        "eventId": 1,
    }
    assert (accepted["event"], accepted["orderId"], accepted["eventId"]) == ("order-accepted", order_id, 1)
    assert (refused["event"], refused["code"], refused["requestId"]) == (
        "order-refused",
        "sold-out",
        REQUEST_ID,
    )
    assert not {"userId", "name"} & {*made, *accepted, *refused}


def test_lines_below_the_level_are_left_out(capfd: pytest.CaptureFixture[str]) -> None:
    set_level("WARNING")
    log("quiet")
    log("loud", "warning", count=1)
    assert [(line["event"], line["count"]) for line in lines(capfd)] == [("loud", 1)]


def test_a_level_that_does_not_exist_is_refused() -> None:
    with pytest.raises(KeyError):
        set_level("shout")


def test_threads_of_one_process_answer_each_its_own_request(api: Api) -> None:
    """All requests wait before their views until the last has come in; then each must still know its own."""
    together = threading.Barrier(8)

    @api.app.middleware("http")
    def meet(request: Any, get_response: Any) -> Any:
        together.wait(timeout=20)
        return get_response(request)

    def make(number: int) -> bool:
        body = {"name": str(number), "description": "", "totalTickets": 1}
        event = api.event("POST", "/events", body)
        event["requestContext"]["requestId"] = str(number)
        answer = api.app(event, None)
        same_name: bool = msgspec.json.decode(answer["body"])["name"] == str(number)
        return same_name and answer["headers"]["X-Request-Id"] == str(number)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(make, range(8)))


def test_chalices_own_client_is_served_as_well(api: Api) -> None:
    """`chalice local` builds thinner events than API Gateway: no request id, bodies as bytes."""
    with Client(api.app) as client:
        body = msgspec.json.encode({"name": "x", "description": "", "totalTickets": 1})
        made = client.http.post("/events", headers={"Content-Type": "application/json"}, body=body)
        assert (made.status_code, made.headers["Location"]) == (201, "/events/1")
        assert client.http.get("/events?limit=1").json_body["items"][0]["id"] == 1
        assert client.http.get("/events/2").json_body["code"] == "event-not-found"
