"""The figures of the cold starts as a table for people, and as the JSON object has them."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table

from infra.package.cold_start import Figures

_SHOWN = 6


def cold_start_table(found: Iterable[Figures]) -> Table:
    """One function a line: CPU until its handler is there and until its first calls are, and what weighs."""
    table = Table(title="cold start from the zip: CPU, least of several", title_justify="left")
    for name, justify in (("function", "left"), ("handler ms", "right"), ("first call ms", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    table.add_column("at most", justify="right")
    table.add_column("modules", justify="right")
    table.add_column("heaviest packages, ms of import")
    for each in found:
        table.add_row(
            each.function,
            f"{each.ready_ms:.0f}",
            f"{each.first_ms:.0f}" if each.is_within else f"[red]{each.first_ms:.0f}",
            f"{each.limit_ms:.0f}",
            str(each.modules),
            ", ".join(f"{name} {weight:.0f}" for name, weight in list(each.heaviest.items())[:_SHOWN]),
        )
    return table


def cold_start_document(found: Iterable[Figures]) -> list[dict[str, object]]:
    """The same for programs."""
    return [
        {
            "function": each.function,
            "handlerCpuMs": round(each.ready_ms, 1),
            "firstCallCpuMs": round(each.first_ms, 1),
            "limitMs": each.limit_ms,
            "modules": each.modules,
            "importMsByPackage": each.heaviest,
        }
        for each in found
    ]
