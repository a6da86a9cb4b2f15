"""The gate's key names. All keys of one event share a hash tag, so a script runs in one cluster slot."""

from __future__ import annotations

import hashlib

LOADED = b"onsale:loaded"
"""Set of the ids of all events that were ever filled; its own slot, read by the scheduled functions only, and
when the server is another."""
HISTORIES = b"onsale:histories"
"""Set of the replication ids of the servers that were met: one more at each start or promotion, 40 bytes."""
KEY_LIFE_SECONDS = 24 * 60 * 60
"""How long an idempotency key leads to its order here; the ledger knows it for as long as the order."""


def terms(event_id: int) -> bytes:
    """Hash: what the sale allows (window, limits, ticket types and prices), since when it is loaded.

    Without the field `version` the event is not loaded.
    """
    return b"{e:%d}:terms" % event_id


def stock(event_id: int) -> bytes:
    """Hash: ticket type id to tickets that can still be given."""
    return b"{e:%d}:stock" % event_id


def claims(event_id: int) -> bytes:
    """Hash: order id to the claim, which is the message on the queue."""
    return b"{e:%d}:claims" % event_id


def waiting(event_id: int) -> bytes:
    """Sorted set: order id by the time its message was last put on the queue, ms."""
    return b"{e:%d}:waiting" % event_id


def late(event_id: int) -> bytes:
    """Sorted set: id of each order that was put on the queue again, by the time of its acceptance, ms.

    A settled order may still be in it; oldest.lua takes it out.
    """
    return b"{e:%d}:late" % event_id


def buyers(event_id: int) -> bytes:
    """Hash: user id to tickets admitted. May have forgotten some, never has more than there are."""
    return b"{e:%d}:buyers" % event_id


def record(event_id: int, user_id: str, key: str) -> bytes:
    """Text with a life of KEY_LIFE_SECONDS: which order of this buyer has this idempotency key.

    The buyer's name is hashed along with its length, so that no other name and key run together alike.
    """
    owner = f"{len(user_id)} {user_id} {key}".encode()
    return b"{e:%d}:key:%s" % (event_id, hashlib.sha256(owner).hexdigest().encode())


def bucket(event_id: int, kind: str, whose: str) -> bytes:
    """Text with a life of a minute at most: when this buyer's, or client's, rate limit is whole again, µs.

    Names and addresses are hashed: a key says nobody's name, and has one length.
    """
    digest = hashlib.blake2b(f"{kind} {whose}".encode(), digest_size=16).hexdigest()
    return b"{e:%d}:rate:%s" % (event_id, digest.encode())


def epoch(event_id: int) -> bytes:
    """Counter: goes up when claims are settled, terms change or the stock is realigned.

    A view of the ledger read before is old then.
    """
    return b"{e:%d}:epoch" % event_id


def loading(event_id: int) -> bytes:
    """Lock with a short life: who holds it fills the gate."""
    return b"{e:%d}:loading" % event_id
