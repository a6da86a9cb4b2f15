"""The words of a verdict: one check, and all of them. It must not know what is checked."""

from __future__ import annotations

import msgspec

SHOWN = 3
"""Offenders named in a line; the rest are counted."""


class Check(msgspec.Struct, frozen=True):
    """One promise: a sentence, whether it held, and the figures."""

    promise: str
    passed: bool
    detail: str


class Audit(msgspec.Struct, frozen=True):
    """The verdict: every check, and notes on what could not be looked at."""

    passed: bool
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()


def verdict(checks: list[Check], *notes: str) -> Audit:
    """Passed when every check has."""
    return Audit(all(check.passed for check in checks), tuple(checks), notes)


def without_exception(promise: str, offenders: list[str]) -> Check:
    """A promise that each of `offenders` breaks; the first few are named."""
    more = f" and {len(offenders) - SHOWN} more" if len(offenders) > SHOWN else ""
    named = ", ".join(offenders[:SHOWN]) + more
    return Check(promise, not offenders, named or "no exception")
