"""The function `migrate` on a real ledger, called by an operator and by CloudFormation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from chalicelib.ledger.migrate import MIGRATIONS, digest
from chalicelib.migrating import PHYSICAL_ID, migrate
from chalicelib.services import Services
from chalicelib.settings import Settings
from infra.local.layout import free_port
from tests.support.passwords import ROLE, change_role, make_role
from tests.support.postgres import Server, running
from tests.support.scripted_server import ScriptedServer, answer
from tests.support.sqs import sqs_server
from tests.support.vault import Vault

pytestmark = pytest.mark.slow

EVERY = sorted(path.name for path in MIGRATIONS.glob("*.sql"))


@pytest.fixture
def empty(postgres: Server) -> Iterator[str]:
    with postgres.database() as dsn:
        yield dsn


@pytest.fixture
def cloudformation() -> Iterator[ScriptedServer]:
    """What takes answers."""
    with ScriptedServer() as server:
        yield server


def services(dsn: str, **more: Any) -> Services:
    return Services(Settings(database_url=dsn, **more))


def asked(server: ScriptedServer, kind: str = "Create") -> dict[str, Any]:
    """As CloudFormation asks for a custom resource."""
    ids = {"StackId": "s", "RequestId": "r", "LogicalResourceId": "Migration"}
    return {"RequestType": kind, "ResponseURL": server.queue_url, **ids}


def heard(server: ScriptedServer) -> dict[str, Any]:
    """The one answer that was given."""
    (request,) = server.requests
    said: dict[str, Any] = json.loads(request.partition(b"\r\n\r\n")[2])
    return said


def tables(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    return int(found[0]) if found else 0


@pytest.mark.parametrize("event", [None, {}, {"why": "by hand"}])
def test_an_operator_hears_what_was_applied(empty: str, event: dict[str, str] | None) -> None:
    assert migrate(services(empty), event) == {"applied": EVERY}
    assert migrate(services(empty), event) == {"applied": []}


def test_cloudformation_hears_that_it_is_done(empty: str, cloudformation: ScriptedServer) -> None:
    migrate(services(empty), asked(cloudformation))
    said = heard(cloudformation)
    assert (said["Status"], said["PhysicalResourceId"]) == ("SUCCESS", PHYSICAL_ID)
    assert said["Data"]["Applied"].split(",") == EVERY
    assert tables(empty) > 5


def test_a_migration_that_fails_says_which_and_why_and_leaves_nothing(
    empty: str, cloudformation: ScriptedServer
) -> None:
    with psycopg.connect(empty) as connection:
        connection.execute("CREATE TABLE events (something_else int)")
    migrate(services(empty), asked(cloudformation, "Update"))
    said = heard(cloudformation)
    assert said["Status"] == "FAILED"
    assert said["Reason"] == f'{EVERY[0]}: relation "events" already exists (42P07)'
    assert tables(empty) == 2  # that one, and the list of migrations


def test_a_file_that_was_changed_afterwards_is_a_failure(empty: str, cloudformation: ScriptedServer) -> None:
    migrate(services(empty), {})
    with psycopg.connect(empty) as connection:
        connection.execute("UPDATE schema_migrations SET sha256 = 'another' WHERE name = %s", [EVERY[1]])
    migrate(services(empty), asked(cloudformation, "Update"))
    assert heard(cloudformation)["Reason"] == f"{EVERY[1]} is not the file that was applied"


def test_a_ledger_that_is_down_is_a_failure_at_once(cloudformation: ScriptedServer) -> None:
    migrate(services(f"postgresql://onsale@127.0.0.1:{free_port()}/onsale"), asked(cloudformation))
    said = heard(cloudformation)
    assert said["Status"] == "FAILED"
    assert said["Reason"].startswith("the ledger does not answer: ")


def test_what_has_failed_is_not_tried_again_on_the_way_back(
    empty: str, cloudformation: ScriptedServer
) -> None:
    properties = {"ResourceProperties": {"Files": "former"}, "OldResourceProperties": {"Files": digest()}}
    migrate(services(empty), asked(cloudformation, "Update") | properties)
    assert heard(cloudformation)["Status"] == "SUCCESS"
    assert tables(empty) == 0


def test_control_on_the_way_forward_it_is_tried(empty: str, cloudformation: ScriptedServer) -> None:
    properties = {"ResourceProperties": {"Files": digest()}, "OldResourceProperties": {"Files": "former"}}
    migrate(services(empty), asked(cloudformation, "Update") | properties)
    assert heard(cloudformation)["Data"]["Applied"].split(",") == EVERY


def test_deleting_the_stack_deletes_no_table_and_asks_no_ledger(
    empty: str, cloudformation: ScriptedServer
) -> None:
    migrate(services(empty), {})
    before = tables(empty)
    migrate(services("postgresql://127.0.0.1:1/gone"), asked(cloudformation, "Delete"))
    assert heard(cloudformation)["Status"] == "SUCCESS"
    assert tables(empty) == before


def test_an_answer_that_nobody_takes_fails_the_call(empty: str) -> None:
    with ScriptedServer([answer(403, b"")] * 3) as server, pytest.raises(Exception, match="status 403"):
        migrate(services(empty), asked(server))


def test_an_address_that_cannot_be_read_is_not_shown(
    cloudformation: ScriptedServer, capfd: pytest.CaptureFixture[str]
) -> None:
    migrate(services("postgresql://onsale:hunter2@127.0.0.1/onsale?hunter2"), asked(cloudformation))
    assert heard(cloudformation)["Reason"] == "the ledger's address cannot be read"
    assert "hunter2" not in capfd.readouterr().out


@pytest.fixture(scope="module")
def guarded() -> Iterator[Server]:
    """A server of its own: it asks one role for its password."""
    with running() as server:
        make_role(server, "postgres", "first")
        yield server


def test_it_logs_in_by_the_ledgers_secret_and_by_the_new_one_after_a_rotation(
    guarded: Server, cloudformation: ScriptedServer, capfd: pytest.CaptureFixture[str]
) -> None:
    with sqs_server() as endpoint, closing(Vault(endpoint)) as vault, guarded.database() as dsn:
        secret = vault.put({"username": ROLE, "password": "first", "host": "db.invalid"})

        def cold() -> Services:
            return services(
                dsn,
                database_secret_id=secret,
                aws_endpoint_url_secrets_manager=endpoint,
                aws_access_key_id="test",
                aws_secret_access_key="test",
            )

        assert migrate(cold(), {}) == {"applied": EVERY}
        change_role(guarded, "second", cut=False)
        migrate(cold(), asked(cloudformation))
        vault.change(secret, {"username": ROLE, "password": "second"})
        assert migrate(cold(), {}) == {"applied": []}
    refused = heard(cloudformation)
    assert refused["Status"] == "FAILED"
    assert "password authentication failed" in refused["Reason"]
    shown = json.dumps(refused) + capfd.readouterr().out
    assert "first" not in shown
    assert "second" not in shown
