"""`pay`: plays the payment provider for one order of the running stack, or of a deployed stage.

Without options it pays what the order costs. An amount, a currency, an outcome or a reference of your
own show what becomes of a payment that is wrong, fails, or comes twice. With --stage it signs with the
stage's own secret, which takes the right to read it.
"""

from __future__ import annotations

from typing import Any

import click

from chalicelib.identity.principal import Role
from chalicelib.settings import from_environment
from infra.deploy.account import Account
from infra.deploy.at_stage import account_at, at_stage_if_given, told
from infra.deploy.health import address_of
from infra.deploy.standing import outputs_of
from infra.deploy.steps import TargetKind
from infra.local import issuer
from infra.local.layout import Layout
from infra.provider import Notice, NotTaken, OrderShown, Provider, new_reference


@click.command(help=__doc__)
@at_stage_if_given
@click.argument("order")
@click.option("--amount", type=int, help="Minor units.  [default: what the order costs]")
@click.option("--currency", help="ISO 4217 code.  [default: the order's]")
@click.option("--reference", help="The provider's name for the payment.  [default: a new one]")
@click.option("--outcome", type=click.Choice(["succeeded", "failed"]), default="succeeded", show_default=True)
@click.option("--url", help="The service.  [default: the running stack's]")
@click.option("--token", envvar="ONSALE_TOKEN", default="", help="Of an operator, where one is asked for.")
@click.option("--secret", envvar="PAYMENT_SECRET", help="Signs the notice.  [default: the stack's]")
def pay(  # noqa: PLR0913, PLR0917 - one for each option
    order: str,
    amount: int | None,
    currency: str | None,
    reference: str | None,
    outcome: str,
    url: str | None,
    secret: str | None,
    token: str,
    stage: str | None,
    target: TargetKind,
    region: str | None,
    profile: str | None,
    state_dir: str | None,
) -> None:
    """Exits with 1 and a sentence when the service does not take the notice."""
    if stage:
        with told(target):
            account = account_at(target, stage, region, profile, state_dir)
            provider = _provider_of(account, stage, url, secret, token)
    else:
        provider = _local_provider(state_dir, url, secret, token)
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
        raise click.ClickException(f"{provider.url} did not take the payment: {error}") from error
    click.echo(f"payment  {taken.reference}: {taken.state}")
    click.echo(f"order    {taken.order_id}: {after.status if after else 'not known'}")


def _local_provider(state_dir: str | None, url: str | None, secret: str | None, token: str) -> Provider:
    state: dict[str, Any] = Layout.at(state_dir).running_state() or {}
    at = url or state.get("http", {}).get("url")
    if at is None:
        raise click.ClickException("Nothing runs here. Start it with `make up`, or give --url.")
    environment: dict[str, str] = state.get("environment", {})
    shown = token or issuer.token_if_needed(environment, "payments", Role.OPERATOR)
    return Provider(at, secret or from_environment(environment).payment_secret, shown)


def _provider_of(account: Account, stage: str, url: str | None, secret: str | None, token: str) -> Provider:
    """Of a deployed stage: its address, and what its payments are signed with."""
    outputs = outputs_of(account, stage)
    at = url or account.facts.get("url") or address_of(outputs)
    if secret is None:
        found = account.client("secretsmanager").get_secret_value(SecretId=outputs["PaymentSecretArn"])
        secret = str(found["SecretString"]).strip()
    return Provider(at, secret, token)


def _given(value: Any, order: OrderShown | None, name: str) -> Any:
    if value is not None:
        return value
    if order is None:
        raise click.ClickException("There is no such order; to pay for it, give --amount and --currency.")
    return getattr(order, name)
