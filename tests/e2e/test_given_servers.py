"""`up` with the addresses of a PostgreSQL and a Valkey that somebody else runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local import valkey
from infra.local.layout import free_port
from tests.support.parts import running
from tests.support.postgres import Server
from tests.support.stack import Stack, broken_promises

pytestmark = pytest.mark.slow


def test_what_was_given_is_used_and_left_alone(postgres: Server, tmp_path: Path) -> None:
    port = free_port()
    with postgres.database() as dsn, running(valkey.part(tmp_path, port), tmp_path) as server:
        given = {"ONSALE_DATABASE_URL": dsn, "ONSALE_VALKEY_URL": valkey.url(port)}
        with Stack(tmp_path / "stack", given).background() as stack:
            found = stack.status()
            assert found["postgres"] == {"dsn": dsn, "pid": None}
            assert found["valkey"] == {"url": valkey.url(port), "pid": None}
            assert broken_promises(stack.rush(tickets=100, buyers=300)) == []
        assert valkey.ask(port, "PING") == b"+PONG\r\n"
        assert server.poll() is None


@pytest.mark.parametrize(
    ("variable", "address"),
    [
        ("ONSALE_DATABASE_URL", "postgresql://onsale@127.0.0.1:{}/x"),
        ("ONSALE_VALKEY_URL", "valkey://127.0.0.1:{}/0"),
    ],
)
def test_a_given_server_that_does_not_answer_is_a_sentence(
    variable: str, address: str, tmp_path: Path
) -> None:
    started = Stack(tmp_path, {variable: address.format(free_port())}).up()
    assert started.returncode == 1
    assert f"at {variable} does not answer" in started.stderr
    assert "Traceback" not in started.stderr


def test_a_shell_with_the_stacks_own_settings_starts_the_same_stack_again(stack: Stack) -> None:
    environment = stack.state["environment"]
    assert stack.down().returncode == 0
    again = Stack(stack.folder, environment, stack.port)
    assert again.up().returncode == 0
    assert again.status()["postgres"]["pid"] is not None
    assert again.state["environment"]["DATABASE_URL"] == environment["DATABASE_URL"]
