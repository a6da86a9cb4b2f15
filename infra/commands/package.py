"""`package`: makes the zip that Lambda runs, and looks at it; nothing is made again that has not changed.

It is the same for every stage, and `deploy` makes it by itself. With --cold-start, each function is started
from it alone, and what that takes is measured.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from zipfile import ZipFile

import click
import msgspec
from rich.console import Console

from infra.local.layout import Layout
from infra.package.build import Built, Unfit, build
from infra.package.cold_start import DidNotStart, Figures, measure
from infra.package.collect import Unexpected
from infra.package.compiled import NotCompiled
from infra.package.pins import NotPinned
from infra.package.platforms import ARCHITECTURES, best, this_machine, this_python
from infra.package.starts import STARTS
from infra.package.table import cold_start_document, cold_start_table
from infra.package.wheels import NoWheel

WIDTH = 120


@click.command(help=__doc__)
@click.option(
    "--architecture",
    type=click.Choice(ARCHITECTURES),
    help="[default: arm64 where every wheel exists, from Python 3.12 on; x86_64 before]",
)
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder that the zip is put into.  [default: .onsale/build/zip]",
)
@click.option(
    "--cold-start", is_flag=True, help="Measure the functions' starts, from a zip for this machine."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def package(*, architecture: str | None, into: Path | None, cold_start: bool, as_json: bool) -> None:
    """Exits with 1 when there is no zip that Lambda could run, or a start takes more than it may."""
    chosen = architecture or (this_machine() if cold_start else best(this_python()))
    built, found = _made(chosen, into or Layout.at(None).root / "build" / "zip", cold_start=cold_start)
    if as_json:
        click.echo(msgspec.json.encode(document(built, found)))
    else:
        click.echo(f"{built.path}\n{built.size_bytes:,} bytes, python{built.python} on {built.architecture}")
        click.echo(f"sha256 {built.sha256}")
        if found:
            Console(width=WIDTH, highlight=False).print(cold_start_table(found))
    if slow := [each.function for each in found if not each.is_within]:
        raise click.ClickException(f"slow to start: {', '.join(slow)}; the table says which imports weigh")


def _made(architecture: str, into: Path, *, cold_start: bool) -> tuple[Built, list[Figures]]:
    """The zip and the figures; on standard error what is being done. Raises click.ClickException."""
    with Console(stderr=True).status("looking at what has changed") as status:
        try:
            built = build(architecture, into, tell=status.update)
            if not cold_start:
                return built, []
            status.update("starting each function several times")
            return built, _started(built)
        except (DidNotStart, NoWheel, NotPinned, NotCompiled, Unexpected, Unfit) as error:
            raise click.ClickException(str(error)) from error


def _started(built: Built) -> list[Figures]:
    with tempfile.TemporaryDirectory() as folder, ZipFile(built.path) as archive:
        archive.extractall(folder)
        return [measure(Path(folder), name, start) for name, start in STARTS.items()]


def document(built: Built, found: list[Figures]) -> dict[str, object]:
    """The zip, and the figures where they were measured, as the JSON object has them."""
    return {
        "path": str(built.path),
        "sha256": built.sha256,
        "sizeBytes": built.size_bytes,
        "python": built.python,
        "architecture": built.architecture,
        **({"coldStarts": cold_start_document(found)} if found else {}),
    }
