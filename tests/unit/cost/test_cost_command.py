"""The verb: two tables, or one JSON object; and the document shows what it prints."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from infra.__main__ import main

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "cost.md"
SALE = ("--tickets", "1000", "--attempts", "50000")


def asked(*words: str) -> str:
    answer = CliRunner().invoke(main, ["cost", *words])
    assert answer.exit_code == 0, answer.output
    return answer.output


def refused(*words: str) -> str:
    answer = CliRunner().invoke(main, ["cost", *words])
    assert answer.exit_code == 2, answer.output
    return answer.output


def test_the_table_and_the_json_say_the_same() -> None:
    told = msgspec.json.decode(asked(*SALE, "--json"))
    shown = asked(*SALE)
    for service, cost in told["services"].items():
        assert re.search(rf"^ +{service} +{cost:,.2f} *$", shown, re.MULTILINE)
    assert re.search(rf"in all +{told['bill']['total']:,.2f}", shown)
    assert re.search(rf"a sold ticket +1,000 +ticket +{told['aTicket']:.6f}", shown)
    for each in told["saved"]:
        assert re.search(rf" {each['saved']:,.3f} ", shown)


def test_the_json_has_each_price_with_its_source_and_each_assumption() -> None:
    told = msgspec.json.decode(asked(*SALE, "--minutes", "5", "--json"))
    assert told["sale"] == {"tickets": 1000, "attempts": 50000, "minutes": 5.0, "pollsPerOrder": None}
    assert {line["position"]["price"] for line in told["bill"]["lines"]} == {
        price["name"] for price in told["prices"]
    }
    assert all(price["source"] for price in told["prices"])
    assert told["around"]["prepareMinutes"] == 60
    assert told["assumed"]["vcpu"]
    assert told["leftOut"]


def test_polls_can_be_said() -> None:
    told = msgspec.json.decode(asked(*SALE, "--polls-per-order", "4", "--json"))
    assert told["quantities"]["polls"] == 4_000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--tickets", "11", "--attempts", "10"), "11 tickets cannot be sold in 10 attempts"),
        (("--tickets", "0", "--attempts", "10"), "--tickets"),
        (("--attempts", "10"), "Missing option '--tickets'"),
        ((*SALE, "--minutes", "0"), "--minutes"),
        ((*SALE, "--polls-per-order", "-1"), "--polls-per-order"),
    ],
)
def test_a_sale_that_cannot_be_is_refused_in_a_sentence(words: tuple[str, ...], said: str) -> None:
    assert said in refused(*words)


def test_the_worked_examples_are_what_the_verb_prints() -> None:
    written = DOCUMENT.read_text(encoding="utf-8")
    examples = re.findall(r"^\$ python -m infra cost (.+)\n((?:.*\n)*?)```$", written, re.MULTILINE)
    assert len(examples) == 1
    for words, shown in examples:
        printed = [line.rstrip() for line in asked(*words.split()).splitlines()]
        assert shown.splitlines() == printed


def test_the_help_says_what_each_option_is() -> None:
    shown = asked("--help")
    assert "--polls-per-order" in shown
    assert "infra/cost/prices.json" in shown
