"""What a rate limit has left, from what the admit script says of it. Pure.

A bucket is one moment: when it is whole again (GCRA). A request moves that moment by a minute / the limit,
and is let in when it is then at most a minute away: a minute's worth at once, and evenly from there on.
"""

from __future__ import annotations

from chalicelib.errors import Rejected
from chalicelib.model import Quota

MINUTE_US = 60_000_000


class Claim(bytes):
    """An admitted order as JSON, word for word. `quota`: what its buyer has left, None when nobody counts."""

    quota: Quota | None = None


def claim_with(claim: bytes, per_minute: int, until_whole_us: int) -> Claim:
    """The claim, with the limit of its buyer, whose bucket is whole again in `until_whole_us`."""
    found = Claim(claim)
    step_us = -(-MINUTE_US // per_minute)
    used = -(-until_whole_us // step_us)
    wait_us = until_whole_us - (used - 1) * step_us
    found.quota = Quota("buyer", per_minute, per_minute - used, _seconds(wait_us))
    return found


def rate_limited(bucket: str, per_minute: int, wait_us: int) -> Rejected:
    """The refusal of a "buyer" or a "client", who may ask again in `wait_us`.

    Its sentence has no figure that changes, so that its body is built once (`api/problems.py`).
    """
    sentence = f"This {bucket} has asked more often than this event answers in a minute; wait a little."
    return Rejected("rate-limited", sentence, quota=Quota(bucket, per_minute, 0, _seconds(wait_us)))


def _seconds(wait_us: int) -> int:
    """Whole seconds, and one at least."""
    return max(1, -(-wait_us // 1_000_000))
