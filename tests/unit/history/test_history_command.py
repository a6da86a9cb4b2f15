"""`python -m infra check-history` as it is typed: what it prints, and the exit code that it ends with."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from infra.commands.check_history import check_history

RUN = '{"kind":"run","schema":1,"what":"rush","url":"http://x","startedAtMs":1,"toleranceMs":1,"settleMs":1}'
EVENT = '{"kind":"event","id":1,"ticketTypes":[{"id":7,"capacity":5}]}'
END = '{"kind":"end","atMs":9,"awaited":true,"left":[{"ticketTypeId":7,"available":5}]}'


def typed(file: Path, *lines: str, options: tuple[str, ...] = ()) -> Result:
    file.write_text("".join(f"{line}\n" for line in lines))
    return CliRunner().invoke(check_history, [str(file), *options])


def test_a_good_history_ends_with_zero(tmp_path: Path) -> None:
    result = typed(tmp_path / "h", RUN, EVENT, END)
    assert result.exit_code == 0
    assert result.stdout.startswith("rush at http://x: 0 requests, 0 answers, 0 commits\n✓ ")
    assert result.stdout.endswith("audit passed\n")


def test_a_broken_promise_ends_with_one(tmp_path: Path) -> None:
    result = typed(tmp_path / "h", RUN, EVENT, END.replace('"available":5', '"available":6'))
    assert result.exit_code == 1
    assert "✗ at the end available + sold + reserved = capacity: type 7: 6 available" in result.stdout


def test_json_is_one_object_and_nothing_else(tmp_path: Path) -> None:
    result = typed(tmp_path / "h", RUN, EVENT, END, options=("--json",))
    assert json.loads(result.stdout)["passed"]


def test_a_file_that_is_no_history_ends_with_two_and_its_line(tmp_path: Path) -> None:
    result = typed(tmp_path / "h", RUN, EVENT, "{")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"cannot read {tmp_path / 'h'}: line 3: ")


def test_a_file_that_is_not_there_ends_with_two(tmp_path: Path) -> None:
    result = CliRunner().invoke(check_history, [str(tmp_path / "none")])
    assert result.exit_code == 2
    assert result.stderr == f"cannot read {tmp_path / 'none'}: No such file or directory\n"
