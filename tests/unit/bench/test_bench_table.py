"""The benchmark's table and its JSON object, from figures that are made up."""

from __future__ import annotations

import io

from rich.console import Console

from infra.bench.figures import Target
from infra.bench.table import WIDTH, table, verdict
from infra.commands.bench import document
from tests.support.bench import figures, result


def drawn(**touched: int) -> list[str]:
    console = Console(file=io.StringIO(), width=WIDTH)
    console.print(table(result(figures(**touched))))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def line(beginning: str, lines: list[str]) -> str:
    return next(found for found in lines if found.strip().startswith(beginning))


def test_a_verdict_says_the_target_and_by_how_much() -> None:
    assert verdict(Target(figure="x", wanted=1_300, measured=2_600)) == "✓ ≥ 1,300 (+100%)"
    assert verdict(Target(figure="x", wanted=80, measured=120, least=False)) == "✗ ≤ 80 (-50%)"
    assert verdict(Target(figure="x", wanted=0.95, measured=0.99)) == "✓ ≥ 95% (+4%)"


def test_a_rate_stands_beside_its_limit_and_its_share() -> None:
    words = line("sold-out answers", drawn()).split()
    assert words[-7:] == ["20,000", "8,000", "40%", "✓", "≥", "7,000", "(+14%)"]


def test_a_missed_target_is_marked() -> None:
    assert "✗ ≤ 1" in line("SQL + SQS touched", drawn(transactions=80_000))


def test_every_line_fits_its_width() -> None:
    assert max(map(len, drawn())) <= WIDTH


def test_the_total_leaves_out_what_the_machine_did_elsewhere() -> None:
    assert line("all of these", drawn()).split()[-2:] == ["70", "70"]


def test_the_machine_stands_below_the_table() -> None:
    assert "2 cores, A CPU; Linux 6; Python 3.11.7; chalice 1; 2 fulfilment workers" in " ".join(drawn())


def test_the_json_object_has_the_verdict_of_each_target() -> None:
    judged = {target["figure"]: target for target in document(result(figures()))["targets"]}
    assert judged["confirmedPerSecond"] == {
        "figure": "confirmedPerSecond",
        "wanted": 1_300,
        "measured": 2_200.0,
        "least": True,
        "met": True,
        "margin": 0.692,
    }
