"""A worker process that breaks where it is told to: the real event source, the real function, real stores.

Run as `python -m tests.faults.worker`. FAULT="after-reading:2" strikes the second time that it comes by the
point `after-reading`; with ACT=die the process is gone at once, with ACT=hold it stands still until the file
RELEASE is there. STRUCK is a file that says that it has struck. BATCH and WINDOW are the mapping's.

The points, in the order in which a batch comes by: `after-reading` (nothing is written), `before-commit`
(all is written), `after-commit` (the gate knows nothing), `after-settling` (nothing is returned).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chalicelib.aws.credentials import credential_source
from chalicelib.fulfilment import fulfil
from chalicelib.gate.client import connect
from chalicelib.gate.gate import Gate
from chalicelib.ledger.attempt import Attempt
from chalicelib.ledger.connections import Connections
from chalicelib.ledger.ledger import Ledger
from chalicelib.model import OrderPlaced
from chalicelib.queue.client import QueueClient
from chalicelib.rules import Snapshot
from chalicelib.services import Services
from chalicelib.settings import Settings, from_environment
from infra.local.children import end_with_parent
from infra.local.event_source import READY, EventSource, Mapping
from tests.support.waiting import until

DIED = 9
"""The exit code of a worker that struck itself down."""
WINDOW_SECONDS = "0.3"
"""Short beside Lambda's second; WINDOW is another."""
HOLD_SECONDS = 60


class Trap:
    """Strikes once, at one point."""

    def __init__(self, point: str, turn: int, act: str, struck: Path, release: Path) -> None:
        self._point, self._left, self._act = point, turn, act
        self._struck, self._release = struck, release

    def pass_by(self, point: str) -> None:
        """Ends the process, or holds it, when it is time."""
        if point != self._point:
            return
        self._left -= 1
        if self._left:
            return
        self._struck.touch()
        if self._act == "die":
            os._exit(DIED)
        until(self._release.exists, "the test lets the worker go on", seconds=HOLD_SECONDS)


class TrappedAttempt(Attempt):
    """The real attempt with a trap between reading and writing."""

    def __init__(self, real: Attempt, trap: Trap) -> None:
        super().__init__(real._connection, real._queries)
        self._trap = trap

    def snapshot(self, batch: Sequence[OrderPlaced], *, hold: bool = False, keyed: bool = False) -> Snapshot:
        """Reads, and passes by."""
        found = super().snapshot(batch, hold=hold, keyed=keyed)
        self._trap.pass_by("after-reading")
        return found


class TrappedLedger(Ledger):
    """The real ledger with a trap on either side of COMMIT."""

    def __init__(self, connections: Connections, trap: Trap) -> None:
        super().__init__(connections)
        self._trap = trap

    @contextmanager
    def attempt(self) -> Iterator[Attempt]:
        """One transaction, and what lies beside its end."""
        with super().attempt() as real:
            yield TrappedAttempt(real, self._trap)
            self._trap.pass_by("before-commit")
        self._trap.pass_by("after-commit")


class TrappedGate(Gate):
    """The real gate with a trap after settling."""

    def __init__(self, client: Any, trap: Trap) -> None:
        super().__init__(client)
        self._trap = trap

    def settle(self, event_id: int, kept: Sequence[str], returned: Sequence[str]) -> int:
        """Settles, and passes by."""
        settled = super().settle(event_id, kept, returned)
        self._trap.pass_by("after-settling")
        return settled


def trapped(settings: Settings, trap: Trap) -> Services:
    """The service's parts with the trap in them."""
    services = Services(settings)
    connections = Connections(settings.database_url, settings.ledger_connections, settings.ledger_timeout_ms)
    gate = TrappedGate(connect(settings.valkey_url, settings.gate_timeout_ms), trap)
    services.__dict__.update(ledger=TrappedLedger(connections, trap), gate=gate)
    return services


def trap_of(environ: Any) -> Trap:
    """Reads the trap from the environment."""
    point, _, turn = environ.get("FAULT", "nowhere:1").partition(":")
    struck, release = Path(environ["STRUCK"]), Path(environ["RELEASE"])
    return Trap(point, int(turn or 1), environ.get("ACT", "die"), struck, release)


def main() -> None:
    """Runs the mapping until SIGTERM, or until it strikes itself down."""
    end_with_parent()
    settings = from_environment()
    services = trapped(settings, trap_of(os.environ))
    client = QueueClient(
        settings.order_queue_url, settings.aws_region, credential_source(settings), settings.queue_timeout_ms
    )
    batch_size = int(os.environ.get("BATCH") or 100)
    window_seconds = float(os.environ.get("WINDOW") or WINDOW_SECONDS)
    mapping = Mapping(lambda event, _: fulfil(services, event), "fulfil", batch_size, window_seconds)
    source = EventSource(mapping, client, settings)
    signal.signal(signal.SIGTERM, lambda *_: source.stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print(READY, flush=True)  # noqa: T201 - the house waits for it
    source.run()


if __name__ == "__main__":
    main()
