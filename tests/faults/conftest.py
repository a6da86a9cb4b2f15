"""The folder's servers: a PostgreSQL, a Valkey, an SQS, and one whole stack for faults under load."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

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
def stack() -> Iterator[Stack]:
    # Not below pytest's own folder: each pytest that starts shuts that for every other user, and root's
    # PostgreSQL, which runs as one, would not find its way back to its files after a restart.
    with TemporaryDirectory(prefix="onsale-stack-") as folder, Stack(Path(folder)).background() as running:
        yield running
