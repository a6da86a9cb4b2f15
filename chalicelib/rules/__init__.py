"""The rules of sale: who gets what, what a payment does, what an order may become, how long it lasts. Pure.

No clock, no I/O, no randomness: the same facts give the same answer. They know no SQL and no queue;
`ledger` brings the facts and makes the answers true.
"""

from __future__ import annotations

from chalicelib.rules.life import Change, StockMove, TallyMove, change, judge_cancel, sum_of, wanted_by_type
from chalicelib.rules.pace import LOOK_BACK_SECONDS, Forecast, forecast
from chalicelib.rules.payment import Judgement, PaymentFacts, Room, is_late, judge_payment
from chalicelib.rules.replay import Replay, Verdict, foresee
from chalicelib.rules.sale import (
    KEY_REUSED,
    BuyerTally,
    Decision,
    Lot,
    Outcome,
    Recorded,
    Sale,
    Snapshot,
    Tally,
    decide,
)

__all__ = [
    "KEY_REUSED",
    "LOOK_BACK_SECONDS",
    "BuyerTally",
    "Change",
    "Decision",
    "Forecast",
    "Judgement",
    "Lot",
    "Outcome",
    "PaymentFacts",
    "Recorded",
    "Replay",
    "Room",
    "Sale",
    "Snapshot",
    "StockMove",
    "Tally",
    "TallyMove",
    "Verdict",
    "change",
    "decide",
    "forecast",
    "foresee",
    "is_late",
    "judge_cancel",
    "judge_payment",
    "sum_of",
    "wanted_by_type",
]
