"""A secret that may be changed while we run: kept, and asked for again when it turns out to be stale.

It must not know where the value comes from.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Login(msgspec.Struct, frozen=True):
    """Who may use a database; the shape that Secrets Manager's own rotation keeps for RDS.

    Empty where the secret says nothing. A secret that is no JSON object is a password.
    """

    username: str = ""
    password: str = ""
    host: str = ""
    port: int | str = ""
    dbname: str = ""

    def __repr__(self) -> str:
        """Whose it is, and never the password: this may come to stand in a log or in a test's report."""
        return f"Login({self.username!r})"


class Secret(Generic[T]):
    """One value for the life of the process. Safe to share between threads."""

    def __init__(
        self,
        fetch: Callable[[], T],
        rest_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`fetch` is asked when the value is first needed.

        `rest_seconds` lie between two further fetches, whoever provokes them: a value that somebody else
        calls wrong (a forged payment) must not make us call AWS at his pace.
        """
        self._fetch = fetch
        self._rest_seconds = rest_seconds
        self._monotonic = monotonic
        self._lock = Lock()
        self._value: T | None = None
        self._renewed_at = float("-inf")

    def value(self) -> T:
        """Returns the value as last fetched. Raises what `fetch` raises."""
        if self._value is None:
            with self._lock:
                if self._value is None:
                    self._value = self._fetch()
        return self._value

    def newer_than(self, stale: T) -> T | None:
        """Returns a value that is not `stale`, for one more try; None when there is none to be had now.

        Of many threads with the same stale value one fetches, the others get what it found. Raises what
        `fetch` raises.
        """
        with self._lock:
            if self._value != stale and self._value is not None:
                return self._value
            now = self._monotonic()
            if now - self._renewed_at < self._rest_seconds:
                return None
            self._renewed_at = now
            self._value = self._fetch()
            return self._value if self._value != stale else None


def constant(value: T) -> Secret[T]:
    """A secret from the environment: it is what it is as long as the process lives."""
    return Secret(lambda: value, rest_seconds=float("inf"))


def login_of(text: str) -> Login:
    """Reads a login from a secret's text. Never raises: what is no such object is a password."""
    try:
        return msgspec.json.decode(text, type=Login)
    except (msgspec.MsgspecError, UnicodeError):
        return Login(password=text)
