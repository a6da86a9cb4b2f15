"""Payments over HTTP: who is believed, what becomes of the money, and of the order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from chalicelib.expiry import expire
from chalicelib.payments import sign
from tests.api.conftest import Api
from tests.fakes.services import Down, MemoryServices

EVENT: dict[str, Any] = {
    "name": "Tour",
    "description": "",
    "ticketTypes": [{"name": "Floor", "price": 2500, "capacity": 4}],
    "holdSeconds": 60,
}
POLICIES = ("accept-if-available", "refund", "park")


def reserved(api: Api, services: MemoryServices, quantity: int = 2, **terms: Any) -> str:
    """An order of 2 x 25.00 that waits for its payment."""
    event_id = api("POST", "/events", EVENT | terms).json["id"]
    return order(api, services, event_id, quantity)


def order(api: Api, services: MemoryServices, event_id: int, quantity: int, user: str = "ann") -> str:
    body = {"eventId": event_id, "quantity": quantity, "userId": user}
    order_id: str = api("POST", "/orders", body).json["id"]
    services.fulfil()
    return order_id


def notice(order_id: str, reference: str = "ref-1", **changes: Any) -> dict[str, Any]:
    paid = {"amount": 5000, "currency": "EUR", "outcome": "succeeded"}
    return {"reference": reference, "orderId": order_id, **paid, **changes}


def status(api: Api, order_id: str) -> str:
    return str(api("GET", f"/orders/{order_id}").json["status"])


def available(api: Api, event_id: int = 1) -> int:
    return int(api("GET", f"/events/{event_id}/availability").json["ticketTypes"][0]["available"])


def later(services: MemoryServices, seconds: float) -> None:
    """Moves the service's clock."""
    now = services.clock() + timedelta(seconds=seconds)
    services.clock = lambda: now


def listed(api: Api, state: str) -> list[str]:
    return [item["reference"] for item in api("GET", f"/ops/payments?state={state}").json["items"]]


def accounted(api: Api, event_id: int = 1) -> bool:
    """Whether every ticket of the event is somewhere, and in one place."""
    return bool(api("GET", f"/ops/events/{event_id}/conservation").json["gap"] == 0)


def test_an_order_with_a_hold_is_reserved_until_it_expires(api: Api, services: MemoryServices) -> None:
    order_id = reserved(api, services)
    shown = api("GET", f"/orders/{order_id}").json
    assert shown["status"] == "reserved"
    held = datetime.fromisoformat(shown["expiresAt"]) - datetime.fromisoformat(shown["decidedAt"])
    assert held == timedelta(seconds=60)
    event = api("GET", "/events/1").json
    assert (event["holdSeconds"], event["latePayment"], event["availableTickets"]) == (60, "refund", 2)


def test_the_right_amount_in_time_confirms_the_order(api: Api, services: MemoryServices) -> None:
    order_id = reserved(api, services)
    paid = api.pay(services, notice(order_id))
    assert (paid.status, paid.json) == (
        200,
        {"reference": "ref-1", "orderId": order_id, "state": "applied"},
    )
    shown = api("GET", f"/orders/{order_id}").json
    assert (shown["status"], "expiresAt" in shown) == ("confirmed", False)
    later(services, 3600)
    assert expire(services) == {"expired": 0, "events": 0}
    assert (status(api, order_id), available(api), accounted(api)) == ("confirmed", 2, True)


def test_a_replayed_notice_changes_nothing(api: Api, services: MemoryServices) -> None:
    order_id = reserved(api, services)
    first = api.pay(services, notice(order_id))
    assert api.pay(services, notice(order_id)).json == first.json
    assert listed(api, "applied") == ["ref-1"]
    assert api.pay(services, notice(order_id, amount=1)).json["state"] == "applied"


def test_paying_twice_is_due_back(api: Api, services: MemoryServices) -> None:
    order_id = reserved(api, services)
    api.pay(services, notice(order_id))
    assert api.pay(services, notice(order_id, "ref-2")).json["state"] == "refund-due"
    assert (listed(api, "applied"), listed(api, "refund-due")) == (["ref-1"], ["ref-2"])
    assert status(api, order_id) == "confirmed"


@pytest.mark.parametrize("wrong", [{"amount": 4999}, {"amount": 5001}, {"amount": 0}, {"currency": "USD"}])
def test_a_wrong_amount_or_currency_is_refused_and_kept(
    api: Api, services: MemoryServices, wrong: dict[str, Any]
) -> None:
    order_id = reserved(api, services)
    assert api.pay(services, notice(order_id, **wrong)).json["state"] == "refused"
    assert listed(api, "refused") == ["ref-1"]
    assert status(api, order_id) == "reserved"
    assert api.pay(services, notice(order_id, "ref-2")).json["state"] == "applied"


