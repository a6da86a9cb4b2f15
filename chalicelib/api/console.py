"""The operators' page at /console and its files: HTML, a style sheet and ES modules, and ECharts beside them.

It holds no data and is open to everybody; what it shows comes from /ops, with the reader's own token.
ECharts is a file of instaui-echarts, found without importing it; without the package the page shows numbers
instead of charts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from chalice.app import HeadersType, Response

from chalicelib.api.operations import Call, Operation, operation
from chalicelib.errors import Rejected
from chalicelib.services import Services

_FOLDER = Path(__file__).parent.parent / "console"
_PAGE = "index.html"
_CHARTS = "echarts.js"
_CHARTS_FILE = ("instaui_echarts", "static/echarts.esm.min.js")
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}

FILES: frozenset[str] = frozenset(
    {file.name for file in _FOLDER.iterdir() if file.suffix in {".css", ".js"}} | {_CHARTS}
)
"""The names that /console/{file} answers for, fixed when the process starts; nothing else is a path."""

_CHECKED = "no-cache"
"""Our own files are asked for again by ETag: after a deployment no page may mix old modules with new ones."""
_KEPT = "public, max-age=604800"
"""A week: ECharts changes with a release of its package, and a stale one does no harm."""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_IF_NONE_MATCH = {"If-None-Match": "The ETag of the copy that is kept; 304 when it is still good"}


@operation(
    "GET /console", query=None, headers=_IF_NONE_MATCH, answers={200: "text/html", 304: None}, sends=("ETag",)
)
def get_console(_: Services, call: Call, __: None) -> Response:
    """See and steer the sale."""
    return _sent(_PAGE, call, {"Content-Security-Policy": _POLICY})


@operation(
    "GET /console/{file}",
    query=None,
    headers=_IF_NONE_MATCH,
    answers={200: "text/*", 304: None},
    sends=("ETag",),
    codes=("file-not-found",),
)
def get_console_file(_: Services, call: Call, __: None) -> Response:
    """A file of the console."""
    name = call.path["file"]
    if name not in FILES:
        raise Rejected("file-not-found", "The console has no such file.")
    return _sent(name, call)


OPERATIONS: tuple[Operation, ...] = (get_console, get_console_file)


def _sent(name: str, call: Call, more: Mapping[str, str] | None = None) -> Response:
    text, tag = _file(name)
    # A 304 too: a browser lays its headers over those of the copy, and would take our default policy.
    headers: HeadersType = {"ETag": tag, "Cache-Control": _KEPT if name == _CHARTS else _CHECKED}
    headers.update(more or {})
    if tag in _tags(call.headers.get("if-none-match", "")):
        return Response("", headers, 304)
    kind = _TYPES[Path(name).suffix]
    return Response(text, {**headers, "Content-Type": f"{kind}; charset=utf-8"})


def _tags(given: str) -> list[str]:
    return [tag.strip() for tag in given.split(",")]


@cache
def _file(name: str) -> tuple[str, str]:
    """One file's text and its ETag, read once. Weak: what carries it may compress it."""
    text = _path(name).read_text(encoding="utf-8")
    return text, f'W/"{hashlib.sha256(text.encode()).hexdigest()[:20]}"'


def _path(name: str) -> Path:
    if name != _CHARTS:
        return _FOLDER / name
    package, file = _CHARTS_FILE
    spec = find_spec(package)
    found = Path(spec.origin).parent / file if spec is not None and spec.origin is not None else None
    if found is None or not found.is_file():
        raise Rejected("file-not-found", "ECharts is not installed: requirements-console.txt.")
    return found
