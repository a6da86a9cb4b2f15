"""What a sale of a given size asks of each part, in its worst second. Every assumption is named.

It must not know any limit: whether it fits is `plan.py`'s to say.
"""

from __future__ import annotations

from math import ceil

import msgspec

from infra.capacity.limits import Catalogue

INTERFACE_CONNECTIONS = 65_000
"""Connections of one network interface of Lambda's."""
REQUESTS_OF_AN_ENVIRONMENT = 10
"""Synchronous requests a second that Lambda allows for each unit of concurrency."""


class Sale(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An on-sale: everybody orders one ticket, at an even rate, and comes again for `minutes`."""

    attempts_per_second: float
    tickets: int
    minutes: float


class Assumptions(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What nobody has measured on AWS for us. Each can be replaced by a figure from a rehearsal."""

    vcpu: float = 0.58
    """Of a function with 1,024 MB: one vCPU comes with 1,769 MB."""
    runtime_ms: float = 1.0
    """Lambda's own part of an invocation."""
    gate_wait_ms: float = 1.0
    """Round trip to ElastiCache in the same zone or the next."""
    send_wait_ms: float = 10.0
    """One SQS SendMessage."""
    batch: int = 100
    """Orders that fulfilment gets at once."""
    batch_wait_ms: float = 10.0
    """What a batch waits for Aurora through the proxy: five statements and a commit."""
    read_ms: float = 5.0
    """One order read from the ledger, by the last poll of each buyer."""
    decide_seconds: float = 30.0
    """How long after the last accept everybody shall have a decision."""
    poll_seconds: float = 1.0
    """Retry-After of a pending order."""
    instant_share: float = 0.5
    """Share of a second's requests that may come at one instant, when a sale opens."""
    slot_share: float = 0.7
    """How full one slot of the gate may be."""
    attempt_ecpu: float | None = None
    """ECPU of any attempt, as a rehearsal has shown it; None: by the CPU that Valkey takes for it here."""
    poll_ecpu: float = 1.2
    """ECPU of reading one claim: a script with one HGET."""
    settle_ecpu: float = 10.0
    """ECPU of settling one batch."""
    acu_of_a_vcpu: float = 4.0
    """An ACU is 2 GiB of memory, and memory-optimised instances have 8 GiB for each vCPU."""
    log_calls: float = 1.0
    """PutLogEvents a second for each busy environment."""
    log_bytes: int = 600
    """Of log for a request: our line, and Lambda's three."""
    secrets: int = 2
    """Secrets that an environment reads when it starts."""
    order_bytes: int = 16 * 1024
    """The largest order that is taken."""


class Demand(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The worst second; rates are a second. `accepts` find a ticket, the other attempts are refused."""

    attempts: float
    accepts: float
    seconds_to_sell: float
    pending: float
    """Orders accepted and not decided, at most; each is asked for once every `poll_seconds`."""
    requests: float
    """At API Gateway: attempts and polls."""
    refusal_ms: float
    accept_ms: float
    concurrency: float
    """Requests that are inside the function at one moment: Little's law."""
    environments: int
    """What has to be warm: for the concurrency, and for Lambda's ten requests a second of each."""
    gate_commands: float
    gate_ecpu: float
    attempt_ecpu: float
    """Of one attempt that is refused."""
    messages: float
    orders: float
    """That the ledger has to decide a second."""
    batches: float
    workers: float
    """Batches at work at one moment: Little's law again."""
    ledger_orders: float
    """That one hot row can take a second, with this batch size."""
    ledger_orders_1000: float
    """The same in batches of 1,000."""
    connections: int
    acu: float
    all_attempts: float
    """From the first minute to the last."""
    log_gigabytes: float
    """That CloudWatch takes in for all of them, at the least."""


def demand(
    sale: Sale, figures: Catalogue, assumed: Assumptions, refusal_ms: float | None, accept_ms: float | None
) -> Demand:
    """What `sale` needs. `refusal_ms` and `accept_ms` replace what is computed for the handler."""
    refused = refusal_ms or _handler_ms(figures.figure("refusal-cpu"), assumed, assumed.gate_wait_ms)
    accepted = accept_ms or _handler_ms(
        figures.figure("accept-cpu"), assumed, assumed.gate_wait_ms + assumed.send_wait_ms
    )
    attempts, accepts = sale.attempts_per_second, min(sale.attempts_per_second, float(sale.tickets))
    ledger_orders, batch_ms = _ledger(assumed.batch, figures.figure("ledger-100"), assumed)
    orders = sale.tickets / (sale.tickets / attempts + assumed.decide_seconds)
    batches = orders / assumed.batch
    workers = batches * batch_ms / 1_000
    pending = min(sale.tickets, max(accepts, sale.tickets * (1 - ledger_orders / accepts)))
    polls = pending / assumed.poll_seconds
    concurrency = (accepts * accepted + (attempts - accepts + polls) * refused) / 1_000
    get_cpu = figures.figure("get-cpu")
    attempt_ecpu = assumed.attempt_ecpu or figures.figure("refused-cpu") / get_cpu
    admit_ecpu = assumed.attempt_ecpu or figures.figure("admitted-cpu") / get_cpu
    return Demand(
        attempts=attempts,
        accepts=accepts,
        seconds_to_sell=sale.tickets / attempts,
        pending=pending,
        requests=attempts + polls,
        refusal_ms=refused,
        accept_ms=accepted,
        concurrency=concurrency,
        environments=ceil(max(concurrency, (attempts + polls) / REQUESTS_OF_AN_ENVIRONMENT)),
        gate_commands=attempts + polls + batches,
        gate_ecpu=accepts * admit_ecpu
        + (attempts - accepts) * attempt_ecpu
        + polls * assumed.poll_ecpu
        + batches * assumed.settle_ecpu,
        attempt_ecpu=attempt_ecpu,
        messages=accepts,
        orders=orders,
        batches=batches,
        workers=workers,
        ledger_orders=ledger_orders,
        ledger_orders_1000=_ledger(1_000, figures.figure("ledger-1000"), assumed)[0],
        connections=ceil(workers) + ceil(orders * assumed.read_ms / 1_000),
        all_attempts=attempts * sale.minutes * 60,
        log_gigabytes=attempts * sale.minutes * 60 * assumed.log_bytes / 1e9,
        acu=orders * figures.figure("order-cpu") / 1e6 * assumed.acu_of_a_vcpu,
    )


def _handler_ms(cpu_micros: float, assumed: Assumptions, waits_ms: float) -> float:
    """Wall time of one request in the function."""
    return cpu_micros / 1_000 / assumed.vcpu + waits_ms + assumed.runtime_ms


def _ledger(batch: int, measured: float, assumed: Assumptions) -> tuple[float, float]:
    """Orders a second through one row, batch after batch, and the ms of a batch: measured, and waiting."""
    batch_ms = batch / measured * 1_000 + assumed.batch_wait_ms
    return batch / batch_ms * 1_000, batch_ms
