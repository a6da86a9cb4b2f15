"""The emulator's ASGI app, with five things mended that would make a deployment here unlike one on AWS.

- Its event source mapping hands a function at most 10 messages, whatever BatchSize says; with a batching
  window, Lambda hands it as many as were asked for. Ours asks for 100.
- After a call that logs nothing it waits 50 ms for lines that might still come. What a function has written
  is in the pipe before its answer is, so a few milliseconds do: 60 answers a second become 300.
- It talks with a function over file descriptor 1, which on Lambda is the function's log: a line that is
  written there, as `chalicelib/log.py` does, is lost, and one with a "status" would be taken for the answer.
  Ours talks over a descriptor of its own, and what is written to 1 is the log.
- It keeps a process of each version of a function for ever, so that every deployment leaves six behind. Ours
  ends what has been idle for long, as Lambda does.
- It reads no answers of API Gateway's own from an API's definition (`gateway_answers.py`).

Runs in the emulator's environment (.venv/emulator), served by granian with uvloop; it must import nothing of
the service. It leans on inner names of one exact release, which infra/local/requirements.txt pins.
"""

from __future__ import annotations

import os
import time
from typing import Any

from ministack.app import app  # type: ignore[import-not-found]
from ministack.core import lambda_runtime  # type: ignore[import-not-found]
from ministack.services import apigateway_v1, lambda_svc, sqs  # type: ignore[import-not-found]

from infra.emulator import gateway_answers

__all__ = ["app"]

LINES_SECONDS = 0.004
TALKS_OVER_1 = "_real_stdout = sys.stdout\n"
TALKS_APART = "_real_stdout = os.fdopen(os.dup(1), 'w'); os.dup2(2, 1)\n"
LARGEST_BATCH = 10_000


def receive_for_mapping(queue_url: str, at_most: int) -> Any:
    """Messages for an event source mapping, up to `at_most`; the emulator's own gives 10."""
    with sqs._queues_lock:
        queue = sqs._get_q(queue_url)
        sqs._expire_retained(queue)
        sqs._dlq_sweep(queue)
        seconds = int(queue["attributes"].get("VisibilityTimeout", "30"))
        return sqs._collect_msgs(queue, min(int(at_most or 1), LARGEST_BATCH), seconds)


def drain_lines(worker: Any) -> Any:
    """The lines that a call has logged."""
    return _drain(worker, first_line_wait=LINES_SECONDS, idle_confirm=0.001)


def reap_idle_workers(seconds: float = lambda_runtime._LOCAL_WORKER_TTL) -> int:
    """Ends every process that has been idle for so long, and returns how many."""
    latest = time.time() - seconds
    ended = []
    with lambda_runtime._lock:
        for key, pool in list(lambda_runtime._workers.items()):
            ended += [worker for worker in pool if not worker.in_use and worker.last_used < latest]
            lambda_runtime._workers[key] = [worker for worker in pool if worker not in ended]
    lambda_runtime.kill_workers(ended)
    return len(ended)


# Functions inherit the variables: with this one they would find the checkout's modules beside the zip's.
os.environ.pop("PYTHONPATH", None)
_drain = lambda_runtime.Worker._drain_stderr_bounded
lambda_runtime.Worker._drain_stderr_bounded = drain_lines
if TALKS_OVER_1 not in lambda_runtime._PYTHON_WORKER_SCRIPT:
    raise ImportError("this release of ministack talks with functions in another way")
lambda_runtime._PYTHON_WORKER_SCRIPT = lambda_runtime._PYTHON_WORKER_SCRIPT.replace(TALKS_OVER_1, TALKS_APART)
lambda_svc.reap_idle_workers = reap_idle_workers
sqs._receive_messages_for_esm = receive_for_mapping
gateway_answers.install(apigateway_v1)
