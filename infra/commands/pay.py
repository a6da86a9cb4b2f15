"""`pay`: plays the payment provider for one order of the running stack.

Without options it pays what the order costs. An amount, a currency, an outcome or a reference of your
own show what becomes of a payment that is wrong, fails, or comes twice.
"""

from __future__ import annotations

from typing import Any

import click

from chalicelib.identity.principal import Role
from chalicelib.settings import from_environment
from infra.local import issuer
from infra.local.layout import Layout
from infra.provider import Notice, NotTaken, OrderShown, Provider, new_reference


@click.command(help=__doc__)
@click.argument("order")
@click.option("--amount", type=int, help="Minor units.  [default: what the order costs]")
@click.option("--currency", help="ISO 4217 code.  [default: the order's]")
@click.option("--reference", help="The provider's name for the payment.  [default: a new one]")
@click.option("--outcome", type=click.Choice(["succeeded", "failed"]), default="succeeded", show_default=True)
@click.option("--url", help="The service.  [default: the running stack's]")
@click.option("--secret", envvar="PAYMENT_SECRET", help="Signs the notice.  [default: the stack's]")
@click.option("--state-dir", envvar="STATE_DIR", help="The state directory that `up` was given.")
def pay(  # noqa: PLR0913, PLR0917 - one for each option
    order: str,
    amount: int | None,
    currency: str | None,
    reference: str | None,
    outcome: str,
    url: str | None,
    secret: str | None,
    state_dir: str | None,
) -> None:
    """Exits with 1 and a sentence when the service does not take the notice."""
    state: dict[str, Any] = Layout.at(state_dir).running_state() or {}
    at = url or state.get("http", {}).get("url")
    if at is None:
        raise click.ClickException("Nothing runs here. Start it with `make up`, or give --url.")
    environment: dict[str, str] = state.get("environment", {})
    token = issuer.token_if_needed(environment, "payments", Role.OPERATOR)
    provider = Provider(at, secret or from_environment(environment).payment_secret, token)
    try:
        shown = provider.order(order)
        notice = Notice(
            reference=reference or new_reference(),
            order_id=order,
            amount=_given(amount, shown, "total_price"),
            currency=_given(currency, shown, "currency"),
            outcome=outcome,
        )
        taken = provider.notify(notice)
        after = provider.order(order)
    except NotTaken as error:
        raise click.ClickException(f"{at} did not take the payment: {error}") from error
    click.echo(f"payment  {taken.reference}: {taken.state}")
    click.echo(f"order    {taken.order_id}: {after.status if after else 'not known'}")


def _given(value: Any, order: OrderShown | None, name: str) -> Any:
    if value is not None:
        return value
    if order is None:
        raise click.ClickException("There is no such order; to pay for it, give --amount and --currency.")
    return getattr(order, name)
