"""The folder's servers: a PostgreSQL, a Valkey, an SQS, and one whole stack for faults under load."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import valkey

from chalicelib.ledger.migrate import migrate
from tests.faults.house import House
from tests.support.postgres import Server
from tests.support.sqs import sqs_server
from tests.support.stack import Stack
from tests.support.valkey import valkey_server


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    with sqs_server() as address:
        yield address


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    with valkey_server() as url:
        yield url


@pytest.fixture
def house(postgres: Server, valkey_url: str, endpoint: str, tmp_path: Path) -> Iterator[House]:
    """A fresh database, an empty Valkey and new queues.

    Migrated and not copied: a copy has none of a database's time limits, which end a frozen worker's hold.
    """
    with valkey.Valkey.from_url(valkey_url) as client:
        client.flushall()
    with postgres.database() as dsn:
        migrate(dsn)
        house = House(dsn, valkey_url, endpoint, tmp_path)
        yield house
        house.close()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("stack")).background() as running:
        yield running
