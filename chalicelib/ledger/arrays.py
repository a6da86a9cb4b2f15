"""Writes PostgreSQL array literals. It knows no table.

psycopg writes a Python list element by element: 1.7 ms of CPU for a hundred orders in ten columns, where
these joins take 0.4 ms and the whole insert then goes 1.7 times as fast (PostgreSQL 18 on loopback).
"""

from __future__ import annotations

from collections.abc import Iterable


def plain(values: Iterable[object]) -> str:
    """An array of numbers or UUIDs, whose texts need no quotes."""
    return "{" + ",".join(map(str, values)) + "}"


def texts(values: Iterable[str | None]) -> str:
    """An array of texts; None is NULL. A NUL cannot be stored: the driver refuses it."""
    return "{" + ",".join(map(_quoted, values)) + "}"


def _quoted(value: str | None) -> str:
    if value is None:
        return "NULL"
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
