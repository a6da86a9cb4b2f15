"""Says everything that is wrong with a zip that was made. Pure; it trusts no part of the making."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.util import MAGIC_NUMBER

from infra.package.compiled import TASK, beside
from infra.package.contents import ENTRY, OURS
from infra.package.platforms import Platform

MOST_BYTES = 12_000_000
MOST_UNPACKED_BYTES = 250 * 1024 * 1024
"""Lambda's own limit."""

_TOP = frozenset(
    {
        *(ENTRY, OURS, "__pycache__", "_cffi_backend", "aws_lambda_powertools", "chalice", "cryptography"),
        *("instaui_echarts", "jwt", "msgspec", "psycopg", "psycopg_binary", "psycopg_binary.libs"),
        *("typing_extensions.pyc", "valkey"),
    }
)
_FORBIDDEN = re.compile(
    r"(^|/)(infra|tests?|boto3|botocore|s3transfer|pip|setuptools|click|yaml|moto|\.onsale|\.chalice)(/|$)"
)
_UNCHECKED = (1).to_bytes(4, "little")
"""The flags of a .pyc that is taken as it is (PEP 552)."""
_ELF = b"\x7fELF"
_MACHINES = {"x86_64": 62, "aarch64": 183}
_GLIBC = re.compile(rb"GLIBC_2\.(\d+)")
_TAGGED = re.compile(r"\.(cpython-[^.]+)\.so$")


def faults(files: Mapping[str, bytes], size_bytes: int, platform: Platform) -> list[str]:
    """What is wrong with the zip of `files`, one sentence each; none when it is fit for `platform`."""
    return [*_size(files, size_bytes), *_paths(files), *_modules(files, platform), *_bytecode(files)]


def _size(files: Mapping[str, bytes], size_bytes: int) -> Iterator[str]:
    if size_bytes > MOST_BYTES:
        yield f"the zip has {size_bytes:,} bytes; at most {MOST_BYTES:,} are allowed"
    if (unpacked := sum(map(len, files.values()))) > MOST_UNPACKED_BYTES:
        yield f"it unpacks to {unpacked:,} bytes; Lambda allows {MOST_UNPACKED_BYTES:,}"


def _paths(files: Mapping[str, bytes]) -> Iterator[str]:
    for path in files:
        top = path.split("/", 1)[0]
        if path.startswith("/") or ".." in path.split("/"):
            yield f"{path} leads out of the folder"
        elif _FORBIDDEN.search(path):
            yield f"{path} must not ship"
        elif top.split(".cpython-")[0] not in _TOP and not top.endswith(".dist-info"):
            yield f"{path} is not expected"


def _modules(files: Mapping[str, bytes], platform: Platform) -> Iterator[str]:
    for path, content in files.items():
        if content.startswith(_ELF):
            yield from _module(path, content, platform)
        elif ".so" in path.rsplit("/", 1)[-1]:
            yield f"{path} is no shared library"


def _module(path: str, content: bytes, platform: Platform) -> Iterator[str]:
    machine = int.from_bytes(content[18:20], "little")
    if machine != _MACHINES[platform.machine]:
        yield f"{path} is for another machine than {platform.architecture}"
    if (tag := _TAGGED.search(path)) and tag[1] != platform.module_tag:
        yield f"{path} is not for {platform.runtime} on {platform.architecture}"
    needed = max((int(found) for found in _GLIBC.findall(content)), default=0)
    if needed > platform.glibc:
        yield f"{path} needs glibc 2.{needed}; {platform.runtime} has 2.{platform.glibc}"


def _bytecode(files: Mapping[str, bytes]) -> Iterator[str]:
    for path in (path for path in files if path.endswith(".py")):
        if beside(path) not in files:
            yield f"{path} is not compiled: each cold start would do it"
    for path in (path for path in files if path.endswith(".pyc")):
        if not files[path].startswith(MAGIC_NUMBER + _UNCHECKED):
            yield f"{path} is compiled for another Python, or is checked against a source"
        elif (TASK + _source(path)).encode() not in files[path]:
            yield f"{path} is compiled for another place"


def _source(compiled: str) -> str:
    return re.sub(r"(?:__pycache__/)?([^/.]+)(?:\.cpython-\d+)?\.pyc$", r"\1.py", compiled)
