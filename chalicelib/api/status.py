"""The service's own pages: where things are, whether it lives, whether its parts answer."""

from __future__ import annotations

import msgspec
from chalice.app import Response

from chalicelib.api import problems
from chalicelib.api.operations import Call, Operation, answer, operation
from chalicelib.errors import Unavailable
from chalicelib.log import log
from chalicelib.services import Services

VERSION = "0.1.0"
"""Version of the HTTP contract, as in `info.version` of the OpenAPI document."""
PARTS = ("gate", "queue", "ledger")


class Index(msgspec.Struct, frozen=True):
    """Where to go from here."""

    name: str
    version: str
    links: dict[str, str]


class Health(msgspec.Struct, frozen=True):
    """The process answers; nothing is said of its stores."""

    status: str


class Readiness(msgspec.Struct, frozen=True):
    """Every part answers. `parts` maps gate, queue and ledger to "ok"."""

    status: str
    parts: dict[str, str]


@operation("GET /", query=None, answers={200: Index})
def get_index(_: Services, call: Call, __: None) -> Response:
    """Find the way."""
    names = ("events", "orders", "health", "ready", "docs", "console", "openapi.json")
    links = {name.partition(".")[0]: call.link("/") + name for name in names}
    return answer(200, Index("onsale", VERSION, links))


@operation("GET /health", query=None, answers={200: Health})
def get_health(_: Services, __: Call, ___: None) -> Response:
    """Ask whether the process answers."""
    return answer(200, Health("ok"))


@operation("GET /ready", query=None, answers={200: Readiness}, codes=("unavailable",))
def get_readiness(services: Services, _: Call, __: None) -> Response:
    """Ask whether gate, queue and ledger answer."""
    parts = {part: _state(services, part) for part in PARTS}
    down = [part for part, state in parts.items() if state != "ok"]
    if not down:
        return answer(200, Readiness("ready", parts))
    found = problems.problem("unavailable", f"Down: {', '.join(down)}.", parts=parts)
    headers = {"Content-Type": problems.MEDIA_TYPE, "Retry-After": problems.RETRY_AFTER_SECONDS}
    return answer(problems.status_of("unavailable"), found, headers)


OPERATIONS: tuple[Operation, ...] = (get_index, get_health, get_readiness)


def _state(services: Services, part: str) -> str:
    """Pings one part. A part that cannot even be built (a wrong address) is down as well."""
    try:
        getattr(services, part).ping()
    except Exception as error:
        cause = error.detail if isinstance(error, Unavailable) else type(error).__name__
        log("part-down", "warning", part=part, cause=cause)
        return "down"
    return "ok"
