"""What a rush is to do. Plain values; it must not know how any of it is done."""

from __future__ import annotations

import msgspec

LOCAL_URL = "http://127.0.0.1:8000"


class RushPlan(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One rush: `buyers` people place one order of `quantity` tickets each, over `concurrency` connections.

    `seed` names the crowd: the same seed gives the same buyer names and the same waits. One accepted
    order in `sample_every` is followed the way its buyer would, by asking for it at Retry-After.
    With `over_seconds` the requests go out evenly over that time, a slow service permitting; 0 is as fast
    as it answers. A connection that fails is tried again for `patience_seconds`; an answer that takes
    longer than `answer_seconds` is given up; after the crowd, decisions are awaited for `decide_seconds`,
    and what else must come right (the gate's count, say) for `settle_seconds` after that.
    """

    url: str = LOCAL_URL
    tickets: int = 1_000
    buyers: int = 5_000
    quantity: int = 1
    concurrency: int = 64
    over_seconds: float = 0.0
    seed: int = 1
    sample_every: int = 50
    patience_seconds: float = 20.0
    answer_seconds: float = 10.0
    decide_seconds: float = 60.0
    settle_seconds: float = 10.0
