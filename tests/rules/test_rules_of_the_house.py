"""Rules that no linter knows, read from the sources themselves."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDERS = ("chalicelib", "infra", "tests")
MODULES = sorted(path for folder in FOLDERS for path in (CHECKOUT / folder).rglob("*.py"))
SHIPPED = [path for path in MODULES if path.is_relative_to(CHECKOUT / "chalicelib")]
SQL = re.compile(r"\b(SELECT .+ FROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b")

Rule = Callable[[Path, ast.Module], bool]
"""Whether the module breaks it."""


def has_no_docstring(_: Path, tree: ast.Module) -> bool:
    return not ast.get_docstring(tree)


def is_a_drawer_for_everything(path: Path, _: ast.Module) -> bool:
    return path.stem in {"utils", "util", "helpers", "common", "misc"}


def patches_what_it_does_not_own(_: Path, tree: ast.Module) -> bool:
    return any(name.partition(".")[0] == "unittest" for name in imported(tree))


def imported(tree: ast.Module) -> set[str]:
    """Names of the modules that are imported anywhere in it."""
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return found | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def reads_the_environment(path: Path, tree: ast.Module) -> bool:
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return path.name != "settings.py" and bool(attributes & {"environ", "getenv"})


def has_sql_of_its_own(path: Path, tree: ast.Module) -> bool:
    if path.name == "migrate.py":  # its one table is there before any migration
        return False
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return any(isinstance(text, str) and SQL.search(text) for text in texts)


def breakers(rule: Rule, modules: list[Path]) -> list[str]:
    return [str(path.relative_to(CHECKOUT)) for path in modules if rule(path, ast.parse(path.read_text()))]


@pytest.mark.parametrize("rule", [has_no_docstring, is_a_drawer_for_everything, patches_what_it_does_not_own])
def test_no_module(rule: Rule) -> None:
    assert breakers(rule, MODULES) == []


@pytest.mark.parametrize("rule", [reads_the_environment, has_sql_of_its_own])
def test_no_module_that_ships(rule: Rule) -> None:
    assert breakers(rule, SHIPPED) == []
