"""Single reads of the service, each as one of our shapes. It knows paths and pages, and decides nothing.

All of them raise click.ClickException where the service does not answer, and what `shaped` raises where it
answers something else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from infra.report import queries, window
from infra.report.gathered import (
    Action,
    AlarmChange,
    CodeCount,
    ConservationShown,
    SaleShown,
    Series,
    Window,
)

BESIDE = timedelta(minutes=10)
"""Alarms that rose a little before or after the window are told, too."""
CURVE_SECONDS = 18_000
"""The most of a sell curve that one call shows."""
PAGE, PAGES = 100, 20
"""Records of the operators' log on a page, and the most pages that are turned back."""

Found = TypeVar("Found")


class Service(Protocol):
    """Somebody who asks the service; raises click.ClickException with a sentence when it does not answer."""

    def get(self, path: str, **query: object) -> dict[str, Any]:
        """Reads a path."""

    def post(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        """Sends a JSON object."""


def metrics(service: Service, span: Window, asked: list[queries.Query]) -> dict[str, Series]:
    """The series by id, each empty where nothing was counted."""
    body = {"startsAt": _rfc3339(span.starts_at), "endsAt": _rfc3339(span.ends_at), "queries": asked}
    results = service.post("/ops/metrics", body)["results"]
    return {result["id"]: shaped(Series, result) for result in results}


def sale(service: Service, event_id: int, span: Window | None) -> SaleShown:
    """The sale, with the curve of the span, or of the last minutes."""
    query = {"seconds": round(span.seconds), "endsAt": _rfc3339(span.ends_at)} if span else {}
    return shaped(SaleShown, service.get(f"/ops/events/{event_id}/sale", **query))


def whole_sale(service: Service, event_id: int, span: Window) -> SaleShown:
    """With the curve of the whole span, which is asked for in as many parts as it takes."""
    parts = [sale(service, event_id, part) for part in window.parts(span, CURVE_SECONDS)]
    last = parts[-1]
    curve = replace(parts[0].curve, sold=sum((part.curve.sold for part in parts), ()))
    rejected: Counter[str] = Counter()
    for part in parts:
        rejected.update({one.code: one.count for one in part.rejected})
    counts = tuple(CodeCount(code, count) for code, count in rejected.most_common())
    return replace(last, curve=curve, rejected=counts)


def conservation(service: Service, event_id: int) -> ConservationShown:
    """Where every ticket is."""
    return shaped(ConservationShown, service.get(f"/ops/events/{event_id}/conservation"))


def alarms(service: Service, span: Window) -> tuple[AlarmChange, ...]:
    """How alarms changed in the span and a little around it, oldest first."""
    found = service.get(
        "/ops/alarms/history",
        startsAt=_rfc3339(span.starts_at - BESIDE),
        endsAt=_rfc3339(span.ends_at + BESIDE),
    )
    changes = shaped(tuple[AlarmChange, ...], found["items"])
    return tuple(sorted(changes, key=lambda change: change.at))


def actions(service: Service, span: Window) -> tuple[Action, ...]:
    """Newest first by the contract: pages are turned until one is older than the window."""
    kept: list[Action] = []
    cursor: str | None = None
    for _ in range(PAGES):
        page = service.get("/ops/log", limit=PAGE, cursor=cursor)
        found = shaped(tuple[Action, ...], page["items"])
        kept += [action for action in found if span.starts_at - BESIDE <= action.at <= span.ends_at + BESIDE]
        cursor = page.get("nextCursor")
        if cursor is None or _all_before(found, span):
            break
    return tuple(sorted(kept, key=lambda action: action.at))


def _all_before(found: Sequence[Action], span: Window) -> bool:
    return all(action.at < span.starts_at - BESIDE for action in found)


def shaped(shape: type[Found], value: object) -> Found:
    """An answer as one of our shapes. Raises msgspec.ValidationError when it is not one."""
    return msgspec.convert(value, shape)


def _rfc3339(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
