"""`python -m infra check-history FILE`: judges a run by its history alone, asking nobody.

The rush writes one; `infra/history/` has its shape and the judge. Exit 0 when every promise was kept, 1 when
one was broken, 2 when the file is no history: the error names the line.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec

from infra.history.judge import judge
from infra.history.story import Story, Unreadable, tell
from infra.rush.report import audit_lines

LONG_BYTES = 20_000_000
"""A file above this takes more than a second or two: then there is a bar."""


@click.command(name="check-history", help=__doc__)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def check_history(file: Path, *, as_json: bool) -> None:
    """Reads, judges, prints."""
    try:
        with file.open("rb") as lines, _bar(file) as at:
            story = tell(lines, at)
    except (OSError, Unreadable) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        click.echo(f"cannot read {file}: {reason}", err=True)
        sys.exit(2)
    found = judge(story)
    click.echo(msgspec.json.encode(found) if as_json else "\n".join([_figures(story), *audit_lines(found)]))
    sys.exit(0 if found.passed else 1)


def _figures(story: Story) -> str:
    return (
        f"{story.run.what} at {story.run.url}: {len(story.requests):,} requests, "
        f"{len(story.answers):,} answers, {len(story.commits):,} commits"
    )


@contextmanager
def _bar(file: Path) -> Iterator[Callable[[int], None]]:
    """A bar on the error stream for a long file at a terminal; a line is about as long as another."""
    if file.stat().st_size < LONG_BYTES or not sys.stderr.isatty():
        yield lambda _: None
        return
    from infra.rush.progress import Bars

    with file.open("rb") as lines:
        total = sum(1 for _ in lines)
    with Bars() as bars:
        bars.begin("history", total)
        yield bars.at
