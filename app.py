"""The system on one screen: the routes, the queue function, the schedules and the migration. No logic."""

from __future__ import annotations

from typing import Any

from chalice.app import Chalice, CloudWatchEvent, Rate, SQSEvent

from chalicelib.api import routes
from chalicelib.log import about_call
from chalicelib.services import Services
from chalicelib.settings import from_environment

# The deployment puts the real queue's ARN here; a plain string is what its template can replace.
ORDER_QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:onsale-orders"

app = Chalice(app_name="onsale")
services = Services(from_environment())
app.register_blueprint(routes(services))


# A hundred orders share one transaction: five times the orders a second of ten (docs/decisions/0002).
@app.on_sqs_message(queue_arn=ORDER_QUEUE_ARN, batch_size=100, maximum_batching_window_in_seconds=1)
def fulfil(event: SQSEvent) -> dict[str, Any]:
    """Decides a batch of orders; answers which records have failed."""
    from chalicelib import fulfilment

    about_call(event.context)
    return fulfilment.fulfil(services, event.to_dict())


@app.schedule(Rate(1, unit=Rate.MINUTES))
def reconcile(event: CloudWatchEvent) -> dict[str, int]:
    """Puts orders that got lost on their way on the queue again."""
    from chalicelib import reconcile as reconciler

    about_call(event.context)
    return reconciler.reconcile(services)


# The shortest that a schedule can be; locally it runs every second.
@app.schedule(Rate(1, unit=Rate.MINUTES))
def expire(event: CloudWatchEvent) -> dict[str, int]:
    """Puts orders that were not paid in time back on sale."""
    from chalicelib import expiry

    about_call(event.context)
    return expiry.expire(services)


@app.schedule(Rate(1, unit=Rate.MINUTES))
def watch(event: CloudWatchEvent) -> dict[str, float]:
    """Measures what only somebody who looks can tell: the queues, and the oldest order that waits."""
    from chalicelib.ops import watch as watcher

    about_call(event.context)
    return watcher.watch(services)


# CloudFormation calls it before any other function has new code (infra/stacks/service.yaml).
@app.lambda_function(name="migrate")
def migrate(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Brings the ledger's tables up to date."""
    from chalicelib import migrating

    about_call(context)
    return migrating.migrate(services, event)
