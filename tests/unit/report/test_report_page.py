"""The page: it needs nothing from anywhere, lets no name become a tag, and says what is not known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest

from infra.cost.prices import list_prices
from infra.report import words
from infra.report.facts import conclude
from infra.report.gather import gather
from infra.report.markup import Markup, element
from infra.report.page import page
from tests.support.sold_out import NOW, OPENS, SoldOut

EVIL = "<script>alert('x')</script> & \"Night\""
VOID = {"meta", "br", "hr"}
REFERENCES = re.compile(r"(?:https?:)?//|url\(|@import|\b(?:src|href|srcset|action)\s*=", re.IGNORECASE)
"""Whatever could make a browser ask for something."""


class Tags(HTMLParser):
    """Counts start tags, and notes what is closed that was not opened."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - html.parser's signature
        """Notes it."""
        self.found.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Must close what was opened last."""
        assert self.open.pop() == tag


def written(service: SoldOut) -> str:
    return page(conclude(gather(service, 7, NOW), list_prices()))


def tags(text: str) -> list[str]:
    parser = Tags()
    parser.feed(text)
    assert parser.open == []
    return parser.found


def test_it_says_what_an_organiser_wants_to_know() -> None:
    text = written(SoldOut())
    for told in (
        "Night One",
        "20 s",
        "940/s",
        "Every one of the 2,000 tickets is in exactly one place",
        "sold out",
        "sale paused",
        "Wrong price on the poster",
        "alarm decide-p99",
        "One order: $0.0000",
        "A million refusals: $",
    ):
        assert told in text, told
    assert "not known" not in text


def test_every_tag_is_closed_and_every_picture_has_its_table() -> None:
    found = tags(written(SoldOut()))
    assert found.count("details") == 4
    assert (
        found.count("svg") == 6
    )  # four with a table folded away, the lanes above theirs, the bar of the certificate


def test_a_name_never_becomes_a_tag() -> None:
    text = written(SoldOut(EVIL))
    assert "script" not in tags(text)
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp; &quot;Night&quot;" in text


def test_a_page_that_did_not_escape_would_be_found() -> None:
    """The negative control: the same name, handed on as markup."""
    text = written(SoldOut(EVIL)).replace("</main>", element("p", Markup(EVIL)) + "</main>")
    assert "script" in tags(text)


def test_names_are_escaped_in_attributes_too() -> None:
    assert element("p", title='" onclick="x') == '<p title="&quot; onclick=&quot;x"></p>'


def test_it_refers_to_nothing_outside_itself() -> None:
    text = written(SoldOut())
    assert REFERENCES.findall(text) == []
    assert "default-src 'none'" in unescape(text)
    assert REFERENCES.findall('<img src="x">'), "the control is found"


@pytest.mark.parametrize(
    ("path", "words_"),
    [
        ("/ops/metrics", "not known: the metrics."),
        ("/ops/events/7/conservation", "not known: the conservation."),
        ("/ops/events/7/sale", "not known: the sale."),
        ("/ops/alarms/history", "Not known: the alarms."),
        ("/ops/me", "they are kept by stage, and the stage is not known"),
    ],
)
def test_what_is_missing_is_said_and_the_rest_is_there(path: str, words_: str) -> None:
    text = written(SoldOut(silent=(path,)))
    assert words_ in text
    assert "No alarm, no fault" not in text
    tags(text)


def test_with_nothing_but_the_event_there_is_still_a_page() -> None:
    text = written(SoldOut(silent=("/ops",)))
    assert "Night One" in text
    assert text.count("not known: ") >= 6


def test_two_alarms_at_once_are_shaded_once_and_what_is_known_to_the_minute_is_not_shaded() -> None:
    class Loud(SoldOut):
        def get(self, path: str, **query: object) -> dict[str, Any]:
            answer = super().get(path, **query)
            if path == "/ops/alarms/history":
                answer["items"] += [{**change, "name": "another"} for change in answer["items"]]
            return answer

        def post(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
            answer = super().post(path, body)
            for result in answer["results"]:
                if result["id"] == "errors":
                    result |= {"times": [OPENS.timestamp()], "values": [7.0]}
            return answer

    text = written(Loud())
    assert (
        text.count('class="band alarm"') == text.count('class="band fault"') == 4
    )  # one in each chart over time
    assert text.count('class="bar alarm"') == 2
    assert "7 answers, of all events together" in text


def test_a_broken_certificate_looks_broken() -> None:
    service = SoldOut()
    service.gap = 3
    text = written(service)
    assert 'class="certificate broken"' in text
    assert "3 of 2,000 tickets are in no place" in text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.42, "0.4 s"),
        (1, "1 s"),
        (33.4, "33 s"),
        (125, "2 min 5 s"),
        (4_800, "1 h 20 min"),
        (None, "not known"),
    ],
)
def test_durations_are_said_as_people_do(seconds: float | None, said: str) -> None:
    assert words.duration(seconds) == said


@pytest.mark.parametrize(
    ("amount", "said"),
    [(0, "$0.00"), (4.1, "$4.10"), (1_234.5, "$1,234.50"), (5.63e-6, "$0.0000056"), (0.0041, "$0.0041")],
)
def test_money_keeps_two_digits_that_say_something(amount: float, said: str) -> None:
    assert words.money(amount, "USD") == said
