"""What to do about each limit, in one sentence. It must not decide whether anything is to be done."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from infra.capacity.demand import REQUESTS_OF_AN_ENVIRONMENT, Assumptions, Demand

PROVISIONED_A_MINUTE = 6_000
"""Environments that Lambda prepares in a minute for one function."""


def shards(need: Demand, assumed: Assumptions, slot_ecpu: float, process_commands: float) -> int:
    """Slots over which the stock has to be split, by ECPU and by what one Valkey process does a second."""
    by_ecpu = need.gate_ecpu / (slot_ecpu * assumed.slot_share)
    by_commands = need.gate_commands / (process_commands * assumed.slot_share)
    return max(1, ceil(max(by_ecpu, by_commands)))


ADVICE: dict[str, Callable[[Demand, int], str]] = {
    "lambda-requests": lambda need, _: (
        f"Ask for a concurrency of {ceil(need.requests / REQUESTS_OF_AN_ENVIRONMENT):,}: "
        "each unit allows ten requests a second."
    ),
    "lambda-concurrency": lambda need, _: (
        f"Ask for at least {ceil(need.concurrency + need.workers):,} by Little's law; the requests need more."
    ),
    "lambda-scaling": lambda need, _: (
        f"Prewarm {need.environments:,} environments, "
        f"{ceil(need.environments / PROVISIONED_A_MINUTE):,} minutes ahead or more."
    ),
    "lambda-interfaces": lambda _need, _: "Ask for more network interfaces in the VPC.",
    "api-rate": lambda need, _: f"Ask for {_thousands(need.requests):,} requests a second, weeks ahead.",
    "api-burst": lambda _need, _: "Comes with the rate; let clients spread their first request by chance.",
    "api-payload": lambda _need, _: "Orders are refused above 16 KB.",
    "waf-rate": lambda need, _: f"Ask for {_thousands(need.requests):,} requests a second of one web ACL.",
    "gate-slot": lambda _need, count: f"Split the stock over {count:,} shards (decision 20).",
    "gate-process": lambda _need, count: f"Split the stock over {count:,} shards (decision 20).",
    "gate-prescale": lambda need, _: (
        f"Set ECPUPerSecond.Minimum to {_thousands(need.gate_ecpu):,}, an hour ahead."
    ),
    "sqs-sends": lambda need, _: f"Nothing: only the {need.messages:,.0f} accepted ones a second are sent.",
    "sqs-in-flight": lambda _need, _: "Ask for more messages in flight, or a smaller batch.",
    "sqs-message": lambda _need, _: "Nothing: an order is never so large.",
    "mapping-start": lambda _need, _: "Lambda adds 300 a minute; provisioned pollers are there at once.",
    "mapping-maximum": lambda _need, _: "A larger batch; more workers do not help one hot row.",
    "ledger-orders": lambda _need, _: "Set the batch size to 1,000, or allow more time for decisions.",
    "ledger-connections": lambda _need, _: "Set a minimum of 1 ACU and a maximum of 32 or more.",
    "ledger-capacity": lambda need, _: f"Set a minimum of {max(0.5, ceil(need.acu * 2) / 2):g} ACU before.",
    "logs-calls": lambda need, _: f"Ask for {_thousands(need.environments):,} calls a second.",
    "secrets-reads": lambda _need, _: "Start environments more slowly.",
}
"""By the limit's id: what to ask for or to set, from the demand and the number of shards."""
FEWER = "Let fewer in at a time: a waiting room in front."
REDESIGN: dict[str, str] = {
    "lambda-requests": f"{FEWER} Or a door that serves many requests with one environment.",
    "lambda-concurrency": f"{FEWER} Or a door that serves many requests with one environment.",
    "lambda-scaling": "More than an account can have: as for the requests.",
    "gate-clients": "More environments than connections: as for the requests, or the shards over two caches.",
    "gate-cache": "The shards over two caches.",
    "ledger-orders": "More time for decisions, or rows split as the gate's stock is.",
}
"""By the limit's id: what to do when no request and no setting is enough; else what ADVICE says."""


def _thousands(figure: float) -> int:
    """Rounded up to whole thousands."""
    return ceil(figure / 1_000) * 1_000
