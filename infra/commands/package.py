"""`package`: makes the zip that Lambda runs, and looks at it; nothing is made again that has not changed.

It is the same for every stage. `deploy` does this by itself.
"""

from __future__ import annotations

from pathlib import Path

import click
import msgspec
from rich.console import Console

from infra.local.layout import Layout
from infra.package.build import Built, Unfit, build
from infra.package.collect import Unexpected
from infra.package.compiled import NotCompiled
from infra.package.pins import NotPinned
from infra.package.platforms import ARCHITECTURES, best, this_python
from infra.package.wheels import NoWheel


@click.command(help=__doc__)
@click.option(
    "--architecture",
    type=click.Choice(ARCHITECTURES),
    default=lambda: best(this_python()),
    show_default="arm64 where every wheel exists, from Python 3.12; x86_64 before",
)
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=lambda: Layout.at(None).root / "build" / "zip",
    show_default=".onsale/build/zip",
    help="The folder that the zip is put into.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def package(*, architecture: str, into: Path, as_json: bool) -> None:
    """Exits with 1 when there is no zip that Lambda could run."""
    built = built_with_progress(architecture, into)
    if as_json:
        click.echo(msgspec.json.encode(document(built)))
        return
    click.echo(f"{built.path}\n{built.size_bytes:,} bytes, python{built.python} on {built.architecture}")
    click.echo(f"sha256 {built.sha256}")


def built_with_progress(architecture: str, into: Path) -> Built:
    """The zip; what takes longer is told on standard error. Raises click.ClickException."""
    with Console(stderr=True).status("looking at what has changed") as status:
        try:
            return build(architecture, into, tell=status.update)
        except (NoWheel, NotPinned, NotCompiled, Unexpected, Unfit) as error:
            raise click.ClickException(str(error)) from error


def document(built: Built) -> dict[str, str | int]:
    """The zip as the JSON object has it."""
    return {
        "path": str(built.path),
        "sha256": built.sha256,
        "sizeBytes": built.size_bytes,
        "python": built.python,
        "architecture": built.architecture,
    }
