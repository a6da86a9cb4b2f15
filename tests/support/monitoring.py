"""The stack's own CloudWatch by itself, and a hand to put values into any CloudWatch by its JSON protocol."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from chalicelib.aws.client import AwsClient
from chalicelib.aws.cloudwatch import CloudWatch
from chalicelib.aws.sigv4 import CLOUDWATCH
from infra.local.cloudwatch.actions import Actions
from infra.local.cloudwatch.definitions import alarms, dashboard
from infra.local.cloudwatch.server import Handler, serve
from infra.local.cloudwatch.store import Store
from infra.local.cloudwatch.watch import Watch
from infra.local.layout import free_port
from tests.support.sqs import ANYBODY

DASHBOARD = "onsale-local"


class Monitored(CloudWatch):
    """A CloudWatch that takes values, too."""

    def __init__(self, endpoint: str, watch: Watch | None = None) -> None:
        """`watch` is what evaluates its alarms, where that is ours."""
        self.endpoint = endpoint
        self._watch = watch
        self.client = AwsClient(
            endpoint, "us-east-1", lambda: ANYBODY, 10_000, service=CLOUDWATCH, part="cloudwatch"
        )
        super().__init__(self.client)

    def put(self, namespace: str, name: str, dimensions: Mapping[str, str], at: int, *values: float) -> None:
        """Puts values of one metric, as of the second `at`."""
        named = [{"Name": each, "Value": value} for each, value in dimensions.items()]
        datum = {"MetricName": name, "Dimensions": named, "Timestamp": at, "Values": values}
        counted = {**datum, "Counts": [1] * len(values), "StorageResolution": 1}
        self.client.call("PutMetricData", {"Namespace": namespace, "MetricData": [counted]})

    def look(self) -> None:
        """Evaluates the alarms now."""
        assert self._watch is not None
        self._watch.look(time.time())


@contextmanager
def own_cloudwatch(handlers: Mapping[str, Handler] | None = None) -> Iterator[Monitored]:
    """Serves the stack's own on a free port, with its dashboard and alarms, until the block ends."""
    store, port = Store(), free_port()
    watch = Watch(alarms("local"), store, time.time())
    server = serve(port, Actions(store, watch, {DASHBOARD: dashboard("local")}), handlers or {})
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    found = Monitored(f"http://127.0.0.1:{port}", watch)
    try:
        yield found
    finally:
        found.client.close()
        server.shutdown()
        thread.join()
        server.server_close()
