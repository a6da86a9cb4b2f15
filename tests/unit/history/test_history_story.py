"""Reading a history: what is none is refused by line; and how requests and answers become lines."""

from __future__ import annotations

import pytest

from infra.history.calls import answer_line, request_line, request_of_bytes
from infra.history.lines import Answer, Request, Wanted
from infra.history.story import Unreadable, tell

RUN = b'{"kind":"run","schema":1,"what":"x","url":"","startedAtMs":1,"toleranceMs":1,"settleMs":1}'
ASKED = b'{"kind":"request","number":1,"atMs":1,"method":"GET","path":"/"}'
HEARD = b'{"kind":"answer","number":1,"atMs":2,"status":200}'
END = b'{"kind":"end","atMs":3}'


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([], "line 1: there is none"),
        ([b"no json"], "line 1: "),
        ([b""], "line 1: "),
        ([b"\xff\xfe"], "line 1: "),
        ([ASKED], "line 1: a history begins with the run, not with request"),
        ([RUN.replace(b'"schema":1', b'"schema":2')], "line 1: schema 2: this reader knows 1"),
        ([RUN, RUN], "line 2: the run begins a second time"),
        ([RUN, ASKED, b'{"kind":"rumour"}'], "line 3: Invalid value 'rumour'"),
        ([RUN, HEARD], "line 2: answer 1 has no request before it"),
        ([RUN, ASKED, ASKED], "line 3: request 1 comes twice"),
        ([RUN, ASKED, HEARD, HEARD], "line 4: answer 1 comes twice"),
        ([RUN, ASKED, b'{"kind":"answer","number":"one"}'], "line 3: Expected `int`, got `str`"),
        ([RUN, END, ASKED], "line 3: something follows the end"),
        ([RUN, ASKED[:-9]], "line 2: "),
    ],
)
def test_what_is_no_history_is_refused_with_its_line(lines: list[bytes], complaint: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        tell(lines)
    assert str(refusal.value).startswith(complaint)


def test_an_order_is_read_from_the_bytes_that_went_out() -> None:
    body = b'{"eventId": 3, "quantity": 2, "userId": "ann"}'
    raw = b"POST /api/orders HTTP/1.1\r\nHost: x\r\nidempotency-key:  k1 \r\n\r\n" + body
    assert request_of_bytes(4, 1.23456, raw) == Request(
        number=4,
        at_ms=1.235,
        method="POST",
        path="/api/orders",
        event_id=3,
        user_id="ann",
        items=(Wanted(None, 2),),
        idempotency_key="k1",
    )


def test_the_long_form_names_its_ticket_types() -> None:
    body = b'{"eventId": 3, "items": [{"ticketTypeId": 8, "quantity": 2}], "userId": "ann"}'
    asked = request_line(1, 0, "POST", "/orders", body)
    assert (asked.items, asked.quantity, asked.buys) == ((Wanted(8, 2),), 2, True)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"eventId": "three"}', b"\xff"])
def test_a_body_that_nobody_can_read_asks_for_no_order(body: bytes) -> None:
    assert not request_line(1, 0, "POST", "/orders", body).buys


def test_a_question_names_its_order() -> None:
    assert request_line(1, 0, "GET", "/orders/AB-1?x=1").order_id == "ab-1"
    assert request_line(1, 0, "GET", "/orders?limit=2").order_id is None


def test_an_answer_tells_of_an_order_or_of_a_problem() -> None:
    assert answer_line(1, 2, 200, b'{"id": "o1", "status": "confirmed"}') == Answer(
        number=1, at_ms=2, status=200, order_id="o1", order_status="confirmed"
    )
    assert answer_line(1, 2, 409, b'{"code": "sold-out", "status": 409}') == Answer(
        number=1, at_ms=2, status=409, code="sold-out"
    )
    assert answer_line(1, 2, 502, b"<html>").code == "http-502"
    assert answer_line(1, 2, 201, b'{"id": 3}').order_id is None
