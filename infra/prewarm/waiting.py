"""Watches Lambda make environments ready, as a bar in the terminal. It must not know why they are made."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from infra.prewarm.provisioned import Provisioned, State, wait

POLL_SECONDS = 2.0


def watched(alias: Provisioned, amount: int, *, shown: bool) -> State:
    """Waits until all are ready; Ctrl-C only stops watching. Raises Failed, and botocore's errors."""
    columns = (
        TextColumn("environments"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not shown) as progress:
        bar = progress.add_task("", total=amount)
        return wait(
            alias.state,
            lambda state: progress.update(bar, completed=state.there),
            lambda: time.sleep(POLL_SECONDS),
        )