def test_a_failed_payment_leaves_the_order_as_it_is(api: Api, services: MemoryServices) -> None:
    order_id = reserved(api, services)
    assert api.pay(services, notice(order_id, outcome="failed")).json["state"] == "failed"
    assert status(api, order_id) == "reserved"


@pytest.mark.parametrize("order_id", ["0197283e-9c00-7000-8000-000000000001", "no such thing"])
def test_money_for_an_unknown_order_is_kept_for_the_operator(
    api: Api, services: MemoryServices, order_id: str
) -> None:
    assert api.pay(services, notice(order_id)).json["state"] == "unmatched"
    (item,) = api("GET", "/ops/payments?state=unmatched").json["items"]
    assert (item["orderId"], item["amount"], item["outcome"]) == (order_id, 5000, "succeeded")
    assert item["receivedAt"].endswith("Z")


def test_a_payment_that_overtakes_its_order_comes_again(api: Api, services: MemoryServices) -> None:
    api("POST", "/events", EVENT)
    order_id = api("POST", "/orders", {"eventId": 1, "quantity": 2, "userId": "ann"}).json["id"]
    early = api.pay(services, notice(order_id))
    assert early.problem == (503, "unavailable")
    assert early.headers["retry-after"] == "1"
    services.fulfil()
    assert api.pay(services, notice(order_id)).json["state"] == "applied"


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize(
    ("policy", "state", "ends"),
    [
        ("accept-if-available", "applied", "confirmed"),
        ("refund", "refund-due", "expired"),
        ("park", "parked", "expired"),
    ],
)
def test_money_that_comes_late_goes_by_the_events_choice(
    api: Api, services: MemoryServices, policy: str, state: str, ends: str, *, recorded: bool
) -> None:
    order_id = reserved(api, services, latePayment=policy)
    later(services, 61)
    if recorded:
        assert expire(services) == {"expired": 1, "events": 1}
        assert (status(api, order_id), available(api)) == ("expired", 4)
    assert api.pay(services, notice(order_id)).json["state"] == state
    expire(services)
    assert (status(api, order_id), listed(api, state)) == (ends, ["ref-1"])
    assert available(api) == (2 if ends == "confirmed" else 4)
    assert accounted(api)


def test_late_money_is_due_back_when_the_tickets_have_gone(api: Api, services: MemoryServices) -> None:
    order_id = reserved(api, services, latePayment="accept-if-available")
    later(services, 61)
    expire(services)
    order(api, services, 1, 4, user="bob")
    assert api.pay(services, notice(order_id)).json["state"] == "refund-due"
    assert (status(api, order_id), accounted(api)) == ("expired", True)


@pytest.mark.parametrize(
    ("policy", "state"), [("accept-if-available", "refund-due"), ("refund", "refund-due"), ("park", "parked")]
)
def test_paying_a_cancelled_order_never_brings_it_back(
    api: Api, services: MemoryServices, policy: str, state: str
) -> None:
    order_id = reserved(api, services, latePayment=policy)
    assert api("DELETE", f"/orders/{order_id}").status == 200
    assert api.pay(services, notice(order_id)).json["state"] == state
    assert (status(api, order_id), available(api), accounted(api)) == ("cancelled", 4, True)


@pytest.mark.parametrize("policy", POLICIES)
def test_cancelled_and_paid_means_a_refund_is_due(api: Api, services: MemoryServices, policy: str) -> None:
    order_id = reserved(api, services, latePayment=policy)
    api.pay(services, notice(order_id))
    assert api("DELETE", f"/orders/{order_id}").json["status"] == "cancelled"
    assert (listed(api, "refund-due"), listed(api, "applied")) == (["ref-1"], [])
    assert (available(api), accounted(api)) == (4, True)


def test_an_order_id_in_capitals_is_the_same_order(api: Api, services: MemoryServices) -> None:
    order_id = reserved(api, services)
    assert api.pay(services, notice(order_id.upper())).json["state"] == "applied"


def tampered(services: MemoryServices, raw: bytes, now: int) -> dict[str, str | None]:
    good = sign(services.settings.payment_secret, now, raw)
    return {
        "none": None,
        "empty": "",
        "nonsense": "v1=x",
        "no time": good.partition(",")[2],
        "no signature": good.partition(",")[0],
        "another secret": sign("guessed", now, raw),
        "empty secret": sign("", now, raw),
        "another body": sign(services.settings.payment_secret, now, raw + b" "),
        "another time": good.replace(str(now), str(now + 1)),
        "two times": f"t={now},{good}",
        "capital letters": good.upper(),
        "not ascii": good + "\xe9",
        "a surrogate": good[:-1] + "\ud800",
        "other digits": good.replace(str(now), "\u0661" * 10),
        "old": sign(services.settings.payment_secret, now - 301, raw),
        "from the future": sign(services.settings.payment_secret, now + 302, raw),
        "too many": good + ",v1=0" * 4,
    }


