"""How the live view looks: a snapshot becomes something that rich can draw. Pure; it asks nobody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from infra.top.snapshot import Facts, Snapshot

BARS = "▁▂▃▄▅▆▇█"
CURVE_WIDTH = 60
SHOWN_CODES = 6


def frame(shot: Snapshot) -> RenderableType:
    """Draws the whole view."""
    below = Table.grid(expand=True)
    for _ in range(3):
        below.add_column(ratio=1)
    below.add_row(
        _panel("Queue", _queue(shot.queue), shot, "queue"),
        _panel("Alarms", _alarms(shot.alarms), shot, "alarms"),
        _panel("Latency", _latencies(shot.latencies), shot, "latencies"),
    )
    return Group(_head(shot), _panel("Sale", _sale(shot.sale), shot, "sale"), below)


def sparkline(values: Sequence[float], width: int = CURVE_WIDTH) -> str:
    """Draws values as a line of at most `width` bars; neighbours are added up when there are more."""
    size = max(1, -(-len(values) // width))
    sums = [sum(values[start : start + size]) for start in range(0, len(values), size)]
    top = max(sums, default=0)
    if top <= 0:
        return BARS[0] * len(sums)
    return "".join(BARS[0] if value <= 0 else BARS[_height(value / top)] for value in sums)


def _height(share: float) -> int:
    """A bar for a share above 0: never the lowest, which is nothing."""
    return max(1, min(len(BARS) - 1, round(share * (len(BARS) - 1))))


def _head(shot: Snapshot) -> Text:
    sale = shot.sale
    what = "Onsale" if sale is None else f"Onsale  event {sale['eventId']}  {sale['name']}"
    head = Text(what, style="bold")
    if sale is not None:
        head.append(f"  {sale['status']}", style=_status_style(sale["status"]))
    return head.append(f"  {shot.at.astimezone():%H:%M:%S}", style="dim")


def _panel(title: str, lines: Iterable[Text] | None, shot: Snapshot, name: str) -> Panel:
    if lines is None:
        lines = [Text(f"not to be had: {shot.missing.get(name, 'no answer')}", style="yellow")]
    return Panel(Group(*lines), title=title, title_align="left")


def _sale(sale: Facts | None) -> list[Text] | None:
    if sale is None:
        return None
    curve = sale["curve"]
    minutes = len(curve["sold"]) * curve["bucketSeconds"] / 60
    best = max(curve["sold"], default=0) / curve["bucketSeconds"]
    label = f"  the last {minutes:g} min, at best {best:,.0f} a second"
    return [
        _conservation(sale),
        Text(sparkline(curve["sold"]), style="cyan").append(label, style="dim"),
        Text(f"{_sold_out(sale)}   {_number(sale['attemptsPerSecond'])} asked for a second"
             f"   {sale['buyers']:,} buyers"),
        Text(f"refused   {_codes(sale['refused'])}"),
        Text(f"rejected  {_codes(sale['rejected'])}"),
    ]  # fmt: skip


def _conservation(sale: Facts) -> Text:
    places = (f"{name} {sale[name]:,}" for name in ("sold", "reserved", "pending", "available"))
    line = Text(f"{sale['capacity']:,} = {' + '.join(places)}")
    gap = sale["gap"]
    return line.append(f"   gap {gap:,}", style="bold red" if gap else "bold green")


def _sold_out(sale: Facts) -> str:
    if sale["soldOutAt"] is not None:
        took = sale["timeToSellOutSeconds"]
        return "sold out" if took is None else f"sold out in {took:,.1f} s"
    pace = sale["forecast"]
    if pace["soldOutAt"] is None:
        return f"{pace['ticketsPerSecond']:,.1f} sold a second"
    left = (_moment(pace["soldOutAt"]) - _moment(sale["asOf"])).total_seconds()
    return f"{pace['ticketsPerSecond']:,.1f} sold a second, sold out in {_duration(left)}"


def _queue(queue: Facts | None) -> list[Text] | None:
    if queue is None:
        return None
    fulfilment = queue["fulfilment"]
    dead = Text(f"dead {queue['dead']:,}", style="bold red" if queue["dead"] else "green")
    age = queue["oldestAgeSeconds"]
    return [
        Text(f"waiting {queue['waiting']:,}"),
        Text(f"in flight {queue['inFlight']:,}  delayed {queue['delayed']:,}"),
        dead,
        Text(f"oldest {'?' if age is None else _duration(age)}"),
        Text(f"done a minute {_number(queue['donePerMinute'])}"),
        Text("fulfilment ").append(
            fulfilment["state"], style="green" if fulfilment["state"] == "Enabled" else "bold yellow"
        ),
        Text(
            f"batch {_number(fulfilment['batchSize'])}, window {_number(fulfilment['windowSeconds'])} s,"
            f" at once {_number(fulfilment['maximumConcurrency'])}",
            style="dim",
        ),
    ]


def _alarms(alarms: Facts | None) -> list[Text] | None:
    if alarms is None:
        return None
    items = alarms["items"]
    raised = [each for each in items if each["state"] == "ALARM"]
    lines = [Text(f"{each['name']}: {each['reason']}", style="bold red") for each in raised]
    return lines or [Text(f"none of {len(items)} raised", style="green")]


def _latencies(latencies: Any) -> list[Text] | None:
    if latencies is None:
        return None
    rows = (("accepted", "accept"), ("decided", "decide"))
    return [
        Text(f"{label:<9} p50 {_ms(latencies.get(f'{name}P50'))}  p99 {_ms(latencies.get(f'{name}P99'))}")
        for label, name in rows
    ]


def _codes(counts: Sequence[Facts] | None) -> str:
    if counts is None:
        return "not known"
    return "  ".join(f"{each['code']} {each['count']:,}" for each in counts[:SHOWN_CODES]) or "none"


def _status_style(status: str) -> str:
    return {"on-sale": "green", "paused": "bold yellow", "sold-out": "magenta"}.get(status, "dim")


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:,.0f}"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f} ms"


def _duration(seconds: float) -> str:
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
