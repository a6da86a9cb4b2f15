"""Has a stage's own function bring the ledger up to date, from inside its network. Knows no table."""

from __future__ import annotations

import json

from infra.deploy.account import Account
from infra.deploy.events import shortened
from infra.deploy.faults import Fault
from infra.deploy.names import ALIAS, Names


def migrated(account: Account, stage: str) -> list[str]:
    """Calls the function, and returns the names of the migrations that it has applied, in order.

    Raises Fault with what the function said when it failed, and botocore's exceptions.
    """
    name = Names(stage).migrate
    answer = account.client("lambda").invoke(FunctionName=name, Qualifier=ALIAS, Payload=b"{}")
    said = json.loads(answer["Payload"].read() or b"null")
    if answer.get("FunctionError"):
        why = said.get("errorMessage", "") if isinstance(said, dict) else str(said)
        raise Fault(
            f"{name} failed: {shortened(why) or 'it said nothing'}"
            f" Its log says more: `python -m infra logs --stage {stage}`."
        )
    found = said.get("applied", []) if isinstance(said, dict) else []
    return [str(each) for each in found]
