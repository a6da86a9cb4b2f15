"""What a stage's parts are called: stacks, functions, queues. Knows no account and reads nothing.

The one place for names that templates, verbs and runbooks agree on; a template writes them with its
parameter `Stage` in the middle.
"""

from __future__ import annotations

from dataclasses import dataclass

APPLICATION = "onsale"
ARTIFACTS = "onsale-artifacts"
"""The stack with the bucket for code and templates; every stage of an account and region shares it."""
ALIAS = "live"
"""What traffic goes through: the alias of each function that a deployment moves."""


@dataclass(frozen=True)
class Names:
    """The names of one stage's parts."""

    stage: str

    @property
    def prefix(self) -> str:
        """What every name of the stage begins with; also the cluster's, the API's and the dashboard's."""
        return f"{APPLICATION}-{self.stage}"

    @property
    def foundation(self) -> str:
        """The stack that keeps data: network, ledger, gate, queues, secrets, alarms."""
        return f"{self.prefix}-foundation"

    @property
    def service(self) -> str:
        """The stack that keeps none: functions, API, schedules."""
        return f"{self.prefix}-service"

    @property
    def door(self) -> str:
        """The function behind the API."""
        return self.prefix

    @property
    def fulfil(self) -> str:
        """The function behind the order queue."""
        return f"{self.prefix}-fulfil"

    @property
    def migrate(self) -> str:
        """The function that brings the ledger's tables up to date."""
        return f"{self.prefix}-migrate"

    @property
    def functions(self) -> tuple[str, ...]:
        """Every function of the stage, the door first."""
        workers = ("reconcile", "expire", "watch")
        return (self.door, self.fulfil, *(f"{self.prefix}-{each}" for each in workers), self.migrate)

    @property
    def orders(self) -> str:
        """The order queue."""
        return f"{self.prefix}-orders"

    @property
    def dead_letters(self) -> str:
        """Where orders go that cannot be done."""
        return f"{self.prefix}-orders-dead"

    def log_group(self, function: str) -> str:
        """The log group of one of the functions."""
        return f"/aws/lambda/{function}"
