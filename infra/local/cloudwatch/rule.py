"""The rule of a composite alarm: ALARM(a) AND (OK(b) OR NOT ALARM("c d")). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

_TOKEN = re.compile(
    r"\s*(?:(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:\"(?P<quoted>[^\"]+)\"|(?P<bare>[^\s()\"]+))\s*\)"
    r"|(?P<word>AND|OR|NOT|TRUE|FALSE|\(|\)))"
)
_SPACE = re.compile(r"\s*\Z")


class BadRule(ValueError):
    """The text is no rule."""


def holds(rule: str, states: Mapping[str, str]) -> bool:
    """Whether the rule is true of these states, by alarm name. Raises BadRule, or KeyError for a name."""
    return _Reader(rule, states).whole()


def names_in(rule: str) -> list[str]:
    """The alarms that the rule speaks of, in order. Raises BadRule."""
    return [found[1] for found in _tokens(rule) if found[1]]


def _tokens(rule: str) -> list[tuple[str, str]]:
    """Each word with "", and each state with the alarm that is to be in it."""
    found, place = [], 0
    while not _SPACE.match(rule, place):
        token = _TOKEN.match(rule, place)
        if token is None:
            raise BadRule(f"not understood: {rule[place:]!r}")
        name = token["quoted"] or token["bare"] or ""
        found.append((token["state"] or token["word"], name.rpartition(":alarm:")[2]))
        place = token.end()
    return found


class _Reader:
    """Reads from left to right; NOT binds closest, then AND, then OR."""

    def __init__(self, rule: str, states: Mapping[str, str]) -> None:
        self._left = _tokens(rule)[::-1]
        self._states = states

    def whole(self) -> bool:
        found = self._any()
        if self._left:
            raise BadRule(f"too much: {self._left[-1][0]}")
        return found

    def _any(self) -> bool:
        found = self._all()
        while self._takes("OR"):
            found = self._all() or found
        return found

    def _all(self) -> bool:
        found = self._one()
        while self._takes("AND"):
            found = self._one() and found
        return found

    def _one(self) -> bool:
        if not self._left:
            raise BadRule("it ends too soon")
        word, name = self._left.pop()
        if name:
            return self._states[name] == word
        if word == "NOT":
            return not self._one()
        if word == "(":
            found = self._any()
            if not self._takes(")"):
                raise BadRule("a parenthesis is not closed")
            return found
        if word in {"TRUE", "FALSE"}:
            return word == "TRUE"
        raise BadRule(f"{word} is out of place")

    def _takes(self, word: str) -> bool:
        if self._left and self._left[-1] == (word, ""):
            self._left.pop()
            return True
        return False
