"""A service that tells of a made-up on-sale by the documented API: 48 seconds, one breakdown, one pause.

It answers metric queries from counts a second, summed into whatever period is asked for, as CloudWatch does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import click

OPENS = datetime(2026, 11, 22, 20, 0, 0, tzinfo=UTC)
NOW = OPENS + timedelta(minutes=30)
SECONDS = 48
CAPACITY = 2_000
BROKEN = range(14, 20)
PAUSED = range(26, 31)
FIRST = int(OPENS.timestamp())


def _asking(second: int) -> int:
    """Orders asked for in each second: a wall at the opening that melts."""
    return round(900 * 0.93**second) + 40


def _accepted(second: int) -> int:
    return 0 if second in PAUSED else max(min(120 - 2 * second, _asking(second)), 0) if second < 40 else 0


def _story() -> dict[tuple[str, str], dict[int, float]]:
    """Values by metric and code, and by second of the sale."""
    every, sold = range(SECONDS), CAPACITY
    found: dict[tuple[str, str], dict[int, float]] = {("Accepted", ""): {}, ("Confirmed", ""): {}}
    for code in ("sold-out", "sale-paused", "rate-limited", ""):
        found["Refused", code] = {}
    left = sold
    for n in every:
        let_in = min(_accepted(n), left)
        left -= let_in
        refused = _asking(n) - let_in
        limited = refused // 12
        reason = "sale-paused" if n in PAUSED else "sold-out" if left == 0 else "rate-limited"
        found["Accepted", ""][n] = found["Confirmed", ""][n + 1] = let_in
        found["Refused", "rate-limited"][n] = limited if reason != "rate-limited" else refused
        if reason != "rate-limited":
            found["Refused", reason][n] = refused - limited
        found["Refused", ""][n] = refused
    return found


class SoldOut:
    """Answers GET and POST as the service does; `silent` are paths (prefixes) that answer 503."""

    def __init__(self, name: str = "Night One", silent: tuple[str, ...] = ()) -> None:
        self.name = name
        self.asked: list[str] = []
        self.gap = 0
        self._silent = silent
        self._story = _story()

    def get(self, path: str, **query: object) -> dict[str, Any]:
        """Reads a path. Raises click.ClickException for a silent one."""
        self._ask(path)
        answers: dict[str, Callable[[], dict[str, Any]]] = {
            "/events/7": self._event,
            "/ops/me": lambda: {"stage": "local", "roles": ["operator"], "mayChange": True},
            "/ops/events/7/sale": lambda: self._sale(query),
            "/ops/events/7/conservation": self._conservation,
            "/ops/alarms/history": self._alarms,
            "/ops/log": self._log,
        }
        if path not in answers:
            raise click.ClickException("There is no such event.")
        return answers[path]()

    def post(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        """Answers metric queries. Raises click.ClickException where the path is silent."""
        self._ask(path)
        ends = datetime.fromisoformat(str(body["endsAt"])).timestamp()
        starts = datetime.fromisoformat(str(body["startsAt"])).timestamp()
        asked: Any = body["queries"]
        assert len(asked) <= 100
        return {"results": [self._answer(query, starts, ends) for query in asked], "asOf": _text(NOW)}

    def _ask(self, path: str) -> None:
        self.asked.append(path)
        if path.startswith(self._silent) if self._silent else False:
            raise click.ClickException("A part of the service does not answer at the moment.")

    def _event(self) -> dict[str, Any]:
        return {
            "id": 7,
            "name": self.name,
            "description": "Doors at 8",
            "status": "sold-out",
            "totalTickets": CAPACITY,
            "salesOpenAt": _text(OPENS),
            "salesCloseAt": None,
        }

    def _sale(self, query: dict[str, object]) -> dict[str, Any]:
        ends = datetime.fromisoformat(str(query.get("endsAt", _text(NOW))))
        starts = ends - timedelta(seconds=int(str(query.get("seconds", 300))))
        sold = self._story["Confirmed", ""]
        offset = round(starts.timestamp()) - FIRST
        before = sum(count for second, count in sold.items() if second < offset)
        buckets = [int(sold.get(offset + n, 0)) for n in range(round((ends - starts).total_seconds()))]
        return {
            "eventId": 7,
            "name": self.name,
            "status": "sold-out",
            **self._tickets(),
            "acceptedAt": _text(OPENS + timedelta(milliseconds=212)),
            "soldOutAt": _text(OPENS + timedelta(seconds=20, milliseconds=640)),
            "timeToSellOutSeconds": 20.428,
            "forecast": {"soldOutAt": None, "ticketsPerSecond": 0},
            "attemptsPerSecond": 0,
            "buyers": 1_874,
            "curve": {"startsAt": _text(starts), "bucketSeconds": 1, "sold": buckets, "soldBefore": before},
            "refused": [],
            "rejected": [{"code": "buyer-limit-exceeded", "count": 12}],
            "asOf": _text(NOW),
        }

    def _tickets(self) -> dict[str, int]:
        sold = CAPACITY - self.gap
        return {
            "capacity": CAPACITY,
            "sold": sold,
            "reserved": 0,
            "pending": 0,
            "available": 0,
            "gap": self.gap,
        }

    def _conservation(self) -> dict[str, Any]:
        sources = {
            "capacity": "ledger: the ticket types",
            "sold": "ledger: confirmed orders",
            "reserved": "ledger: orders that are held for their payment",
            "pending": "gate: claims of orders that the ledger has not decided",
            "available": "gate: its stock",
            "gap": "capacity - sold - reserved - pending - available",
        }
        return {"eventId": 7, **self._tickets(), "ticketTypes": [], "sources": sources, "asOf": _text(NOW)}

    def _alarms(self) -> dict[str, Any]:
        name, risen = "onsale-local-decide-p99", OPENS + timedelta(seconds=18)
        up = {
            "name": name,
            "at": _text(risen),
            "before": "OK",
            "after": "ALARM",
            "reason": "2,310 ms > 2,000 ms",
        }
        down = {
            **up,
            "at": _text(risen + timedelta(seconds=12)),
            "before": "ALARM",
            "after": "OK",
            "reason": "",
        }
        return {"items": [down, up]}

    def _log(self) -> dict[str, Any]:
        def record(second: int, action: str, target: str, reason: str | None) -> dict[str, Any]:
            at = _text(OPENS + timedelta(seconds=second))
            return {
                "id": second,
                "at": at,
                "actor": "ada",
                "action": action,
                "target": target,
                "reason": reason,
            }

        items = [
            record(31, "sale-resumed", "event 7", None),
            record(28, "sale-paused", "event 8", "another concert"),
            record(26, "sale-paused", "event 7", "Wrong price on the poster"),
        ]
        return {"items": items, "nextCursor": None}

    def _answer(self, query: dict[str, Any], starts: float, ends: float) -> dict[str, Any]:
        period, buckets = query["periodSeconds"], dict[int, list[float]]()
        for second, value in self._values(query).items():
            at = FIRST + second
            if starts <= at < ends:
                buckets.setdefault(at // period * period, []).append(value)
        merge = sum if query["stat"] in {"Sum", "SampleCount"} else max
        times = sorted(buckets)
        return {"id": query["id"], "times": times, "values": [float(merge(buckets[at])) for at in times]}

    def _values(self, query: dict[str, Any]) -> dict[int, float]:
        metric, code, stat = query["metric"], query["dimensions"].get("Code", ""), query["stat"]
        share = {"p50": 1.0, "p95": 2.4, "p99": 3.6}.get(stat, 1.0)
        let_in, refused = self._story["Accepted", ""], self._story["Refused", ""]
        slow = {n: 8.0 if n in BROKEN else 1.0 + 4 * 0.9**n for n in range(SECONDS)}
        told: dict[str, Callable[[], dict[int, float]]] = {
            "AcceptLatency": lambda: _waits(let_in, stat, {n: 4 * share + slow[n] for n in slow}, 6.5),
            "RefuseLatency": lambda: _waits(refused, stat, dict.fromkeys(slow, 2 * share), 1.9),
            "Latency": lambda: dict.fromkeys(slow, 5 * share),
            "DecideLatency": lambda: {n: 45 * share * slow[n] for n in let_in if let_in[n]},
            "BreakerOpen": lambda: dict.fromkeys(BROKEN, 1.0),
            "Duration": lambda: {n: 3.1 * count for n, count in let_in.items()},
            "Invocations": lambda: {n: count / 60 for n, count in let_in.items()},
            "Count": lambda: {n: count + let_in[n] for n, count in refused.items()},
        }
        if metric in told:
            return told[metric]()
        return self._story.get((metric, code), {})


def _waits(counts: dict[int, float], stat: str, values: dict[int, float], mean: float) -> dict[int, float]:
    happened = {n: count for n, count in counts.items() if count}
    if stat == "SampleCount":
        return happened
    return {n: mean * happened[n] if stat == "Sum" else values[n] for n in happened}


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
