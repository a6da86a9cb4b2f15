"""Compiles every module of the zip, so that a cold start does not: /var/task cannot be written to.

The same modules give the same bytes wherever the Python is the same: in a process of its own, because what
marshal writes depends on the strings that a process has already, and with unchecked hashes instead of times.
Other people's modules ship compiled alone: their source is 5% of the zip, for a line's text in a traceback.
"""

from __future__ import annotations

import marshal
import subprocess
import sys
from collections.abc import Mapping

TASK = "/var/task/"
"""Where Lambda unpacks the zip: what is compiled for that place is not rewritten when it is loaded."""

_COMPILE = """
import importlib.util, marshal, sys
from importlib._bootstrap_external import _code_to_hash_pyc
modules = marshal.load(sys.stdin.buffer)
compiled = []
for path, source in modules:
    code = compile(source, path, "exec", dont_inherit=True, optimize=0)
    compiled.append(_code_to_hash_pyc(code, importlib.util.source_hash(source), False))
    del code
marshal.dump([bytes(each) for each in compiled], sys.stdout.buffer)
"""


class NotCompiled(Exception):
    """A module does not compile with this Python."""


def compiled(files: Mapping[str, bytes], *, in_place: bool) -> dict[str, bytes]:
    """The .pyc of every .py among `files`. Raises NotCompiled.

    `in_place` puts it where the source would be, for code that ships without; otherwise in __pycache__.
    """
    modules = sorted(path for path in files if path.endswith(".py"))
    given = marshal.dumps([(TASK + path, files[path]) for path in modules])
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-X", "utf8", "-c", _COMPILE],
        input=given,
        capture_output=True,
        check=False,
        env={"PYTHONHASHSEED": "0"},
    )
    if done.returncode:
        raise NotCompiled(done.stderr.decode(errors="replace").strip().splitlines()[-1])
    where = (f"{path}c" if in_place else beside(path) for path in modules)
    return dict(zip(where, marshal.loads(done.stdout), strict=True))  # noqa: S302 - our own child wrote it


def beside(path: str) -> str:
    """Where Python looks for what was compiled from the source at `path`."""
    folder, _, name = path.rpartition("/")
    cached = f"__pycache__/{name.removesuffix('.py')}.{sys.implementation.cache_tag}.pyc"
    return f"{folder}/{cached}" if folder else cached
