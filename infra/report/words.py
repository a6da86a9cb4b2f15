"""Figures in words: numbers, durations, moments and money as a person reads them. Pure."""

from __future__ import annotations

import math
from datetime import UTC, datetime

CODES = {
    "sold-out": "sold out",
    "not-enough-tickets": "not that many left",
    "sale-paused": "sale paused",
    "sale-not-open": "sale not open yet",
    "sale-closed": "sale over",
    "rate-limited": "too many requests",
    "order-limit-exceeded": "too many for one order",
    "buyer-limit-exceeded": "too many for one buyer",
    "other": "other reasons",
}
UNKNOWN = "not known"


def code_in_words(code: str) -> str:
    """A problem code as a buyer would say it; one without words of its own as it is."""
    return CODES.get(code, code.replace("-", " "))


def number(value: float | None) -> str:
    """With thousands apart; small ones keep a decimal when they have one."""
    if value is None:
        return UNKNOWN
    if value < 10 and value != int(value):
        return f"{value:,.1f}"
    return f"{value:,.0f}"


def duration(seconds: float | None) -> str:
    """`3.2 s`, `48 s`, `2 min 5 s`, `1 h 20 min`."""
    if seconds is None:
        return UNKNOWN
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 20 and seconds != int(seconds) else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def milliseconds(value: float) -> str:
    """`0`, `8.4 ms`, `240 ms`, `2.3 s`."""
    if value == 0:
        return "0"
    if value >= 1_000:
        return f"{value / 1_000:.1f}".removesuffix(".0") + " s"
    return f"{value:.1f}".removesuffix(".0") + " ms" if value < 10 else f"{value:.0f} ms"


def day(at: datetime) -> str:
    """`22 November 2026`."""
    return f"{at.astimezone(UTC).day} {at.astimezone(UTC):%B %Y}"


def clock(at: datetime, *, fine: bool = False) -> str:
    """`20:00:03`; `fine` adds tenths of a second."""
    utc = at.astimezone(UTC)
    return f"{utc:%H:%M:%S}" + (f".{utc.microsecond // 100_000}" if fine else "")


def stretch(starts_at: datetime, ends_at: datetime) -> str:
    """Day and times of a stretch, in UTC."""
    if starts_at.astimezone(UTC).date() == ends_at.astimezone(UTC).date():
        return f"{day(starts_at)}, {clock(starts_at)} to {clock(ends_at)} UTC"
    return f"{day(starts_at)} {clock(starts_at)} to {day(ends_at)} {clock(ends_at)} UTC"


def money(amount: float, currency: str) -> str:
    """`$4.10`; below a cent two digits that say something, `$0.0000056`. Other currencies by their code."""
    sign = "$" if currency == "USD" else f"{currency} "
    places = 2 if amount >= 0.01 or amount <= 0 else 1 - math.floor(math.log10(amount))
    return f"{sign}{amount:,.{places}f}"


def cents(amount: float, currency: str) -> str:
    """For columns: `$4.10`, and `< $0.01` for less than a cent."""
    return money(amount, currency) if amount >= 0.01 else f"< {money(0.01, currency)}"


def units(amount: float, unit: str) -> str:
    """`3,000,000 requests`, `0.8 GB`."""
    return f"{number(amount)} {unit if unit == 'GB' else unit + 's'}"
