"""The one composition root: Settings -> the gate, the queue and the ledger, each built when first asked for.

A Lambda environment builds each once and keeps it warm; a function that needs no database never
imports its driver. Nothing else in the service constructs a store.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.metrics import set_stage
from chalicelib.settings import Settings

if TYPE_CHECKING:
    from chalicelib.aws.cloudwatch import CloudWatch
    from chalicelib.aws.event_source_mapping import EventSourceMapping
    from chalicelib.breaker import Breaker
    from chalicelib.gate.gate import Gate
    from chalicelib.identity.tokens import Tokens
    from chalicelib.ledger.ledger import Ledger
    from chalicelib.queue.client import QueueClient
    from chalicelib.queue.dead_letters import DeadLetterQueue
    from chalicelib.queue.depths import Depths
    from chalicelib.queue.returns import Returns
    from chalicelib.queue.sender import Sender
    from chalicelib.secret import Login, Secret

STORE_REST_SECONDS = 1.0
"""Between two further readings of a store's secret: a rotation changes the password before the secret."""
PAYMENT_REST_SECONDS = 10.0
"""The same for payments, where strangers can provoke it: at most 6 readings a minute from one container."""


def utc_now() -> datetime:
    """The service's clock."""
    return datetime.now(UTC)


class Services:
    """What a handler is given. Parts are lazy, and safe to share between threads."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = utc_now) -> None:
        """`clock` returns the current time in UTC; tests pass their own."""
        self.settings = settings
        self.clock = clock
        set_stage(settings.stage)

    @cached_property
    def tokens(self) -> Tokens | None:
        """Who may come in; None in open mode, in which everybody may."""
        settings = self.settings
        if settings.auth_mode == "open":
            return None
        from chalicelib.identity.fetch import fetch
        from chalicelib.identity.keys import Jwks, SharedSecret
        from chalicelib.identity.tokens import Tokens

        secret, url = settings.auth_secret, settings.auth_jwks_url
        keys = SharedSecret(secret) if secret else Jwks(lambda: fetch(url))
        return Tokens(settings.auth_issuer, settings.auth_audience, keys, settings.auth_roles_claim)

    @cached_property
    def gate(self) -> Gate:
        """Load control in Valkey."""
        from chalicelib.gate.client import connect
        from chalicelib.gate.gate import Gate

        settings = self.settings
        secret = self._login(settings.valkey_secret_id, "gate")
        return Gate(connect(settings.valkey_url, settings.gate_timeout_ms, secret))

    @cached_property
    def queue(self) -> Sender:
        """The order queue in SQS."""
        from chalicelib.queue.sender import Sender

        return Sender(self._queue_client)

    @cached_property
    def returns(self) -> Returns:
        """The order queue's other end: where messages go that could not be done."""
        from chalicelib.queue.returns import Returns

        return Returns(self._queue_client)

    @cached_property
    def depths(self) -> Depths:
        """How much lies on the order queue and its dead-letter queue."""
        from chalicelib.queue.depths import Depths

        return Depths(self._queue_client, self.returns.dead_letter_url)

    @cached_property
    def epochs(self) -> dict[int, int]:
        """By event id: the gate's epoch when this container last looked."""
        return {}

    @cached_property
    def dead_letters(self) -> DeadLetterQueue:
        """Messages that were moved aside, for operators."""
        from chalicelib.queue.dead_letters import DeadLetterQueue

        return DeadLetterQueue(self._queue_client)

    @cached_property
    def fulfilment(self) -> EventSourceMapping | None:
        """What hands batches of orders to the queue function; None where nobody has said which it is."""
        from chalicelib.aws.event_source_mapping import event_source_mapping

        return event_source_mapping(self.settings)

    @cached_property
    def _queue_client(self) -> QueueClient:
        from chalicelib.aws.credentials import credential_source
        from chalicelib.queue.client import QueueClient

        settings = self.settings
        return QueueClient(
            settings.order_queue_url,
            settings.aws_region,
            credential_source(settings),
            settings.queue_timeout_ms,
        )

    @cached_property
    def ledger_breaker(self) -> Breaker:
        """Whether the ledger is down, as far as this container knows."""
        from chalicelib.breaker import Breaker

        return Breaker()

    @cached_property
    def gate_breaker(self) -> Breaker:
        """Whether the gate is down for settling, as far as this container knows."""
        from chalicelib.breaker import Breaker

        return Breaker()

    def is_broken(self, now: float) -> bool:
        """Whether the ledger or the gate is down, as far as this container knows at `now`, by `monotonic`."""
        from chalicelib.breaker import BreakerState

        breakers = (self.ledger_breaker, self.gate_breaker)
        return any(breaker.state(now) is not BreakerState.CLOSED for breaker in breakers)

    @cached_property
    def ledger(self) -> Ledger:
        """The truth in PostgreSQL."""
        from chalicelib.ledger.connections import Connections
        from chalicelib.ledger.ledger import Ledger

        settings = self.settings
        return Ledger(
            Connections(
                settings.database_url,
                settings.ledger_connections,
                settings.ledger_timeout_ms,
                secret=self.ledger_login,
            )
        )

    @cached_property
    def ledger_login(self) -> Secret[Login] | None:
        """Who we are in PostgreSQL; None where the address is enough."""
        return self._login(self.settings.database_secret_id, "ledger")

    @cached_property
    def cloudwatch(self) -> CloudWatch:
        """Metrics and alarms, in CloudWatch."""
        from chalicelib.aws.cloudwatch import connect

        return connect(self.settings)

    @cached_property
    def payment_secret(self) -> Secret[str]:
        """What the payment provider signs with."""
        from chalicelib.secret import Secret, constant

        if not self.settings.payment_secret_id:
            return constant(self.settings.payment_secret)
        return Secret(self._reader(self.settings.payment_secret_id, "secrets"), PAYMENT_REST_SECONDS)

    def _login(self, secret_id: str, part: str) -> Secret[Login] | None:
        if not secret_id:
            return None
        from chalicelib.secret import Secret, login_of

        read = self._reader(secret_id, part)
        return Secret(lambda: login_of(read()), STORE_REST_SECONDS)

    def _reader(self, secret_id: str, part: str) -> Callable[[], str]:
        from chalicelib.aws.secrets_manager import reader

        return reader(self.settings, secret_id, part)
