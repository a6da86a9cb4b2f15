"""The process behind CloudWatch and Lambda on the laptop; `python -m infra.local.cloudwatch --help`.

One thread follows the logs, one looks at the alarms, one asks each queue and one the database: each goes on
by itself when another one has to wait.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from chalicelib.settings import from_environment
from infra.local import mapping_api, sqs
from infra.local.children import end_with_parent
from infra.local.cloudwatch.actions import Actions
from infra.local.cloudwatch.database import Database
from infra.local.cloudwatch.definitions import alarms, dashboard
from infra.local.cloudwatch.emf import Extractor
from infra.local.cloudwatch.queues import Queue
from infra.local.cloudwatch.server import Handler, Reply, serve
from infra.local.cloudwatch.store import Store
from infra.local.cloudwatch.tail import Tail
from infra.local.cloudwatch.watch import Watch

POLL_SECONDS = 0.25
SAMPLE_SECONDS = 1.0
DATABASE_SECONDS = 5.0


def main() -> None:
    """Serves until SIGTERM."""
    asked = _arguments()
    end_with_parent()
    settings = from_environment()
    store = Store()
    watch = Watch(alarms(settings.stage), store, time.time())
    dashboards = {settings.dashboard_name: dashboard(settings.stage)}
    server = serve(asked.port, Actions(store, watch, dashboards), _handlers(asked.mapping, asked.workers))
    stopping = threading.Event()

    def stop(*_: object) -> None:
        stopping.set()
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _every(POLL_SECONDS, _follower(asked.logs, store), stopping)
    _every(SAMPLE_SECONDS, lambda: watch.look(time.time()), stopping)
    for url in asked.queue:
        _every(SAMPLE_SECONDS, _sampler(Queue(sqs.client(url)), store), stopping)
    if settings.database_url:
        _every(DATABASE_SECONDS, _sampler(Database(settings.database_url, settings.stage), store), stopping)
    server.serve_forever(poll_interval=0.1)


def _handlers(mapping: Path, workers: int) -> dict[str, Handler]:
    """What else is served here: the beginning of a path, and who answers below it."""
    api = mapping_api.of_app(mapping, workers)
    return {mapping_api.PREFIX: lambda asked: Reply(*api(*asked))}


def _follower(logs: Path, store: Store) -> Callable[[], None]:
    tail, extractor = Tail(logs), Extractor()

    def follow() -> None:
        for lines in tail.poll():
            store.add(extractor.points(lines))

    return follow


def _sampler(source: Queue | Database, store: Store) -> Callable[[], None]:
    return lambda: store.add(source.points(int(time.time())))


def _every(seconds: float, act: Callable[[], None], stopping: threading.Event) -> None:
    """Acts again and again in a thread of its own. A failure is logged, no more."""

    def run() -> None:
        while not stopping.is_set():
            try:
                act()
            except Exception as error:
                facts = {"message": "failed", "error": repr(error), "trace": traceback.format_exc()}
                print(json.dumps({"level": "ERROR", **facts}), file=sys.stderr, flush=True)
            stopping.wait(seconds)

    threading.Thread(target=run, daemon=True).start()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--logs", type=Path, required=True, help="the directory whose *.log are read")
    parser.add_argument("--queue", action="append", default=[], help="URL of a queue to look at")
    parser.add_argument("--mapping", type=Path, required=True, help="the file with the switch")
    parser.add_argument("--workers", type=int, required=True, help="how many the stack has")
    return parser.parse_args()


if __name__ == "__main__":
    main()
