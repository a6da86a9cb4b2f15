"""The three stores of a stack: where each is, and which of them are ours to start and stop.

An address of PostgreSQL or Valkey that was given belongs to a server that somebody else runs: it is used
as it is. Knows servers and addresses; it does not know what any of them keeps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from infra.local import localstack, postgres, sqs, valkey
from infra.local.children import Part
from infra.local.layout import Layout

GIVEN_TIMEOUT_SECONDS = 5


class NotAnswering(RuntimeError):
    """A server whose address was given does not answer. The message says what to do."""


@dataclass(frozen=True)
class Stores:
    """Addresses, and how to start what is ours."""

    dsn: str
    valkey_url: str
    queues: sqs.Queues
    ours: dict[str, Callable[[], Part]]
    """A maker for each server to start, by its name, in the order of starting."""

    def parts(self) -> list[Part]:
        """The servers to start; makes their data directories when missing."""
        return [make() for make in self.ours.values()]

    def check_given(self) -> None:
        """Asks the servers that are not ours whether they are there. Raises NotAnswering."""
        if "postgres" not in self.ours:
            _check_postgres(self.dsn)
        if "valkey" not in self.ours:
            _check_valkey(self.valkey_url)


def stores(
    layout: Layout, *, aws: str, database_url: str, valkey_url: str, visibility_seconds: int
) -> Stores:
    """Chooses ports in `layout` and who runs what; starts nothing.

    An empty address means an embedded server. Raises NotThere without LocalStack.
    """
    ports = layout.ports("postgres", "valkey", "sqs")
    own_dsn, own_valkey = postgres.dsn(ports["postgres"]), valkey.url(ports["valkey"])
    ours: dict[str, Callable[[], Part]] = {}
    if not valkey_url:
        ours["valkey"] = lambda: valkey.part(layout.data("valkey"), ports["valkey"])
    if aws != "localstack":
        ours["sqs"] = lambda: sqs.part(layout.data("sqs"), ports["sqs"], visibility_seconds)
    if not database_url:
        ours["postgres"] = lambda: postgres.part(layout.data("postgres"), ports["postgres"])
    queues = sqs.queues(ports["sqs"]) if "sqs" in ours else localstack.make_queues(visibility_seconds)
    return Stores(database_url or own_dsn, valkey_url or own_valkey, queues, ours)


def _check_postgres(dsn: str) -> None:
    import psycopg  # 200 ms that nobody pays who uses the embedded one

    try:
        psycopg.connect(dsn, connect_timeout=GIVEN_TIMEOUT_SECONDS).close()
    except psycopg.Error as error:
        raise _unanswered("ONSALE_DATABASE_URL", "PostgreSQL", error) from error


def _check_valkey(url: str) -> None:
    from valkey.exceptions import ValkeyError

    from chalicelib.gate.client import connect

    try:
        connect(url, GIVEN_TIMEOUT_SECONDS * 1_000).ping()
    except (ValkeyError, ValueError) as error:
        raise _unanswered("ONSALE_VALKEY_URL", "Valkey", error) from error


def _unanswered(variable: str, server: str, error: Exception) -> NotAnswering:
    reason = str(error).strip().partition("\n")[0]
    return NotAnswering(
        f"The {server} at {variable} does not answer: {reason}."
        f" Start it, or unset {variable} to use the embedded one."
    )
