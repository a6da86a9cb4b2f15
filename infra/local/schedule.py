"""Calls the app's scheduled function every few seconds, as EventBridge does every minute on AWS.

Run as `python -m infra.local.schedule --every 5`. It knows that there is such a function, not what it does.
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
FUNCTION_TIMEOUT_MS = 60_000


def scheduled(module: Any) -> Callable[[dict[str, Any], Any], object]:
    """Finds the function declared with `@app.schedule`. Raises LookupError when there is none."""
    for source in module.app.event_sources:
        if type(source).__name__ == "ScheduledEventConfig":
            handler: Callable[[dict[str, Any], Any], object] = getattr(
                module, source.handler_string.rpartition(".")[2]
            )
            return handler
    raise LookupError("the app declares no @app.schedule function")


def event() -> dict[str, Any]:
    """A scheduled event as EventBridge sends it, of now."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:000000000000:rule/onsale-reconcile"],
        "detail": {},
    }


def main() -> None:
    """Calls the function until SIGTERM. A failure is logged and the next call comes as planned."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=float, default=EVERY_SECONDS, help="seconds between two calls")
    every_seconds = parser.parse_args().every
    end_with_parent()
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    handler = scheduled(import_module("app"))
    while not stopping.wait(every_seconds):
        try:
            handler(event(), LambdaContext(str(uuid.uuid4()), "reconcile", FUNCTION_TIMEOUT_MS))
        except Exception as error:
            facts = {
                "message": "scheduled call failed",
                "error": repr(error),
                "trace": traceback.format_exc(),
            }
            print(json.dumps({"level": "ERROR", **facts}), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