@pytest.mark.parametrize("how", list(tampered(MemoryServices(), b"", 1_780_000_000)))
def test_a_notice_that_is_not_signed_is_not_even_read(api: Api, services: MemoryServices, how: str) -> None:
    order_id = reserved(api, services)
    raw = msgspec.json.encode(notice(order_id))
    header = tampered(services, raw, int(datetime.now(UTC).timestamp()))[how]
    headers = {} if header is None else {"Onsale_Signature": header}
    for body in (raw, b"not json") if how not in {"another body"} else (raw,):
        answer = api("POST", "/payments/events", body, **headers)
        assert answer.problem == (401, "invalid-signature")
        assert answer.headers["www-authenticate"] == "Onsale-Signature"
    assert status(api, order_id) == "reserved"
    assert api("GET", "/ops/payments").json["items"] == []


def test_a_captured_notice_is_of_no_use_after_five_minutes(api: Api, services: MemoryServices) -> None:
    order_id = reserved(api, services, holdSeconds=3600)
    now = services.clock()
    later(services, 299)
    assert api.pay(services, notice(order_id), at=now).status == 200
    later(services, 300)
    assert api.pay(services, notice(order_id), at=now).problem == (401, "invalid-signature")


def test_a_provider_that_changes_its_secret_signs_with_both(api: Api, services: MemoryServices) -> None:
    order_id = reserved(api, services)
    raw, now = msgspec.json.encode(notice(order_id)), int(services.clock().timestamp())
    fitting = sign(services.settings.payment_secret, now, raw)
    both = f"{sign('the new one', now, raw)},{fitting.partition(',')[2]}"
    assert api("POST", "/payments/events", raw, Onsale_Signature=both).status == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": -1}, "amount"),
        ({"amount": 10**18 + 1}, "amount"),
        ({"amount": 10**30}, "amount"),
        ({"amount": "5000"}, "amount"),
        ({"amount": 50.0}, "amount"),
        ({"amount": True}, "amount"),
        ({"currency": "eur"}, "currency"),
        ({"outcome": "maybe"}, "outcome"),
        ({"reference": ""}, "reference"),
        ({"reference": "a b"}, "reference"),
        ({"reference": "é"}, "reference"),
        ({"reference": "r" * 129}, "reference"),
        ({"orderId": ""}, "orderId"),
        ({"orderId": "a\x00"}, "orderId"),
        ({"orderId": "o" * 129}, "orderId"),
        ({"note": "x"}, "note"),
    ],
)
def test_a_signed_notice_that_breaks_a_rule_is_told_which(
    api: Api, services: MemoryServices, change: dict[str, Any], field: str
) -> None:
    body = notice("0197283e-9c00-7000-8000-000000000001") | change
    if change.get("amount") == 10**30:
        raw = msgspec.json.encode(body | {"amount": 5}).replace(b":5,", b":1" + b"0" * 30 + b",")
    else:
        raw = msgspec.json.encode(body)
    assert api.pay(services, raw).fields == [field]
    assert api("GET", "/ops/payments").json["items"] == []


def test_a_signed_body_that_is_no_json_is_malformed(api: Api, services: MemoryServices) -> None:
    assert api.pay(services, b"{").problem == (400, "malformed-body")
    assert api.pay(services, b"\xff\xfe").problem == (400, "malformed-body")
    assert api.pay(services, b"").problem == (400, "malformed-body")


@pytest.mark.parametrize("part", ["ledger", "gate"])
def test_a_notice_that_cannot_be_recorded_comes_again(api: Api, services: MemoryServices, part: str) -> None:
    setattr(services, part, Down(part))
    answer = api.pay(services, notice("0197283e-9c00-7000-8000-000000000001"))
    assert answer.problem == (503, "unavailable")


def test_a_gate_that_is_down_does_not_keep_a_reserved_order_from_being_paid(
    api: Api, services: MemoryServices
) -> None:
    order_id = reserved(api, services)
    services.gate = Down("gate")
    assert api.pay(services, notice(order_id)).json["state"] == "applied"


def test_payments_are_listed_newest_first_by_pages(api: Api, services: MemoryServices) -> None:
    for number in range(5):
        later(services, 1)
        api.pay(services, notice("nobody", f"ref-{number}/" + "x" * 120))
    first = api("GET", "/ops/payments?limit=3").json
    second = api("GET", f"/ops/payments?limit=3&cursor={first['nextCursor']}").json
    numbers = [item["reference"][4] for item in first["items"] + second["items"]]
    assert (numbers, second["nextCursor"]) == (["4", "3", "2", "1", "0"], None)
    assert api("GET", "/ops/payments?state=applied").json == {"items": [], "nextCursor": None}
