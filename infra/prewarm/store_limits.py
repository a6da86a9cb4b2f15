"""Sets at once what the gate and the ledger have ready, by the calls that are scheduled otherwise.

What it sets is drift for CloudFormation, which leaves it until the stage's setting itself changes. It must
not know any schedule; botocore's errors pass.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from infra.prewarm.provisioned import State

_AS_BOTO3_SAYS = {"EcpuPerSecond": "ECPUPerSecond", "DbClusterIdentifier": "DBClusterIdentifier"}


class Limit:
    """One call that sets one thing; it is not read back."""

    def __init__(self, call: Callable[..., object], given: Callable[[int], dict[str, Any]]) -> None:
        """`call` is a method of a boto3 client, `given` what Scheduler gives it for an amount."""
        self._call, self._given = call, given

    def state(self) -> State:
        """Nothing asked for: a minimum is no reservation that could be too large for a schedule."""
        return State(asked=0, there=0, settled=True)

    def ask(self, amount: int) -> None:
        """Sets it; 0 sets what the stage has always. Does not wait."""
        said = json.dumps(self._given(amount))
        for theirs, ours in _AS_BOTO3_SAYS.items():
            said = said.replace(f'"{theirs}"', f'"{ours}"')
        self._call(**json.loads(said))
