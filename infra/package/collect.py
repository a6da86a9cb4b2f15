"""Puts together what is in the zip: path -> bytes, from a checkout and from wheels. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from zipfile import ZipFile

from infra.package.contents import ENTRY, OURS, PACKAGES, SUFFIXES, Package


class Unexpected(Exception):
    """A file is where nobody has decided about it, or one is missing that was decided about."""


def ours(checkout: Path) -> dict[str, bytes]:
    """app.py and chalicelib, without what Python and editors leave there. Raises Unexpected."""
    paths = [checkout / ENTRY, *(path for path in (checkout / OURS).rglob("*") if _is_ours(path))]
    strange = [str(path.relative_to(checkout)) for path in paths if path.suffix not in SUFFIXES]
    if strange:
        raise Unexpected(f"{', '.join(strange)}: a kind of file that infra/package/contents.py does not know")
    return {path.relative_to(checkout).as_posix(): path.read_bytes() for path in paths}


def _is_ours(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")


def theirs(wheels: Mapping[str, Path], packages: Mapping[str, Package] = PACKAGES) -> dict[str, bytes]:
    """What the table takes of each wheel. Raises Unexpected when a pattern finds nothing any more."""
    files: dict[str, bytes] = {}
    for name, package in packages.items():
        found = dict(_taken(wheels[name], package))
        _all_found(name, package, found)
        files |= found
    return files


def _taken(wheel: Path, package: Package) -> Iterator[tuple[str, bytes]]:
    with ZipFile(wheel) as opened:
        for info in opened.infolist():
            if not info.is_dir() and package.takes(info.filename):
                yield info.filename, opened.read(info)


def _all_found(name: str, package: Package, found: Mapping[str, bytes]) -> None:
    for pattern in package.keep:
        if not any(
            Package(keep=(pattern,), leave=package.leave).takes(path) for path in found if _code(path)
        ):
            raise Unexpected(f"{name}: its wheel has no {pattern} any more; see infra/package/contents.py")


def _code(path: str) -> bool:
    return ".dist-info/" not in path
