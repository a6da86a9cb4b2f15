"""Compiles every module of the zip, so that a cold start does not: /var/task cannot be written to.

The same modules give the same bytes, on any machine with the same Python: in a process of its own, because what
marshal writes depends on which strings the process has already, and with unchecked hashes instead of times.
"""

from __future__ import annotations

import marshal
import subprocess
import sys
from collections.abc import Mapping

TASK = "/var/task/"
"""Where Lambda unpacks the zip: a module that is compiled for that place is not rewritten when it is loaded."""

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


def compiled(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The .pyc of every .py among `files`, by the path where Python looks for it. Raises NotCompiled."""
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
    return dict(zip(map(_beside, modules), marshal.loads(done.stdout), strict=True))


def _beside(path: str) -> str:
    folder, _, name = path.rpartition("/")
    cached = f"__pycache__/{name.removesuffix('.py')}.{sys.implementation.cache_tag}.pyc"
    return f"{folder}/{cached}" if folder else cached
