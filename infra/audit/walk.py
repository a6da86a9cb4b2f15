"""Walks one event through ledger, gate and queues, again and again until all is well or the time is over."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any

import msgspec
import psycopg
import valkey

from infra.audit.checks import judge
from infra.audit.evidence import Evidence
from infra.audit.read_gate import read_epoch, read_gate
from infra.audit.read_ledger import read_ledger
from infra.audit.read_queue import read_queue
from infra.local.sqs import client as queue_client
from infra.rush.verdict import Audit

PAUSE_SECONDS = 0.25


class Places(msgspec.Struct, frozen=True):
    """Where the stores of a stack are."""

    dsn: str
    valkey_url: str
    order_queue_url: str
    dead_letter_url: str


def walk(places: Places, event_id: int, settle_seconds: float) -> tuple[Evidence, Audit]:
    """Audits an event; faults in stores that are still settling get `settle_seconds` to go away.

    Raises NoSuchEvent, psycopg.Error, valkey.ValkeyError, or Unavailable when a queue does not answer.
    """
    until = time.monotonic() + settle_seconds
    with (
        psycopg.connect(places.dsn, connect_timeout=5, autocommit=True) as ledger,
        closing(valkey.Valkey.from_url(places.valkey_url, socket_timeout=10)) as gate,
    ):
        while not _is_settled(_stores(ledger, gate, event_id)) and time.monotonic() < until:
            time.sleep(PAUSE_SECONDS)
        queues = {
            name: _queue(url, event_id)
            for name, url in (("orders", places.order_queue_url), ("dead_letters", places.dead_letter_url))
        }
        evidence = msgspec.structs.replace(_stores(ledger, gate, event_id), **queues)
    return evidence, judge(evidence)


def _is_settled(evidence: Evidence) -> bool:
    return judge(evidence).passed and evidence.gate.steady


def _stores(ledger: psycopg.Connection[Any], gate: Any, event_id: int) -> Evidence:
    epoch = read_epoch(gate, event_id)
    books = read_ledger(ledger, event_id)
    return Evidence(event_id=event_id, ledger=books, gate=read_gate(gate, event_id, epoch))


def _queue(url: str, event_id: int) -> Any:
    with closing(queue_client(url)) as client:
        return read_queue(client, event_id)
