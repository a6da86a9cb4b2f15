"""The ledger's connections and its migrations on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from chalicelib.errors import Unavailable
from chalicelib.ledger.connections import IDLE_SECONDS, Connections
from chalicelib.ledger.migrate import MIGRATIONS, ChangedMigration, migrate
from tests.support.postgres import Server

pytestmark = pytest.mark.slow


class HandClock:
    """Stands until somebody moves it."""

    seconds = 0.0

    def now(self) -> float:
        """Seconds since nothing in particular."""
        return self.seconds


@pytest.fixture
def hand() -> HandClock:
    return HandClock()


@pytest.fixture
def pool(database: str, hand: HandClock) -> Iterator[Connections]:
    made = Connections(database, 2, timeout_ms=50, monotonic=hand.now)
    yield made
    made.close()


def backend(pool: Connections) -> int:
    with pool.lease() as connection:
        return connection.info.backend_pid


def test_a_connection_is_opened_when_first_needed_and_used_again(pool: Connections) -> None:
    assert backend(pool) == backend(pool)


def test_the_connection_used_last_is_lent_first(pool: Connections) -> None:
    with pool.lease() as one, pool.lease() as two:
        pids = [one.info.backend_pid, two.info.backend_pid]
    assert backend(pool) == pids[0]  # the inner lease ends first


def test_more_than_the_limit_is_not_available(pool: Connections) -> None:
    with pool.lease(), pool.lease(), pytest.raises(Unavailable, match="in use"), pool.lease():
        pass


def test_a_lease_that_fails_gives_its_place_back(pool: Connections) -> None:
    for _ in range(5):
        with pytest.raises(Unavailable), pool.lease():
            raise Unavailable("ledger", "broke")
    assert backend(pool) > 0


def test_a_connection_left_in_a_transaction_is_not_lent_again(pool: Connections) -> None:
    with pool.lease() as connection:
        connection.execute("BEGIN")
        left = connection.info.backend_pid
    assert backend(pool) != left


def test_a_connection_idle_for_long_is_asked_before_it_is_lent(pool: Connections, hand: HandClock) -> None:
    first = backend(pool)
    hand.seconds += IDLE_SECONDS + 1
    assert backend(pool) == first


def test_a_server_that_refuses_is_unavailable(database: str) -> None:
    with pytest.raises(Unavailable), Connections(f"{database}_missing", 1, timeout_ms=50).lease():
        pass


def test_no_statement_of_a_lease_pins_a_pooled_connection(pool: Connections) -> None:
    with pool.lease() as connection:
        for _ in range(20):
            connection.execute("SELECT %s::int", [1])
        assert connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
        changed = connection.execute("SELECT name FROM pg_settings WHERE source = 'session'").fetchall()
    assert changed == []


@pytest.fixture
def empty(postgres: Server) -> Iterator[str]:
    with postgres.database() as dsn:
        yield dsn


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_one.sql").write_text("CREATE TABLE one (id int); INSERT INTO one VALUES (1);")
    (tmp_path / "0002_two.sql").write_text("CREATE TABLE two AS SELECT id FROM one;")
    return tmp_path


def test_migrations_are_applied_once_in_order(empty: str, folder: Path) -> None:
    assert migrate(empty, folder) == ["0001_one.sql", "0002_two.sql"]
    assert migrate(empty, folder) == []
    (folder / "0003_three.sql").write_text("DROP TABLE two")
    assert migrate(empty, folder) == ["0003_three.sql"]


def test_the_shipped_migrations_bring_an_empty_database_to_the_schema(empty: str) -> None:
    assert migrate(empty) == sorted(path.name for path in MIGRATIONS.iterdir())
    with psycopg.connect(empty) as connection:
        assert connection.execute("SHOW statement_timeout").fetchone() == ("10s",)


def test_orders_given_back_before_they_were_counted_are_counted_when_the_column_comes(
    empty: str, tmp_path: Path
) -> None:
    for path in MIGRATIONS.iterdir():
        if path.name < "0005":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    migrate(empty, tmp_path)
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO orders (id, event_id, user_id, status, items, quantity, total_price, currency,"
            " accepted_at, decided_at, expires_at)"
            " SELECT uuidv7(), 1, buyer, status, '[]', 1, 0, 'EUR', now(), now(),"
            " CASE status WHEN 'expired' THEN now() END"
            " FROM (VALUES ('ann', 'cancelled'), ('ann', 'expired'),"
            " ('ann', 'confirmed'), ('bob', 'cancelled'), ('cleo', 'confirmed')) AS had (buyer, status)"
        )
        connection.execute("INSERT INTO tallies VALUES (1, 'ann', 1, 4), (1, 'cleo', 1, 1)")
        assert "0005_limits.sql" in migrate(empty)
        counted = connection.execute("SELECT user_id, quantity, version, given_back FROM tallies ORDER BY 1")
        assert counted.fetchall() == [("ann", 1, 5, 2), ("bob", 0, 1, 1), ("cleo", 1, 1, 0)]


def test_a_migration_changed_after_it_was_applied_is_refused(empty: str, folder: Path) -> None:
    migrate(empty, folder)
    (folder / "0001_one.sql").write_text("CREATE TABLE uno (id int)")
    with pytest.raises(ChangedMigration, match="0001_one"):
        migrate(empty, folder)


def test_a_migration_that_fails_leaves_nothing_and_can_be_mended(empty: str, folder: Path) -> None:
    (folder / "0002_two.sql").write_text("CREATE TABLE two (id int); SELECT 1/0")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(empty, folder)
    (folder / "0002_two.sql").write_text("CREATE TABLE two (id int)")
    assert migrate(empty, folder) == ["0002_two.sql"]


def test_two_runners_at_once_apply_each_file_once(empty: str, folder: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(lambda _: migrate(empty, folder), range(4)))
    assert sorted(name for names in applied for name in names) == ["0001_one.sql", "0002_two.sql"]
