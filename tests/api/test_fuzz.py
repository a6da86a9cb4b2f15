"""Whatever is sent, the answer is a success or a problem document, and never a 500."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.api.docs import ALL
from tests.api.conftest import Api
from tests.fakes.services import MemoryServices

EXAMPLES = settings(max_examples=150, deadline=None)
NAMES = sorted({name for each in ALL if each.body for name in each.body.__struct_encode_fields__})

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**31) - 1, 2**31 + 1)
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.datetimes().map(lambda moment: moment.isoformat() + "Z")
    | st.sampled_from(["EUR", "2026-06-01T12:00:00+02:00", 1, 0])
)
keys = st.sampled_from([*NAMES, "ticketTypeId", "price", "capacity"]) | st.text(max_size=5)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=12,
)
RESOURCES = ["/events/{eventId}", "/orders/{orderId}", "/ops/dead-letters/{messageId}"]
bodies = st.dictionaries(keys, values, max_size=10)
near_orders = st.fixed_dictionaries(
    {"eventId": st.sampled_from([1, 1, 1, 2]), "userId": st.text(min_size=1, max_size=10)},
    optional={"quantity": st.integers(1, 12), "items": values},
)
near_payments = st.fixed_dictionaries(
    {
        "reference": st.text(min_size=1, max_size=10),
        "orderId": st.text(min_size=1, max_size=40) | st.uuids().map(str),
        "amount": st.integers(-1, 2**63),
        "currency": st.sampled_from(["EUR", "USD", "eur"]),
        "outcome": st.sampled_from(["succeeded", "failed", "?"]),
    }
)
near_events = st.fixed_dictionaries(
    {"name": st.text(min_size=1), "description": st.text()},
    optional={name: values for name in NAMES if name not in ("name", "description")},
)


near_selections = st.fixed_dictionaries(
    {},
    optional={
        "messageIds": st.lists(st.text(max_size=5) | st.sampled_from(["dead-0", "unheard-of"]), max_size=3),
        "filter": st.fixed_dictionaries(
            {}, optional={"eventId": st.integers(-1, 2), "userId": st.text(), "reason": st.text()}
        ),
        "all": st.booleans(),
        "reason": st.text(max_size=5),
    },
)


def checked(status: int, answer: Any) -> None:
    assert status < 500
    if status >= 400:
        assert answer.problem[0] == status


def served() -> Api:
    api = Api(MemoryServices())
    api("POST", "/events", {"name": "x", "description": "d", "totalTickets": 10})
    return api


@EXAMPLES
@given(path=st.sampled_from(["/events", "/orders"]), body=bodies | near_orders | near_events | values)
def test_no_json_body_of_a_post_ends_in_500(path: str, body: Any) -> None:
    answer = served()("POST", path, body if isinstance(body, dict) else [body])
    checked(answer.status, answer)


@EXAMPLES
@given(what=st.sampled_from(["dry-run", "redrive", "delete"]), body=near_selections | bodies)
def test_no_selection_of_dead_letters_ends_in_500(what: str, body: Any) -> None:
    services = MemoryServices()
    services.bury("{")
    answer = Api(services)("POST", f"/ops/dead-letters/{what}", body)
    checked(answer.status, answer)


@EXAMPLES
@given(body=bodies | near_events, tag=st.text(st.characters(codec="latin-1"), max_size=8) | st.just("*"))
def test_no_json_body_of_a_patch_ends_in_500(body: Any, tag: str) -> None:
    answer = served()("PATCH", "/events/1", body, If_Match=tag)
    checked(answer.status, answer)


@EXAMPLES
@given(raw=st.binary(max_size=200), path=st.sampled_from(["/events", "/orders"]))
def test_no_bytes_end_in_500(raw: bytes, path: str) -> None:
    answer = served()("POST", path, raw)
    checked(answer.status, answer)


@EXAMPLES
@given(body=bodies | near_payments | values, raw=st.none() | st.binary(max_size=100))
def test_no_signed_notice_ends_in_500(body: Any, raw: bytes | None) -> None:
    services = MemoryServices()
    answer = Api(services).pay(services, body if raw is None else raw)
    checked(answer.status, answer)


@EXAMPLES
@given(header=st.text(max_size=80) | st.from_regex(r"t=[0-9]{1,20},v1=.{0,64}", fullmatch=True))
def test_no_signature_of_a_strangers_ends_in_anything_but_401(header: str) -> None:
    api = served()
    event = api.event("POST", "/payments/events", {"reference": "r"}, Onsale_Signature=header)
    assert api.app(event, None)["statusCode"] == 401


@EXAMPLES
@given(key=st.text(max_size=300) | st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=300))
def test_a_key_is_taken_or_refused_and_never_a_500(key: str) -> None:
    answer = served()("POST", "/orders", {"eventId": 1, "quantity": 1, "userId": "u"}, Idempotency_Key=key)
    assert answer.status == 202 or answer.fields == ["Idempotency-Key"]


@EXAMPLES
@given(
    path=st.sampled_from(
        ["/events", "/orders", "/events/1", "/orders/x", "/ops/payments", "/ops/dead-letters", "/ops/log"]
    ),
    query=st.dictionaries(
        st.sampled_from(["cursor", "limit", "eventId", "userId", "status", "state", "reason"])
        | st.text(max_size=3),
        st.lists(
            st.text(max_size=20) | st.sampled_from(["pending", "1", "ZTox", "dead"]), min_size=1, max_size=2
        ),
        max_size=4,
    ),
)
def test_no_query_ends_in_500(path: str, query: dict[str, list[str]]) -> None:
    api = served()
    event = api.event("GET", path)
    event["multiValueQueryStringParameters"] = query or None
    assert api.app(event, None)["statusCode"] < 500


@EXAMPLES
@given(identifier=st.text(max_size=50), resource=st.sampled_from(RESOURCES))
def test_no_id_ends_in_500(identifier: str, resource: str) -> None:
    api = served()
    event = api.event("GET", resource.partition("{")[0] + "1")
    event["pathParameters"] = {resource.partition("{")[2][:-1]: identifier}
    assert api.app(event, None)["statusCode"] in (200, 404)
