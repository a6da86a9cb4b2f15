"""Gets the wheels that the locks name, for Lambda's platform whatever machine this is; each only once.

A wheel that does not exist for the platform stops everything. Nothing is built, or taken without its hash.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import mkdtemp

from infra.package.pins import normalised
from infra.package.platforms import Platform

_MISSING = re.compile(r"No matching distribution found for ([A-Za-z0-9._-]+)")


class NoWheel(Exception):
    """A package has no wheel for the platform, or it could not be fetched as the lock has it."""


def wheels(
    requirements: Mapping[str, str],
    platform: Platform,
    cache: Path,
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, Path]:
    """Package -> its wheel, below `cache`; downloads when one of the requirements has changed, and says so.

    `requirements` are lines with hashes by normalised name. Raises NoWheel.
    """
    text = "".join(f"{line}\n" for line in requirements.values())
    key = hashlib.sha256("\n".join((text, platform.release, *platform.tags)).encode()).hexdigest()[:16]
    folder = cache / f"wheels-{platform.release}-{platform.architecture}-{key}"
    if not folder.is_dir():
        tell(f"fetching {len(requirements)} wheels for {platform.runtime} on {platform.architecture}")
        _fetch(text, platform, cache, folder)
    found = {normalised(path.name.split("-", 1)[0]): path for path in sorted(folder.glob("*.whl"))}
    if missing := sorted(requirements.keys() - found.keys()):
        raise NoWheel(f"{', '.join(missing)}: not for {platform.runtime}, by a marker in the lock")
    return found


def _fetch(text: str, platform: Platform, cache: Path, folder: Path) -> None:
    """Downloads beside the folder and renames at the end: an interrupted download leaves nothing to trust."""
    cache.mkdir(parents=True, exist_ok=True)
    fresh = Path(mkdtemp(prefix="fetching-", dir=cache))
    try:
        (fresh / "requirements.txt").write_text(text)
        done = subprocess.run(_command(platform, fresh), capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoWheel(_reason(done.stderr, platform))
        if not folder.is_dir():
            fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _command(platform: Platform, folder: Path) -> list[str]:
    tags = [option for tag in platform.tags for option in ("--platform", tag)]
    asked = ["--python-version", platform.release, "--implementation", "cp", *tags]
    rules = ["--no-deps", "--require-hashes", "--only-binary", ":all:"]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    return [*pip, *rules, *asked, "--dest", str(folder), "--requirement", str(folder / "requirements.txt")]


def _reason(said: str, platform: Platform) -> str:
    """A sentence without pip's own words where they would name a registry."""
    where = f"{platform.runtime} on {platform.architecture} (glibc 2.{platform.glibc})"
    if found := _MISSING.search(said):
        more = "" if platform.architecture == "x86_64" else "; x86_64, or Python 3.12 and newer, may have one"
        return f"{found[1]} has no wheel for {where}{more}"
    if "DO NOT MATCH THE HASHES" in said:
        return "a wheel is not the one whose hash is in the lock; nothing was taken"
    return f"the wheels for {where} could not be fetched; is there a connection to the package registry?"
