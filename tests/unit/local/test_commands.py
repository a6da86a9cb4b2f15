"""The verbs, as far as they go without a running stack."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.__main__ import VERBS, main
from infra.local.children import Identity
from infra.local.layout import LOOPBACK, Layout, free_port, port_is_free
from infra.local.localstack import NotThere, make_queues

EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
"""The first and the last port that Linux gives to outgoing connections."""


def test_help_lists_every_verb_and_imports_none() -> None:
    script = "import sys; from infra.__main__ import main; main(['--help'], standalone_mode=False)"
    check = "; print([name for name in sys.modules if name.startswith('infra.commands')])"
    printed = subprocess.run(
        [sys.executable, "-c", script + check], capture_output=True, text=True, check=True
    )
    assert all(verb in printed.stdout for verb in VERBS)
    assert printed.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("verb", ["status", "env"])
def test_a_verb_that_needs_a_stack_says_what_to_do(verb: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [verb, "--state-dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "Start it with `make up`" in result.output


@pytest.mark.parametrize(
    "words", [["top"], ["pause", "1"], ["resume", "--fulfilment"], ["close", "1", "--yes"]], ids=str
)
def test_an_operators_verb_that_needs_a_service_says_what_to_do(words: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [*words, "--state-dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "Start it with `make up`, or give --url" in result.output


@pytest.mark.parametrize("words", [["pause"], ["resume"], ["pause", "1", "--fulfilment"]], ids=str)
def test_a_switch_is_a_sales_or_fulfilments(words: list[str]) -> None:
    result = CliRunner().invoke(main, [*words, "--url", f"http://{LOOPBACK}:{free_port()}"])
    assert result.exit_code == 2
    assert "Name an EVENT, or give --fulfilment" in result.output


def test_down_is_content_when_nothing_runs(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["down", "--state-dir", str(tmp_path)])
    assert (result.exit_code, result.output) == (0, f"Nothing runs in {tmp_path}.\n")


def test_without_localstack_the_sentence_says_how_to_start_it() -> None:
    with pytest.raises(NotThere, match="docker compose"):
        make_queues(30, free_port())


def test_ports_are_kept_while_they_are_free(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    first = layout.ports("postgres", "valkey")
    assert layout.ports("postgres", "valkey") == first


def test_a_port_that_somebody_took_is_replaced(tmp_path: Path) -> None:
    import socket

    layout = Layout(tmp_path)
    first = layout.ports("sqs")
    with socket.create_server((LOOPBACK, first["sqs"])):
        assert not port_is_free(first["sqs"])
        assert layout.ports("sqs") != first


def test_a_state_that_nobody_holds_is_not_a_running_stack(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.lock_file.touch()
    layout.write_state({"ready": True})
    assert layout.read_state() == {"ready": True}
    assert layout.running_state() is None


def test_a_process_with_the_same_number_and_another_birth_is_a_stranger() -> None:
    import psutil

    born = psutil.Process().create_time()
    assert Identity("me", os.getpid(), born, 15).process() is not None
    assert Identity("me", os.getpid(), born - 60, 15).process() is None


@pytest.mark.skipif(not EPHEMERAL.exists(), reason="only Linux tells which ports those are")
def test_no_connection_of_somebody_else_takes_a_port_that_was_chosen_for_a_server() -> None:
    first = int(EPHEMERAL.read_text().split()[0])
    assert all(free_port() < first for _ in range(50))
