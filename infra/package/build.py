"""Makes the zip once: with the same code, locks, Python and architecture it is only handed out.

Composes the parts of this package; how each does its work is theirs to know.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp

from infra.local.layout import CHECKOUT, Layout
from infra.package.archive import unzipped, zipped
from infra.package.check import faults
from infra.package.collect import ours, theirs
from infra.package.compiled import compiled
from infra.package.contents import PACKAGES
from infra.package.pins import pinned
from infra.package.platforms import ARCHITECTURES, Platform, this_python
from infra.package.trial import not_importable
from infra.package.wheels import wheels

LOCKS = ("requirements.txt", "requirements-console.txt")


class Unfit(Exception):
    """The zip was made, and is not what Lambda could run or we would ship."""


@dataclass(frozen=True)
class Built:
    """A zip that was checked: `python` is its release (3.11), `sha256` the digest in hexadecimal."""

    path: Path
    sha256: str
    size_bytes: int
    python: str
    architecture: str


def build(
    architecture: str,
    into: Path,
    *,
    checkout: Path = CHECKOUT,
    cache: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Built:
    """Puts the zip for `architecture` ("x86_64" or "arm64") and this Python into the folder `into`.

    Wheels and the last zip are kept in `cache` (.onsale/build); `tell` is told what takes longer.
    Raises ValueError for another architecture, NoWheel, NotPinned, Unexpected, NotCompiled, Unfit.
    """
    platform = _platform(architecture)
    kept = cache or Layout.at(None).root / "build"
    own = ours(checkout)
    requirements = pinned(PACKAGES, *((checkout / lock).read_text(encoding="utf-8") for lock in LOCKS))
    name = f"onsale-{platform.release}-{platform.architecture}"
    stored = kept / f"{name}-{_digest(own, requirements)}.zip"
    if not stored.is_file():
        found = wheels(requirements, platform, kept, tell)
        tell(f"building the zip for {platform.runtime} on {platform.architecture}")
        content = assembled(own, found)
        if platform.runs_here and (bad := not_importable(content)):
            raise Unfit("the zip is not fit: " + "; ".join(bad))
        for old in kept.glob(f"{name}-*.zip"):
            old.unlink(missing_ok=True)
        _write(stored, content)
    return _handed_out(stored, into / f"{name}.zip", platform)


def assembled(own: Mapping[str, bytes], found: Mapping[str, Path]) -> bytes:
    """The zip of our `own` files and of those of the wheels that were `found`, compiled."""
    taken = theirs(found)
    others = {path: content for path, content in taken.items() if not path.endswith(".py")}
    return zipped({**own, **compiled(own, in_place=False), **others, **compiled(taken, in_place=True)})


def _platform(architecture: str) -> Platform:
    for known in ARCHITECTURES:
        if architecture == known:
            return Platform(this_python(), known)
    raise ValueError(f"Lambda has no architecture {architecture}: {' or '.join(ARCHITECTURES)}")


def _digest(own: Mapping[str, bytes], requirements: Mapping[str, str]) -> str:
    """Of everything that the zip is made from: files, pins, this Python, and the code that makes it."""
    making = {path.name: path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))}
    digest = hashlib.sha256(sys.version.encode())
    pins = {name: line.encode() for name, line in requirements.items()}
    for part in (own, making, pins):
        for name, content in sorted(part.items()):
            digest.update(f"{name}\n{len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def _write(path: Path, content: bytes) -> None:
    """In one step: whoever builds at the same time sees a whole zip or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, fresh = mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(fresh).chmod(0o644)
    Path(fresh).replace(path)


def _handed_out(stored: Path, path: Path, platform: Platform) -> Built:
    """A copy, opened and looked at, however old what is stored. Raises Unfit."""
    content = stored.read_bytes()
    if found := faults(unzipped(stored), len(content), platform):
        stored.unlink(missing_ok=True)
        raise Unfit("the zip is not fit: " + "; ".join(found[:5]))
    _write(path, content)
    return Built(
        path, hashlib.sha256(content).hexdigest(), len(content), platform.release, platform.architecture
    )
