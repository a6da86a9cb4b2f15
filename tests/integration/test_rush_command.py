"""`python -m infra rush` as it is typed: what it prints, and the exit code that it ends with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from infra.commands.check_history import check_history
from infra.commands.rush import find, rush
from infra.local.layout import Layout, free_port
from infra.local.tenancy import take_lock
from tests.support.box_office import BoxOffice, Front, GivesAnIdTwice, HidesTickets, serving

pytestmark = pytest.mark.slow
SMALL = ["--tickets", "20", "--buyers", "60", "--concurrency", "4"]


def typed(*arguments: str) -> Result:
    return CliRunner().invoke(rush, arguments)


def test_json_is_one_object_on_standard_output_and_nothing_else(tmp_path: Path) -> None:
    with serving(Front(BoxOffice())) as url:
        result = typed(*SMALL, "--url", url, "--state-dir", str(tmp_path), "--json", "--quantity", "2")
    document = json.loads(result.stdout)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert (document["confirmed"], document["confirmedTickets"]) == (10, 20)
    assert document["audit"]["passed"]


def test_the_report_ends_with_the_verdict(tmp_path: Path) -> None:
    with serving(Front(BoxOffice())) as url:
        result = typed(*SMALL, "--url", url, "--state-dir", str(tmp_path))
    assert result.exit_code == 0
    assert result.stdout.endswith("audit passed\n")
    assert "note: the ledger was not asked" in result.stdout


def test_a_failed_audit_ends_with_one(tmp_path: Path) -> None:
    with serving(Front(HidesTickets())) as url:
        result = typed(*SMALL, "--url", url, "--state-dir", str(tmp_path), "--settle-seconds", "0")
    assert result.exit_code == 1
    assert "✗ the gate has what is unsold" in result.stdout
    assert result.stdout.endswith("audit FAILED\n")


def test_nobody_at_the_url_ends_with_two(tmp_path: Path) -> None:
    result = typed(*SMALL, "--url", f"http://127.0.0.1:{free_port()}", "--state-dir", str(tmp_path))
    assert result.exit_code == 2
    assert "cannot rush" in result.stderr


def test_without_a_stack_and_a_url_there_is_a_hint(tmp_path: Path) -> None:
    result = typed(*SMALL, "--state-dir", str(tmp_path))
    assert result.exit_code == 2
    assert "--url" in result.stderr


def test_chaos_strikes_no_stack_but_the_one_that_runs_here(tmp_path: Path) -> None:
    with serving(Front(BoxOffice())) as url:
        result = typed("--chaos", "--url", url, "--state-dir", str(tmp_path))
    assert result.exit_code == 2
    assert f"{url} is not the stack that runs here" in result.stderr


def test_chaos_needs_a_stack_that_is_alive(tmp_path: Path) -> None:
    state = {"http": {"url": "http://127.0.0.1:8001"}, "postgres": {"dsn": "postgresql://x"}}
    (tmp_path / "state.json").write_text(json.dumps(state))
    result = typed("--chaos", "--state-dir", str(tmp_path))
    assert result.exit_code == 2
    assert "no stack runs in" in result.stderr


@pytest.mark.parametrize("store", ["postgres", "valkey"])
def test_chaos_does_not_strike_a_store_that_somebody_else_runs(tmp_path: Path, store: str) -> None:
    layout = Layout(tmp_path)
    servers = {"postgres": {"dsn": "postgresql://x", "pid": 1}, "valkey": {"url": "valkey://x", "pid": 1}}
    servers[store]["pid"] = None
    with take_lock(layout):
        layout.write_state({"http": {"url": "http://127.0.0.1:8001"}, **servers})
        result = typed("--chaos", "--state-dir", str(tmp_path))
    assert result.exit_code == 2
    assert f"the stack did not start its {store} itself" in result.stderr


def test_the_running_stack_is_found_with_its_ledger(tmp_path: Path) -> None:
    state = {"http": {"url": "http://127.0.0.1:8001"}, "postgres": {"dsn": "postgresql://x"}}
    (tmp_path / "state.json").write_text(json.dumps(state))
    assert find(None, str(tmp_path)) == ("http://127.0.0.1:8001", "postgresql://x")
    assert find("http://127.0.0.1:8001/", str(tmp_path)) == ("http://127.0.0.1:8001", "postgresql://x")
    assert find("http://elsewhere.example", str(tmp_path)) == ("http://elsewhere.example", None)


def test_a_rush_is_written_down_where_it_is_told_to_and_judged_by_it(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "rush.jsonl"
    with serving(Front(BoxOffice())) as url:
        result = typed(*SMALL, "--url", url, "--state-dir", str(tmp_path), "--history", str(file))
    assert result.exit_code == 0, result.output
    assert f"history      {file}" in result.stdout
    assert "✓ the history alone shows that" in result.stdout
    assert "note: history: nothing was judged that needs the ledger" in result.stdout
    assert CliRunner().invoke(check_history, [str(file)]).exit_code == 0


def test_a_rush_without_a_ledger_writes_no_history_unasked(tmp_path: Path) -> None:
    with serving(Front(BoxOffice())) as url:
        result = typed(*SMALL, "--url", url, "--state-dir", str(tmp_path), "--json")
    assert json.loads(result.stdout)["history"] is None
    assert list(tmp_path.iterdir()) == []


def test_an_id_given_twice_fails_the_history_as_well(tmp_path: Path) -> None:
    with serving(Front(GivesAnIdTwice())) as url:
        result = typed(
            *SMALL,
            "--url",
            url,
            "--history",
            str(tmp_path / "h"),
            "--settle-seconds",
            "0",
            "--state-dir",
            str(tmp_path),
        )
    assert result.exit_code == 1
    assert "✗ the history alone shows that" in result.stdout
