"""The embedded servers keep what they hold; how SQS behaves is the queue's contract."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from infra.local import postgres, sqs, valkey
from infra.local.layout import free_port
from tests.support.parts import running

pytestmark = pytest.mark.slow


@pytest.fixture
def deep() -> Iterator[Path]:
    """A directory that only its owner may enter, with a path longer than a Unix socket's name may be."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("long" * 30)
        path.mkdir()
        yield path


def test_postgres_keeps_its_data_below_a_closed_and_deep_directory(deep: Path) -> None:
    port = free_port()
    with running(postgres.part(deep / "postgres", port), deep), psycopg.connect(postgres.dsn(port)) as db:
        db.execute("CREATE TABLE kept AS SELECT 7 AS n")
        assert db.execute("SHOW fsync").fetchone() == ("on",)
    with running(postgres.part(deep / "postgres", port), deep), psycopg.connect(postgres.dsn(port)) as db:
        assert db.execute("SELECT n FROM kept").fetchone() == (7,)


def test_valkey_keeps_its_data_and_evicts_as_elasticache_does(tmp_path: Path) -> None:
    port = free_port()
    with running(valkey.part(tmp_path, port), tmp_path):
        assert valkey.ask(port, "SET kept 7") == b"+OK\r\n"
        assert b"volatile-lru" in valkey.ask(port, "CONFIG GET maxmemory-policy")
    with running(valkey.part(tmp_path, port), tmp_path):
        assert valkey.ask(port, "GET kept") == b"$1\r\n7\r\n"


def test_sqs_keeps_messages_also_when_its_port_changes(tmp_path: Path) -> None:
    port, another = free_port(), free_port()
    with (
        running(sqs.part(tmp_path, port), tmp_path),
        closing(sqs.client(sqs.queues(port).dead_letters)) as dead,
    ):
        dead.call("SendMessage", {"MessageBody": "kept"})
    with running(sqs.part(tmp_path, another), tmp_path):
        assert sqs.waiting(sqs.queues(another).dead_letters) == (1, 0)
