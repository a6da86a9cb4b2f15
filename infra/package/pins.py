"""The lines of a lock file by package, with their hashes. Pure; knows neither pip nor what is packed."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAME = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)")


class NotPinned(Exception):
    """A package that the zip needs is in no lock file."""


def pins(lock: str) -> dict[str, str]:
    """Normalised name -> its requirement in one line, with all its hashes, from a lock file's text."""
    joined = re.sub(r"\s*\\\n\s*", " ", lock)
    lines = (re.sub(r"\s+#.*", "", line).strip() for line in joined.splitlines())
    return {normalised(found[1]): line for line in lines if (found := _NAME.match(line))}


def normalised(name: str) -> str:
    """A package's name as PyPA compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(wanted: Iterable[str], *locks: str) -> dict[str, str]:
    """The requirement of each package that is `wanted`, sorted. Raises NotPinned for one that has none."""
    known = {name: line for lock in locks for name, line in pins(lock).items()}
    missing = [name for name in wanted if name not in known]
    if missing:
        raise NotPinned(
            f"the zip needs {', '.join(missing)}, which no lock has: see infra/package/contents.py"
        )
    return {name: known[name] for name in sorted(wanted)}
