"""Bad input, line by line: each gets a clear problem document that names the field, and none a 500."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.api.conftest import Api

EVENT: dict[str, Any] = {"name": "x", "description": "d", "totalTickets": 10}
ORDER: dict[str, Any] = {"eventId": 1, "quantity": 1, "userId": "u"}
ITEM = {"ticketTypeId": 1, "quantity": 1}
TYPE = {"name": "Floor", "price": 1, "capacity": 1}
POSTS = pytest.mark.parametrize("path", ["/events", "/orders"])


def without(body: dict[str, Any], *fields: str, **more: Any) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in fields} | more


@POSTS
@pytest.mark.parametrize("body", ["", "nope", "{", '{"a": 1', "{'a': 1}", '{"name": "\\ud800"}', "\ud800"])
def test_what_is_not_json_is_malformed(api: Api, path: str, body: str) -> None:
    assert api("POST", path, body).problem == (400, "malformed-body")


@POSTS
def test_no_body_at_all_is_malformed(api: Api, path: str) -> None:
    assert api("POST", path).problem == (400, "malformed-body")


@POSTS
@pytest.mark.parametrize("raw", [b"\xff\xfe", b'{"name": "\xff"}', b'{"userId": "\xc3\x28"}'])
def test_invalid_utf_8_is_malformed(api: Api, path: str, raw: bytes) -> None:
    assert api("POST", path, raw).problem == (400, "malformed-body")


@POSTS
@pytest.mark.parametrize("body", [[], [1], "text", 5, True])
def test_json_that_is_no_object_is_refused(api: Api, path: str, body: Any) -> None:
    assert api("POST", path, msgspec.json.encode(body).decode()).fields == ["body"]


@POSTS
def test_null_is_no_body(api: Api, path: str) -> None:
    assert api("POST", path, "null").fields == ["body"]


@POSTS
def test_a_body_of_a_megabyte_is_too_large(api: Api, path: str) -> None:
    assert api("POST", path, {"name": "x" * 1_000_000}).problem == (413, "payload-too-large")


def test_the_longest_sensible_event_is_not_too_large(api: Api) -> None:
    types = [
        {"name": f"{number:03}" + "\U0001d11e" * 197, "price": 1, "capacity": 1} for number in range(100)
    ]
    event = without(EVENT, "totalTickets", ticketTypes=types, description="\U0001d11e" * 5_000)
    assert api("POST", "/events", event).status == 201


@POSTS
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "json", ""]
)
def test_another_content_type_is_not_supported(api: Api, path: str, kind: str) -> None:
    assert api("POST", path, {}, Content_Type=kind).problem == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"]
)
def test_json_is_taken_under_each_of_its_names(api: Api, kind: str) -> None:
    assert api("POST", "/events", EVENT, Content_Type=kind).status == 201


def test_a_body_without_content_type_is_taken_as_json(api: Api) -> None:
    event = api.event("POST", "/events", EVENT)
    event["headers"] = None
    assert api.app(event, None)["statusCode"] == 201


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/events", without(EVENT, "name"), "name"),
        ("/events", without(EVENT, "description"), "description"),
        ("/events", without(EVENT, "totalTickets"), "totalTickets"),
        ("/orders", without(ORDER, "eventId"), "eventId"),
        ("/orders", without(ORDER, "userId"), "userId"),
        ("/orders", without(ORDER, "quantity"), "quantity"),
        ("/orders", without(ORDER, "quantity", items=[{"quantity": 1}]), "items[0].ticketTypeId"),
    ],
)
def test_a_missing_field_is_named(api: Api, path: str, body: Any, field: str) -> None:
    assert api("POST", path, body).fields == [field]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/events", without(EVENT, "name", nmae="x"), "nmae"),
        ("/events", EVENT | {"total_tickets": 1}, "total_tickets"),
        ("/events", EVENT | {"id": 5}, "id"),
        ("/orders", ORDER | {"price": 0}, "price"),
        ("/orders", without(ORDER, "userId", userid="u"), "userid"),
        ("/orders", without(ORDER, "quantity", items=[ITEM | {"unitPrice": 0}]), "items[0].unitPrice"),
        ("/events", without(EVENT, "totalTickets", ticketTypes=[TYPE | {"sold": 0}]), "ticketTypes[0].sold"),
    ],
)
def test_a_misspelt_or_extra_field_is_named(api: Api, path: str, body: Any, field: str) -> None:
    assert api("POST", path, body).fields == [field]


def test_an_unknown_fields_name_is_not_repeated_at_length(api: Api) -> None:
    assert len(api("POST", "/orders", {"x" * 5_000: 1}).fields[0]) == 64


@pytest.mark.parametrize("quantity", [0, -1, 1.5, 1.0, "2", True, None, [], {}, 10**12, 10**400, 1_000_001])
def test_a_quantity_that_is_no_sensible_integer_is_refused(api: Api, event_id: int, quantity: Any) -> None:
    digits = "1" + "0" * 400 if quantity == 10**400 else msgspec.json.encode(quantity).decode()
    short = f'{{"eventId": 1, "userId": "u", "quantity": {digits}}}'
    assert api("POST", "/orders", short).fields == ["quantity"]
    long = f'{{"eventId": 1, "userId": "u", "items": [{{"ticketTypeId": 1, "quantity": {digits}}}]}}'
    assert api("POST", "/orders", long).fields == ["items[0].quantity"]


@pytest.mark.parametrize("event_id", [0, -1, 2**31, "1", 1.5, True, None])
def test_an_event_id_that_none_can_have_is_refused(api: Api, event_id: Any) -> None:
    assert api("POST", "/orders", ORDER | {"eventId": event_id}).fields == ["eventId"]


@pytest.mark.parametrize("user", ["", "u" * 129, 5, None, "a\x00b", "line\n", "\x7f", "\x85"])
def test_a_user_id_that_cannot_be_kept_is_refused(api: Api, event_id: int, user: Any) -> None:
    assert api("POST", "/orders", ORDER | {"userId": user}).fields == ["userId"]


@pytest.mark.parametrize("user", ["u" * 128, "Ünal", "名前", "\U0001f3ab", '"; drop table orders; --', "a b"])
def test_any_other_user_id_is_taken_and_shown_as_it_is(api: Api, event_id: int, user: str) -> None:
    assert api("POST", "/orders", ORDER | {"userId": user}).json["userId"] == user


def test_quantity_and_items_exclude_each_other(api: Api, event_id: int) -> None:
    assert api("POST", "/orders", ORDER | {"items": [ITEM]}).fields == ["quantity"]


def test_the_same_ticket_type_twice_in_one_order_is_refused(api: Api, event_id: int) -> None:
    assert api("POST", "/orders", without(ORDER, "quantity", items=[ITEM, ITEM])).fields == [
        "items[1].ticketTypeId"
    ]


@pytest.mark.parametrize("items", [[], [ITEM] * 21, None, {}])
def test_items_are_one_to_twenty(api: Api, event_id: int, items: Any) -> None:
    assert api("POST", "/orders", without(ORDER, "quantity", items=items)).fields == ["items"]


@pytest.mark.parametrize(
    "name", ["", "x" * 201, "x" * 10_000, "a\x00b", "two\nlines", "tab\t", "end\n", 5, None, [], "\x9f"]
)
def test_a_name_that_cannot_be_kept_is_refused(api: Api, name: Any) -> None:
    assert api("POST", "/events", EVENT | {"name": name}).fields == ["name"]
    types = [TYPE | {"name": name}]
    assert api("POST", "/events", without(EVENT, "totalTickets", ticketTypes=types)).fields == [
        "ticketTypes[0].name"
    ]


@pytest.mark.parametrize("text", ["x" * 5_001, "nul\x00", "bell\x07", None, 5])
def test_a_description_that_cannot_be_kept_is_refused(api: Api, text: Any) -> None:
    assert api("POST", "/events", EVENT | {"description": text}).fields == ["description"]


@pytest.mark.parametrize("total", [0, -5, 2**31, 10**12, 1.5, "10", True, None])
def test_a_capacity_out_of_range_is_refused(api: Api, total: Any) -> None:
    assert api("POST", "/events", EVENT | {"totalTickets": total}).fields == ["totalTickets"]
    types = [TYPE | {"capacity": total}]
    body = without(EVENT, "totalTickets", ticketTypes=types)
    assert api("POST", "/events", body).fields == ["ticketTypes[0].capacity"]


def test_capacities_are_bounded_together_as_well(api: Api) -> None:
    types = [TYPE | {"capacity": 2**31 - 1}, TYPE | {"name": "Balcony"}]
    assert api("POST", "/events", without(EVENT, "totalTickets", ticketTypes=types)).fields == ["ticketTypes"]


@pytest.mark.parametrize("price", [-1, 10**9 + 1, "5", 9.99, True, None])
def test_a_price_is_an_integer_of_minor_units(api: Api, price: Any) -> None:
    types = [TYPE | {"price": price}]
    body = without(EVENT, "totalTickets", ticketTypes=types)
    assert api("POST", "/events", body).fields == ["ticketTypes[0].price"]


@pytest.mark.parametrize("types", [[], [TYPE | {"name": str(n)} for n in range(101)], None, {}])
def test_ticket_types_are_one_to_a_hundred(api: Api, types: Any) -> None:
    assert api("POST", "/events", without(EVENT, "totalTickets", ticketTypes=types)).fields == ["ticketTypes"]


def test_ticket_types_of_one_event_have_different_names(api: Api) -> None:
    body = without(EVENT, "totalTickets", ticketTypes=[TYPE, TYPE])
    assert api("POST", "/events", body).fields == ["ticketTypes[1].name"]


def test_total_tickets_and_ticket_types_exclude_each_other(api: Api) -> None:
    assert api("POST", "/events", EVENT | {"ticketTypes": [TYPE]}).fields == ["totalTickets"]


@pytest.mark.parametrize("currency", ["eur", "EU", "EURO", "EUR\n", "", 978, None])
def test_a_currency_is_three_capital_letters(api: Api, currency: Any) -> None:
    assert api("POST", "/events", EVENT | {"currency": currency}).fields == ["currency"]


@pytest.mark.parametrize(
    "moment",
    [
        "2026-06-01T20:00:00",
        "2026-06-01",
        "tomorrow",
        "2026-13-01T00:00:00Z",
        "",
        1780000000,
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "1969-12-31T23:59:59Z",
    ],
)
@pytest.mark.parametrize("field", ["startsAt", "salesOpenAt", "salesCloseAt"])
def test_a_time_needs_an_offset_and_a_sensible_year(api: Api, event_id: int, field: str, moment: Any) -> None:
    assert api("POST", "/events", EVENT | {field: moment}).fields == [field]
    assert api("PATCH", f"/events/{event_id}", {field: moment}, If_Match="*").fields == [field]


@pytest.mark.parametrize(
    "closes", ["2026-06-01T11:59:59Z", "2026-06-01T12:00:00Z", "2026-06-01T13:30:00+02:00"]
)
def test_a_sale_closes_after_it_opens(api: Api, closes: str) -> None:
    body = EVENT | {"salesOpenAt": "2026-06-01T12:00:00Z", "salesCloseAt": closes}
    assert api("POST", "/events", body).fields == ["salesCloseAt"]


@pytest.mark.parametrize("field", ["maxPerOrder", "maxPerBuyer"])
@pytest.mark.parametrize("limit", [0, -1, 2**31, "4", 1.5, True])
def test_a_limit_is_at_least_one(api: Api, event_id: int, field: str, limit: Any) -> None:
    assert api("POST", "/events", EVENT | {field: limit}).fields == [field]
    assert api("PATCH", f"/events/{event_id}", {field: limit}, If_Match="*").fields == [field]


@pytest.mark.parametrize("field", ["buyerRateLimit", "clientRateLimit", "maxCancellations"])
@pytest.mark.parametrize("limit", [0, -1, 1_000_000, 2**31, "60", "", 1.5, True, []])
def test_a_rate_and_a_count_of_cancellations_have_bounds(
    api: Api, event_id: int, field: str, limit: Any
) -> None:
    assert api("POST", "/events", EVENT | {field: limit}).fields == [field]
    assert api("PATCH", f"/events/{event_id}", {field: limit}, If_Match="*").fields == [field]


@pytest.mark.parametrize("hold", [-1, 365 * 86_400, 7 * 86_400 + 1, 10**400, "60", 0.5, False])
def test_a_hold_is_at_most_a_week(api: Api, hold: Any) -> None:
    digits = "1" + "0" * 400 if hold == 10**400 else msgspec.json.encode(hold).decode()
    body = msgspec.json.encode(EVENT).decode().removesuffix("}") + f', "holdSeconds": {digits}}}'
    assert api("POST", "/events", body).fields == ["holdSeconds"]


@pytest.mark.parametrize("late", ["keep", "", "REFUND", None, 1])
def test_an_unknown_policy_for_late_payments_is_refused(api: Api, late: Any) -> None:
    assert api("POST", "/events", EVENT | {"latePayment": late}).fields == ["latePayment"]


@pytest.mark.parametrize("field", ["holdSeconds", "latePayment", "salesState"])
def test_what_an_edit_may_not_change_is_named(api: Api, event_id: int, field: str) -> None:
    assert api("PATCH", f"/events/{event_id}", {field: "x"}, If_Match="*").fields == [field]


def test_everything_that_is_wrong_between_fields_is_told_at_once(api: Api) -> None:
    body = without(EVENT, "totalTickets", startsAt="9999-01-01T00:00:00Z")
    assert api("POST", "/events", body).fields == ["totalTickets", "startsAt"]


@pytest.mark.parametrize(
    "event_id", ["0", "-1", "x", "1.0", "01", "2147483648", "9" * 40, "%20", "\u0661", "1 "]
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/events/{}"),
        ("PATCH", "/events/{}"),
        ("GET", "/events/{}/availability"),
        ("POST", "/events/{}/pause"),
        ("POST", "/events/{}/resume"),
        ("POST", "/events/{}/close"),
        ("GET", "/ops/events/{}/conservation"),
    ],
)
def test_a_malformed_event_id_is_an_event_that_does_not_exist(
    api: Api, method: str, path: str, event_id: str
) -> None:
    body = {"name": "y"} if method == "PATCH" else None
    assert api(method, path.format(event_id), body, If_Match="*").problem == (404, "event-not-found")


@pytest.mark.parametrize(
    "order_id",
    [
        "x",
        "1",
        "00000000-0000-0000-0000-000000000000",
        "0197283e-9c00-4000-8000-000000000001",
        "0197283e9c007000800000000000000001",
        "{0197283e-9c00-7000-8000-000000000001}",
        "%00",
        "a" * 5_000,
    ],
)
def test_a_malformed_order_id_is_an_order_that_does_not_exist(api: Api, order_id: str) -> None:
    assert api("GET", f"/orders/{order_id}").problem == (404, "order-not-found")
    assert api("DELETE", f"/orders/{order_id}").problem == (404, "order-not-found")


@pytest.mark.parametrize(
    ("url", "field"),
    [
        ("/events?limit=0", "limit"),
        ("/events?limit=101", "limit"),
        ("/events?limit=-1", "limit"),
        ("/events?limit=ten", "limit"),
        ("/events?limit=1.5", "limit"),
        ("/events?limit=", "limit"),
        ("/events?limit=1&limit=2", "limit"),
        ("/events?page=2", "page"),
        ("/events/1?x=1", "x"),
        ("/events/1/availability?x=1", "x"),
        ("/orders?status=sold", "status"),
        ("/orders?status=", "status"),
        ("/orders?eventId=x", "eventId"),
        ("/orders?eventId=0", "eventId"),
        ("/orders?eventId=null", "eventId"),
        ("/orders?eventid=1", "eventid"),
        ("/orders?userId=", "userId"),
        ("/orders?userId=%00", "userId"),
        ("/orders?limit=1000", "limit"),
        ("/orders/x?y=1", "y"),
        ("/ops/payments?state=paid", "state"),
        ("/ops/payments?limit=0", "limit"),
        ("/ops/payments?orderId=1", "orderId"),
        ("/ops/events/1/conservation?x=1", "x"),
    ],
)
def test_a_bad_query_parameter_is_named(api: Api, url: str, field: str) -> None:
    assert api("GET", url).fields == [field]


def test_a_lone_surrogate_in_the_query_is_refused(api: Api) -> None:
    event = api.event("GET", "/orders?userId=u")
    event["multiValueQueryStringParameters"] = {"userId": ["\ud800"]}
    assert api.app(event, None)["statusCode"] == 422


@pytest.mark.parametrize("path", ["/events", "/orders", "/orders?status=pending&eventId=1", "/ops/payments"])
@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "cDo",
        "cDpuaWwA",
        "%FF",
        "ZTox",
        "bzpub25zZW5zZQ",
        "ZTo5OTk5OTk5OTk5OTk",
        "ZTp4",
        "====",
        "a" * 100,
        "a" * 201,
        "é",
    ],
)
def test_a_cursor_that_we_did_not_make_is_refused(api: Api, path: str, cursor: str) -> None:
    if path == "/events" and cursor == "ZTox":
        assert api("GET", f"/events?cursor={cursor}").status == 200
        return
    assert api("GET", f"{path}{'&' if '?' in path else '?'}cursor={cursor}").fields == ["cursor"]


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_call_with_a_body_takes_no_query(api: Api, event_id: int, method: str) -> None:
    url, body = ("/orders?x=1", ORDER) if method == "POST" else ("/events/1?x=1", {"name": "y"})
    assert api(method, url, body, If_Match="*").fields == ["x"]
