"""The verb: a table with one line of conclusion, or one JSON object."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
from click.testing import CliRunner

from infra.__main__ import main

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "capacity.md"


def asked(*words: str) -> str:
    answer = CliRunner().invoke(main, ["capacity", *words])
    assert answer.exit_code == 0, answer.output
    return answer.output


def test_the_last_line_says_which_limit_binds_first() -> None:
    *_, last = asked("--attempts-per-second", "100000").strip().splitlines()
    assert last.startswith("The first limit to bind is Lambda")
    assert last.endswith("the gate needs 21 shards.")


def test_limits_that_fit_twice_over_are_shown_on_demand() -> None:
    words = ("--attempts-per-second", "20000")
    assert "Secrets Manager" not in asked(*words)
    assert "Secrets Manager" in asked(*words, "--all")


def test_the_json_has_every_limit_with_its_source_and_our_figures() -> None:
    told = msgspec.json.decode(asked("--attempts-per-second", "20000", "--tickets", "5000", "--json"))
    assert told["sale"] == {"attemptsPerSecond": 20000.0, "tickets": 5000, "minutes": 10.0}
    assert all(row["limit"]["source"] for row in told["rows"])
    assert {"refusal-cpu", "ledger-100"} <= {figure["id"] for figure in told["measured"]}
    assert told["conclusion"]


def test_a_measured_handler_replaces_the_computed_one() -> None:
    words = ("--attempts-per-second", "1000", "--json")
    computed = msgspec.json.decode(asked(*words))["demand"]
    measured = msgspec.json.decode(asked(*words, "--refusal-ms", "50", "--accept-ms", "90"))["demand"]
    assert computed["refusalMs"] < 5
    assert (measured["refusalMs"], measured["acceptMs"]) == (50.0, 90.0)


def test_measured_ecpu_change_the_number_of_shards() -> None:
    words = ("--attempts-per-second", "100000", "--json")
    cheap, dear = (
        msgspec.json.decode(asked(*words, "--attempt-ecpu", each))["shards"] for each in ("1", "20")
    )
    assert cheap < 21 < dear


def test_the_worked_examples_are_what_the_verb_prints() -> None:
    written = DOCUMENT.read_text(encoding="utf-8")
    examples = re.findall(r"^\$ python -m infra capacity (.+)\n((?:.*\n)*?)```$", written, re.MULTILINE)
    assert len(examples) == 3
    for words, shown in examples:
        printed = [line.rstrip() for line in asked(*words.split()).splitlines()]
        assert shown.splitlines() == printed


def test_nobody_asks_for_no_attempts() -> None:
    refused = CliRunner().invoke(main, ["capacity", "--attempts-per-second", "0"])
    assert refused.exit_code == 2
