"""Lambda's platforms: what a Python release runs on there, and which wheels that can load. Pure.

Knows no package, no file and no pip.
"""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from typing import Literal

Architecture = Literal["x86_64", "arm64"]

ARCHITECTURES: tuple[Architecture, ...] = ("x86_64", "arm64")
_MACHINES: dict[Architecture, str] = {"x86_64": "x86_64", "arm64": "aarch64"}
_FIRST_ON_2023 = (3, 12)
"""Python 3.12 and newer run on Amazon Linux 2023, older ones on Amazon Linux 2."""
_GLIBC_2, _GLIBC_2023 = 26, 34
_OLDEST_GLIBC = 5
_LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}


@dataclass(frozen=True)
class Platform:
    """One of Lambda's runtimes on one architecture."""

    python: tuple[int, int]
    architecture: Architecture

    @property
    def release(self) -> str:
        """The Python release, such as 3.11."""
        return "{}.{}".format(*self.python)

    @property
    def runs_here(self) -> bool:
        """Whether this machine can run what is made for it."""
        python = sys.version_info[:2] == self.python
        return python and sys.platform == "linux" and platform.machine() == _MACHINES[self.architecture]

    @property
    def runtime(self) -> str:
        """Lambda's name of it, such as python3.11."""
        return f"python{self.release}"

    @property
    def machine(self) -> str:
        """The architecture as wheels and compiled modules call it."""
        return _MACHINES[self.architecture]

    @property
    def glibc(self) -> int:
        """The C library's version, without the 2 before it."""
        return _GLIBC_2023 if self.python >= _FIRST_ON_2023 else _GLIBC_2

    @property
    def tags(self) -> tuple[str, ...]:
        """Every tag of a wheel that this C library can load, the newest first."""
        found: list[str] = []
        for version in range(self.glibc, _OLDEST_GLIBC - 1, -1):
            found.append(f"manylinux_2_{version}_{self.machine}")
            if version in _LEGACY:
                found.append(f"{_LEGACY[version]}_{self.machine}")
        return tuple(found)

    @property
    def module_tag(self) -> str:
        """What stands in the name of a module that was compiled for just this Python and machine."""
        return f"cpython-{self.python[0]}{self.python[1]}-{self.machine}-linux-gnu"


def this_python() -> tuple[int, int]:
    """The release that runs this: it is the one that was tested, so it is the one that is deployed."""
    return sys.version_info[:2]


def this_machine() -> Architecture:
    """The architecture of this machine, which an emulator needs that runs the zip here. Raises ValueError."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(name := platform.machine().lower(), name)
    for architecture, known in _MACHINES.items():
        if machine == known:
            return architecture
    raise ValueError(f"Lambda has no machine like this one: {name}")


def best(python: tuple[int, int]) -> Architecture:
    """arm64, a fifth cheaper, where the C library is as new as psycopg-binary's wheels for it ask: 2.28."""
    return "arm64" if python >= _FIRST_ON_2023 else "x86_64"
