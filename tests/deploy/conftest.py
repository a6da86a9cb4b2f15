"""Fixtures of the tests that look at what is deployed."""

from __future__ import annotations

from tests.support.package import built, task

__all__ = ["built", "task"]
