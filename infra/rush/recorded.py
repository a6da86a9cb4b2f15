"""A rush that is written down, and judged once more by what is written alone.

The file is read back from the disk: a history that cannot be read, or does not show the promises kept,
fails the rush. It knows no line of it.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from msgspec.structs import replace

from infra.history.judge import as_one, judge
from infra.history.recorder import Recorder
from infra.history.story import tell
from infra.rush.plan import RushPlan
from infra.rush.progress import Steps
from infra.rush.result import RushResult
from infra.rush.rush import Beside, LedgerReader, Passes, no_token, nothing, run_rush
from infra.rush.verdict import verdict


def run_recorded_rush(  # noqa: PLR0913 - the named ones may all be left out
    plan: RushPlan,
    file: Path,
    dsn: str | None,
    *,
    read_ledger: LedgerReader | None = None,
    steps: Steps | None = None,
    beside: Beside = nothing,
    passes: Passes = no_token,
) -> RushResult:
    """Plays a rush with its history in `file`; with `dsn`, the ledger's changes are in it.

    The other arguments are `run_rush`'s. Raises what that raises, and OSError when nothing can be written.
    """
    with closing(Recorder("rush", plan.url, dsn)) as record:
        result = run_rush(
            plan, read_ledger=read_ledger, steps=steps, record=record, beside=beside, passes=passes
        )
        record.write(file)
    with file.open("rb") as lines:
        story = tell(lines)
    found = judge(story)
    checks = [*result.audit.checks, as_one(found, story)]
    notes = [*result.audit.notes, *(f"history: {note}" for note in found.notes)]
    return replace(result, history=str(file), audit=verdict(checks, *notes))
