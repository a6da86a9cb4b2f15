"""Loads every statement of the ledger from queries.sql, once. It knows no connection.

Statements are values: a `Ledger` can be built with another set, which is how a test shows that it
would notice an unsafe one.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec


class Queries(msgspec.Struct, frozen=True, kw_only=True):
    """One field a statement, named as in queries.sql, where arguments and results are described."""

    ping: bytes
    begin: bytes
    commit: bytes
    rollback: bytes
    create_event: bytes
    read_events: bytes
    update_event: bytes
    switch_event: bytes
    survey: bytes
    read_orders: bytes
    read_order_by_key: bytes
    read_ticket_types: bytes
    hold_ticket_types: bytes
    read_order_facts: bytes
    read_keys: bytes
    sell: bytes
    record_orders: bytes
    record_tallies: bytes
    lock_order: bytes
    change_order: bytes
    expire_orders: bytes
    move_stock: bytes
    move_tallies: bytes
    count_given_back: bytes
    hold_stock: bytes
    hold_tally: bytes
    record_payment: bytes
    judge_payment: bytes
    is_paid: bytes
    refund_payments: bytes
    read_payments: bytes
    count_failures: bytes
    mark_moved: bytes
    read_dead_letters: bytes
    find_candidates: bytes
    read_orders_by_id: bytes
    read_letters: bytes
    read_trace: bytes
    count_dead_letters: bytes
    read_failed_attempts: bytes
    read_body: bytes
    mark_redriven: bytes
    mark_all_redriven: bytes
    mark_deleted: bytes
    read_with_messages: bytes
    record_action: bytes
    read_actions: bytes
    read_sale_facts: bytes
    read_sales: bytes


def parse(text: str) -> dict[str, bytes]:
    """Splits a file at its `-- name: …` lines and drops the comments (a % there would be a parameter).

    Returns statement by name. Raises ValueError when a name comes twice.
    """
    _, *parts = re.split(r"^-- name: (\w+)$", text, flags=re.MULTILINE)
    names, bodies = parts[::2], parts[1::2]
    if len(set(names)) != len(names):
        raise ValueError("a statement's name comes twice")
    return {
        name: re.sub(r"^\s*--.*$", "", body, flags=re.MULTILINE).strip().encode()
        for name, body in zip(names, bodies, strict=True)
    }


QUERIES = Queries(**parse(Path(__file__).with_name("queries.sql").read_text(encoding="utf-8")))
"""The statements as shipped. A name that file and structure do not share fails the import."""
