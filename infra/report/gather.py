"""Asks the service for everything that a report needs, over HTTP and by nothing but its documented API.

What cannot be had is noted with the service's own words, and the rest is gathered. It works nothing out.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

import click
import msgspec

from infra.report import queries, reading, window
from infra.report.gathered import (
    EventShown,
    Gathered,
    Missing,
    SaleShown,
    Series,
    Window,
)

Found = TypeVar("Found")
Progress = Callable[[str], None]
"""Is told what is being read."""


def gather(
    service: reading.Service,
    event_id: int,
    now: datetime,
    given: tuple[datetime | None, datetime | None] = (None, None),
    progress: Progress = lambda _: None,
) -> Gathered:
    """Everything about the sale of an event, as of `now`; `given` are the window's ends where named.

    Raises click.ClickException when the event itself cannot be read: there is nothing to report on.
    """
    progress("the event")
    event = reading.shaped(EventShown, service.get(f"/events/{event_id}"))
    asked = _Asker(service, progress)
    stage = asked.one("the stage", lambda: str(service.get("/ops/me")["stage"]))
    sale = asked.one("the sale", lambda: reading.sale(service, event_id, None))
    chosen = _window(asked, sale, stage, event_id, now, given)
    period = window.period_seconds(chosen, now)
    return Gathered(
        event=event,
        made_at=now,
        window=chosen,
        window_given=any(given),
        period_seconds=period,
        stage=stage,
        sale=asked.one("the sell curve", lambda: reading.whole_sale(service, event_id, chosen)) or sale,
        conservation=asked.one("the conservation", lambda: reading.conservation(service, event_id)),
        series=_series(asked, chosen, period, stage, str(event_id)),
        alarms=asked.one("the alarms", lambda: reading.alarms(service, chosen)),
        actions=asked.one("the operators' log", lambda: reading.actions(service, chosen)),
        missing=tuple(asked.missing),
    )


class _Asker:
    """Asks one thing after another, and keeps which of them had no answer."""

    def __init__(self, service: reading.Service, progress: Progress) -> None:
        self.service = service
        self.missing: list[Missing] = []
        self._progress = progress

    def one(self, source: str, ask: Callable[[], Found]) -> Found | None:
        """What `ask` finds; None, and a note, when it finds nothing or what the contract does not have."""
        self._progress(source)
        try:
            return ask()
        except click.ClickException as error:
            self.missing.append(Missing(source, error.message))
        except (msgspec.ValidationError, KeyError, TypeError) as error:
            self.missing.append(Missing(source, f"the answer is not as documented: {error}"))
        return None

    def metrics(self, what: str, span: Window, asked: list[queries.Query]) -> dict[str, Series] | None:
        """The series by id, each empty where nothing was counted."""
        return self.one(what, lambda: reading.metrics(self.service, span, asked))


def _window(  # noqa: PLR0913, PLR0917 - everything that can shape it
    asked: _Asker,
    sale: SaleShown | None,
    stage: str | None,
    event_id: int,
    now: datetime,
    given: tuple[datetime | None, datetime | None],
) -> Window:
    starts_at, ends_at = given
    if starts_at and ends_at:
        return Window(starts_at, ends_at)
    accepted_at = (sale and sale.accepted_at) or now - timedelta(hours=1)
    look = window.probe(accepted_at, now)
    found = _probe(asked, stage, event_id, look) if stage else Series()
    chosen = window.rush(found, accepted_at, sale.sold_out_at if sale else None, now)
    starts_at = starts_at or chosen.starts_at
    return Window(starts_at, ends_at or min(max(chosen.ends_at, starts_at), starts_at + window.DAY))


def _probe(asked: _Asker, stage: str, event_id: int, look: Window) -> Series:
    found = asked.metrics("when people asked", look, queries.attempts(stage, str(event_id), window.MINUTE))
    counts: dict[float, float] = {}
    for series in (found or {}).values():
        for at, count in zip(series.times, series.values, strict=True):
            counts[at] = counts.get(at, 0.0) + count
    return Series(tuple(sorted(counts)), tuple(counts[at] for at in sorted(counts)))


def _series(
    asked: _Asker, chosen: Window, period: int, stage: str | None, event: str
) -> dict[str, Series] | None:
    if stage is None:
        asked.missing.append(Missing("the metrics", "they are kept by stage, and the stage is not known"))
        return None
    found = asked.metrics("the metrics", chosen, queries.over_time(stage, event, period))
    if found is None:
        return None
    minutes = window.whole_minutes(chosen)
    found |= asked.metrics("AWS's metrics", minutes, queries.of_aws(stage, max(period, window.MINUTE))) or {}
    whole = window.one_bucket(chosen)
    if whole:
        span = Window(whole[0], chosen.ends_at)
        found |= asked.metrics("the percentiles", span, queries.over_all(stage, event, whole[1])) or {}
    return found
