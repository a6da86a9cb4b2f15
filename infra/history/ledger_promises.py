"""What the ledger must show by itself: nothing oversold, no order rewritten, no key sold twice. Pure."""

from __future__ import annotations

from collections import defaultdict

from infra.history.walk import Walk
from infra.rush.verdict import Check, without_exception


def checks(walk: Walk) -> list[Check]:
    """Promises that need no buyer's word."""
    wrong = walk.wrong
    return [
        without_exception("nothing is oversold after any commit", wrong.oversold),
        without_exception("the counters are what the orders add up to after every commit", wrong.unbalanced),
        without_exception("no order goes a way that there is not", wrong.moves),
        without_exception("an order is written once and never removed", wrong.rewritten),
        without_exception("no buyer has more than the event allows after any commit", wrong.over_cap),
        without_exception("no hold ends before its time", wrong.cut_short),
        without_exception("no held order is confirmed without its payment", wrong.unpaid),
        _no_key_twice(walk),
    ]


def _no_key_twice(walk: Walk) -> Check:
    holders: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for order_id, lived in walk.orders.items():
        if lived.row.idempotency_key is not None:
            holders[lived.row.user_id, lived.row.idempotency_key].append(order_id)
    wrong = [" and ".join(ids) for ids in holders.values() if len(ids) > 1]
    return without_exception("no key of a buyer is two orders' in the ledger", wrong)
