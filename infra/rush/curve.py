"""The sell curve: how many orders were confirmed in each slice of the rush, and its picture in blocks.

Pure; it must not know orders or clocks, only moments and counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

EIGHTHS = " ▁▂▃▄▅▆▇█"
ROUND_SLICES_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000)


class Curve(msgspec.Struct, frozen=True, rename="camel"):
    """`confirmed[n]` orders were confirmed in the n-th slice of `slice_ms`, counted from the first accept."""

    slice_ms: int
    confirmed: tuple[int, ...]


def sell_curve(moments_ms: Sequence[float], width: int = 60) -> Curve:
    """Counts `moments_ms` (milliseconds since the start, not negative) into at most `width` slices.

    A slice is a round number of milliseconds, so that the axis can be read.
    """
    if not moments_ms:
        return Curve(ROUND_SLICES_MS[0], ())
    end_ms = max(moments_ms)
    slice_ms = _slice_ms(end_ms, width)
    counts = [0] * (int(end_ms // slice_ms) + 1)
    for moment in moments_ms:
        counts[int(moment // slice_ms)] += 1
    return Curve(slice_ms, tuple(counts))


def _slice_ms(end_ms: float, width: int) -> int:
    for slice_ms in ROUND_SLICES_MS:
        if end_ms // slice_ms < width:
            return slice_ms
    return int(end_ms // width) + 1


def draw(curve: Curve, height: int = 6) -> list[str]:
    """The picture: `height` lines of block characters, the axis and its labels; none without a sale."""
    if not curve.confirmed:
        return []
    top = max(curve.confirmed)
    margin = len(f"{top}")
    labels = [f"{top:>{margin}}"] + [" " * margin] * (height - 1)
    rows = (_row(curve.confirmed, top, height, row) for row in range(height))
    bars = [f"{label} │{row}".rstrip() for label, row in zip(labels, rows, strict=True)]
    width = len(curve.confirmed)
    end = f"{width * curve.slice_ms / 1000:g} s"
    axis = f"{'0':>{margin}} └{'─' * width}"
    return [*bars, axis, f"{'':>{margin}}  0{end:>{max(width - 1, len(end) + 1)}}"]


def _row(counts: Sequence[int], top: int, height: int, row: int) -> str:
    below = (height - 1 - row) * 8
    return "".join(EIGHTHS[min(max(_eighths(count, top, height) - below, 0), 8)] for count in counts)


def _eighths(count: int, top: int, height: int) -> int:
    """Rounded up: a slice with one sale shows, however small it is beside the tallest."""
    return -(-count * height * 8 // top)
