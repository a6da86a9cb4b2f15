"""What went wrong and what was done about it, as moments on one time line. Pure; knows no page or chart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from infra.report.figures import Moment
from infra.report.gathered import Action, AlarmChange, Gathered, Series
from infra.report.window import MINUTE

ALARM = "ALARM"
ACTIONS = {
    "sale-paused": "sale paused",
    "sale-resumed": "sale resumed",
    "sale-closed": "sale closed",
    "fulfilment-paused": "fulfilment paused",
    "fulfilment-resumed": "fulfilment resumed",
    "dead-letters-redriven": "dead letters sent back to the queue",
    "dead-letters-deleted": "dead letters deleted",
}
"""An operator's action in words."""
FAULT_WORDS = {
    "errors": ("answers with a 5xx status", "{total:,.0f} answers, of all events together"),
    "unavailable": ("orders told to come again later", "{total:,.0f} times 503, of all events together"),
    "breaker": ("a store did not answer", "a breaker was open"),
    "dead": ("messages moved aside", "{total:,.0f} became dead letters"),
    "drift": ("gate and ledger disagreed", "by up to {most:,.0f} tickets, mended by the reconciler"),
    "gap": ("tickets in no place or in two", "up to {most:,.0f}, as seen before mending"),
}
"""A fault by its series: what it is, and its figures."""


def moments(gathered: Gathered) -> tuple[Moment, ...]:
    """Everything in order of time: the sale's own moments, alarms, faults and operators' actions."""
    found = [
        *_of_the_sale(gathered),
        *_alarms(gathered.alarms or (), gathered.window.starts_at, f"onsale-{gathered.stage}-"),
        *_faults(gathered.series or {}, gathered.period_seconds),
        *_actions(gathered.actions or (), gathered.event.id),
    ]
    return tuple(sorted(found, key=lambda moment: moment.at))


def _of_the_sale(gathered: Gathered) -> Iterator[Moment]:
    event, sale = gathered.event, gathered.sale
    named = {
        "the sale opens": event.sales_open_at,
        "first order accepted": sale.accepted_at if sale else None,
        "sold out": sale.sold_out_at if sale else None,
        "the sale closes": event.sales_close_at,
    }
    for what, at in named.items():
        if at and gathered.window.starts_at <= at <= gathered.window.ends_at:
            yield Moment(at=at, kind="sale", what=what)


def _alarms(changes: Sequence[AlarmChange], starts_at: datetime, prefix: str) -> Iterator[Moment]:
    """From an alarm's rise to its end, if it has one, which is `until`. `prefix` is in every name."""
    for name in dict.fromkeys(change.name for change in changes):
        what, risen = f"alarm {name.removeprefix(prefix)}", None
        for change in (change for change in changes if change.name == name):
            if change.after == ALARM:
                risen = risen or change
            elif risen or change.before == ALARM:
                at, why = (risen.at, risen.reason) if risen else (min(starts_at, change.at), "")
                yield Moment(at=at, until=change.at, kind="alarm", what=what, detail=why)
                risen = None
        if risen:
            yield Moment(at=risen.at, kind="alarm", what=what, detail=risen.reason)


def _faults(series: Mapping[str, Series], period: int) -> Iterator[Moment]:
    for name, (what, figures) in FAULT_WORDS.items():
        length = max(period, MINUTE) if name == "errors" else period
        for times, values in _runs(series.get(name, Series()), length):
            yield Moment(
                at=datetime.fromtimestamp(times[0], UTC),
                until=datetime.fromtimestamp(times[-1] + length, UTC),
                kind="fault",
                what=what,
                detail=figures.format(total=sum(values), most=max(values)),
                roughly=length > period,
            )


def _runs(series: Series, length: int) -> Iterator[tuple[list[float], list[float]]]:
    """Stretches in which the value is above 0; a single quiet bucket does not part them."""
    times: list[float] = []
    values: list[float] = []
    for at, value in zip(series.times, series.values, strict=True):
        if value <= 0:
            continue
        if times and at - times[-1] > 2 * length:
            yield times, values
            times, values = [], []
        times.append(at)
        values.append(value)
    if times:
        yield times, values


def _actions(actions: Sequence[Action], event_id: int) -> Iterator[Moment]:
    """What operators did to this event and to the queue; other events' switches are not this report's."""
    for action in actions:
        if action.target.startswith("event ") and action.target != f"event {event_id}":
            continue
        what = ACTIONS.get(action.action, action.action.replace("-", " "))
        yield Moment(at=action.at, kind="action", what=what, detail=action.reason or "")
