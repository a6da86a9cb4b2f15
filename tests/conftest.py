"""Fixtures that every folder of tests may ask for."""

from __future__ import annotations

from tests.support.postgres import database, postgres

__all__ = ["database", "postgres"]
