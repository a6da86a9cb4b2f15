"""The runbook says nothing that is not so: what it names exists, and no alarm is left out."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from chalicelib.api.docs import contract
from infra.__main__ import main

CHECKOUT = Path(__file__).resolve().parents[2]
RUNBOOK = (CHECKOUT / "docs" / "runbook.md").read_text(encoding="utf-8")
CLOUDWATCH = CHECKOUT / "infra" / "cloudwatch"
WRITERS = frozenset({"log", "emit", "write"})
"""What the code calls to write a line of the log; its first argument is the line's event."""

Names = Callable[[str], set[str]]
"""What a text names."""


def in_json(name: str) -> Any:
    return json.loads((CLOUDWATCH / name).read_text(encoding="utf-8"))


def alarms() -> set[str]:
    return {
        each["Properties"]["AlarmName"].removeprefix("onsale-${Stage}-")
        for each in in_json("alarms.json").values()
    }


def events() -> set[str]:
    """Words of the log: those that are said by name where a line is written."""
    modules = [CHECKOUT / "app.py", *(CHECKOUT / "chalicelib").rglob("*.py")]
    return {word for path in modules for word in events_of(path.read_text(encoding="utf-8"))}


def events_of(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in WRITERS:
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value


def operations() -> set[str]:
    described: dict[str, Any] = contract()["paths"]  # type: ignore[assignment]
    return {f"{method.upper()} {path}" for path, methods in described.items() for method in methods}


def verbs() -> set[str]:
    """Every verb, `group verb`, and either of them with each of its options."""
    context = click.Context(main)
    return {
        name
        for verb in main.list_commands(context)
        if (command := main.get_command(context, verb)) is not None
        for name in callable_as(verb, command)
    }


def callable_as(verb: str, command: click.Command) -> Iterator[str]:
    yield verb
    for option in (word for each in command.params for word in each.opts if word.startswith("--")):
        yield f"{verb} {option}"
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from callable_as(f"{verb} {name}", below)


def panels() -> set[str]:
    return {each["properties"].get("title", "") for each in in_json("dashboard.json")["widgets"]}


def alarm_sections(text: str) -> set[str]:
    chapter = re.search(r"^## The alarms\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    return set(re.findall(r"^### (.+)$", chapter.group(1), re.MULTILINE)) if chapter else set()


def events_named(text: str) -> set[str]:
    return set(re.findall(r"`event=([^`]*)`", text)) | set(re.findall(r'"event":"([^"]*)"', text))


def operations_named(text: str) -> set[str]:
    return set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`? ]*)", text))


def verbs_named(text: str) -> set[str]:
    found: set[str] = set()
    for words in re.findall(r"python -m infra ([^`\n]+)", text):
        verb, *rest = words.split()
        if verb == "dead-letters" and rest:
            verb = f"{verb} {rest.pop(0)}"
        found |= {verb, *(f"{verb} {word}" for word in rest if word.startswith("--"))}
    return found


def anchors_named(text: str) -> set[str]:
    return set(re.findall(r"\]\(#([^)]*)\)", text))


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def panels_named(text: str) -> set[str]:
    """In italics and of more than two words: shorter ones may be pages of the console, or stress."""
    return {name for name in re.findall(r"(?<!\*)\*([A-Z][^*\n]+)\*(?!\*)", text) if len(name.split()) > 2}


def test_every_alarm_has_its_section_and_no_section_is_about_another() -> None:
    assert alarm_sections(RUNBOOK) == alarms()


@pytest.mark.parametrize(
    ("named", "there"),
    [
        (events_named, events()),
        (operations_named, operations()),
        (verbs_named, verbs()),
        (panels_named, panels()),
        (anchors_named, anchors(RUNBOOK)),
    ],
    ids=["log events", "operations", "verbs and their options", "panels", "anchors"],
)
def test_everything_that_it_names_exists(named: Names, there: set[str]) -> None:
    assert named(RUNBOOK)
    assert named(RUNBOOK) <= there


def test_no_code_is_broken_over_two_lines_where_nothing_here_would_find_it() -> None:
    assert [line for line in RUNBOOK.splitlines() if line.count("`") % 2] == []


def test_every_alarm_says_what_it_means_and_what_not_to_do() -> None:
    sections = re.split(r"^#+ ", RUNBOOK, flags=re.MULTILINE)
    told = [text for text in sections if text.partition("\n")[0] in alarms()]
    words = ("**Means:**", "**Soon:**", "**Look:**", "\n1. ", "**Do not**", "**Clears**")
    assert [(text.partition("\n")[0], word) for text in told for word in words if word not in text] == []


@pytest.mark.parametrize(
    ("named", "there", "text", "wrong"),
    [
        (alarm_sections, alarms(), "## The alarms\n\n### low-tide\n\n## More\n\n### Else\n", "low-tide"),
        (events_named, events(), "see `event=bug` and `event=low-tide`", "low-tide"),
        (operations_named, operations(), "`GET /ready`, `GET /ops/tides?high=1`", "GET /ops/tides"),
        (operations_named, operations(), "`DELETE /events/{eventId}`", "DELETE /events/{eventId}"),
        (verbs_named, verbs(), "`python -m infra top 1` or `python -m infra tide`", "tide"),
        (verbs_named, verbs(), "`python -m infra dead-letters drown M`", "dead-letters drown"),
        (verbs_named, verbs(), "`python -m infra close 1 --reason x --softly`", "close --softly"),
        (
            panels_named,
            panels(),
            "*Until an order is decided*, *Until the tide comes*",
            "Until the tide comes",
        ),
        (anchors_named, anchors("# Ebb and flow"), "[a](#ebb-and-flow) [b](#spring)", "spring"),
    ],
)
def test_what_does_not_exist_is_found(named: Names, there: set[str], text: str, wrong: str) -> None:
    assert named(text) - there == {wrong}


def test_an_alarm_without_a_section_is_found() -> None:
    assert alarms() - alarm_sections(RUNBOOK.replace("### breaker-open\n", "")) == {"breaker-open"}


def test_a_word_of_the_log_is_found_where_it_is_written_alone() -> None:
    source = 'log("ebb", "warning")\nemit("flow", {})\nprint("spring")\nx = "neap"\n'
    assert set(events_of(source)) == {"ebb", "flow"}
