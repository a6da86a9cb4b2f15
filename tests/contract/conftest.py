"""The gate, three times (the in-memory twin, one Valkey, a Valkey cluster), and SQS from both emulators.

In the cluster the gate has the rights that it has in ElastiCache (infra/stacks/foundation.yaml).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.gate.client import connect
from tests.support.elasticache import limit
from tests.support.gates import AnyGate, empty_gate
from tests.support.sqs import LOCALSTACK, skip_without_localstack, sqs_server
from tests.support.valkey import valkey_server


@pytest.fixture(scope="session", params=["memory", "valkey", "cluster"])
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A client of a real server, or None for the twin."""
    if request.param == "memory":
        yield None
        return
    with valkey_server(cluster=request.param == "cluster") as url:
        if request.param == "cluster":
            limit(url, "+flushall", "+keys", "+debug")  # what only the tests call
        connected = connect(url, timeout_ms=1_000)
        yield connected
        connected.close()


@pytest.fixture
def gate(client: Any) -> AnyGate:
    """An empty gate."""
    return empty_gate(client)


SQS = [
    pytest.param("embedded", marks=pytest.mark.slow),
    pytest.param("localstack", marks=[pytest.mark.slow, pytest.mark.localstack]),
]


@pytest.fixture(scope="module", params=SQS)
def endpoint(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where an SQS answers."""
    if request.param == "localstack":
        skip_without_localstack()
        yield LOCALSTACK
        return
    with sqs_server() as address:
        yield address
