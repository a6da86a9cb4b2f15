"""What to run, and where it answers. It starts nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping

from infra.local.children import Part
from infra.local.layout import CHECKOUT, LOOPBACK, Layout, answers


def part(
    port: int, layout: Layout, workers: int, queues: Iterable[str], environment: Mapping[str, str]
) -> Part:
    """The process on loopback `port`; `queues` are URLs, `environment` holds the service's settings."""
    options = ["--port", str(port), "--logs", str(layout.logs)]
    options += ["--mapping", str(layout.mapping_file), "--workers", str(workers)]
    options += [word for url in queues for word in ("--queue", url)]
    return Part(
        name="cloudwatch",
        command=[sys.executable, "-m", "infra.local.cloudwatch", *options],
        environment={**environment, "PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1"},
        ready=lambda: answers(port),
    )


def address(port: int) -> str:
    """Where it answers."""
    return f"http://{LOOPBACK}:{port}"
