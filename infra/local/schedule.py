"""Calls the app's scheduled functions every few seconds, as EventBridge does every minute on AWS.

Run as `python -m infra.local.schedule --every 5`. Each function has a thread of its own, so that a slow one
holds no other up. It knows that there are such functions, not what they do.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import traceback
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from infra.local.children import end_with_parent
from infra.local.context import LambdaContext

EVERY_SECONDS = 5.0
"""Much more often than on AWS, so that on one machine a fault is mended while somebody watches."""
OWN_PACE_SECONDS = {"expire": 1.0, "watch": 1.0}
"""By function, whatever `--every` says: a hold that is over is back on sale within 5 s, and how deep the
queue is shows within 2 s."""
FUNCTION_TIMEOUT_MS = 60_000


Handler = Callable[[dict[str, Any], Any], object]


def scheduled(module: Any) -> dict[str, Handler]:
    """Finds the functions declared with `@app.schedule`, by name. Raises LookupError when there is none."""
    names = [
        source.handler_string.rpartition(".")[2]
        for source in module.app.event_sources
        if type(source).__name__ == "ScheduledEventConfig"
    ]
    if not names:
        raise LookupError("the app declares no @app.schedule function")
    return {name: getattr(module, name) for name in names}


def event(name: str) -> dict[str, Any]:
    """A scheduled event for the function `name` as EventBridge sends it, of now."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "us-east-1",
        "resources": [f"arn:aws:events:us-east-1:000000000000:rule/onsale-{name}"],
        "detail": {},
    }


def main() -> None:
    """Calls the functions until SIGTERM, and lets those under way finish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=float, default=EVERY_SECONDS, help="seconds between two calls")
    every_seconds = parser.parse_args().every
    end_with_parent()
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    threads = [
        threading.Thread(
            target=keep_calling, args=(name, handler, OWN_PACE_SECONDS.get(name, every_seconds), stopping)
        )
        for name, handler in scheduled(import_module("app")).items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def keep_calling(name: str, handler: Handler, every_seconds: float, stopping: threading.Event) -> None:
    """Calls one function until `stopping`. A failure is logged and the next call comes as planned."""
    while not stopping.wait(every_seconds):
        try:
            handler(event(name), LambdaContext(str(uuid.uuid4()), name, FUNCTION_TIMEOUT_MS))
        except Exception as error:
            facts = {
                "message": "scheduled call failed",
                "function": name,
                "error": repr(error),
                "trace": traceback.format_exc(),
            }
            print(json.dumps({"level": "ERROR", **facts}), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
