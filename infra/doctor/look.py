"""Looks at what `account.py` judges: every call to AWS that the doctor makes. It must not judge anything.

A call that is refused is told as a sentence, or as None where the answer is not needed to go on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from infra.capacity.limits import catalogue
from infra.deploy import events
from infra.deploy.account import Account
from infra.deploy.faults import explained
from infra.deploy.names import ALIAS, Names
from infra.deploy.stacks import Stacks
from infra.deploy.stage import StageSettings
from infra.deploy.states import PERHAPS_NEVER_LIVED
from infra.doctor.account import Quota
from infra.prewarm.provisioned import Failed, Provisioned, State
from infra.prewarm.room import KEPT_UNRESERVED, QUOTA
from infra.prewarm.scaling import Scaling

T = TypeVar("T")
_AWS_ERRORS = (ClientError, BotoCoreError)


def who(account: Account) -> tuple[str | None, str | None]:
    """The account's number, or the sentence why it cannot be told."""
    try:
        return account.who(), None
    except _AWS_ERRORS as error:
        return None, explained(error, account.target) or str(error)


def region_status(account: Account) -> str | None:
    """What the account says of its region; None where it may not be asked."""
    given = account.client("account")
    return _or_none(lambda: str(given.get_region_opt_status(RegionName=account.region)["RegionOptStatus"]))


def stack_status(account: Account, name: str) -> tuple[str | None, bool]:
    """The status of a stack, None for one that is not there, and whether it was ever whole."""
    stacks = Stacks(account)
    found = stacks.look(name)
    if found is None:
        return None, False
    if found.status not in PERHAPS_NEVER_LIVED:
        return found.status, True
    return found.status, events.has_lived(stacks.events(found.stack_id), name)


def outputs(account: Account, name: str) -> dict[str, str]:
    """What a stack says of itself; nothing when it is not there."""
    found = Stacks(account).look(name)
    return found.outputs if found else {}


def quotas(account: Account, settings: StageSettings, *, fresh: bool) -> tuple[Quota, ...]:
    """Those that a stage can meet; `fresh`: its network has still to be made."""
    usual = {limit.id: limit.value or 0 for limit in catalogue().limits}
    lambdas = account.client("lambda")
    concurrency = _or_none(
        lambda: float(lambdas.get_account_settings()["AccountLimit"]["ConcurrentExecutions"])
    )
    needed = (
        settings.door_reserved_concurrency or settings.fulfil_maximum_concurrency
    ) + settings.fulfil_maximum_concurrency
    found = [
        Quota(
            service="lambda",
            name="concurrent executions",
            code=QUOTA,
            have=concurrency,
            need=needed + KEPT_UNRESERVED,
            usual=usual["lambda-concurrency"],
        ),
        Quota(
            service="apigateway",
            name="requests a second",
            code="L-8A5B8E43",
            have=_quota(account, "apigateway", "L-8A5B8E43"),
            need=settings.requests_per_second,
            usual=usual["api-rate"],
        ),
    ]
    return tuple([*found, _vpcs(account)] if fresh else found)


def _vpcs(account: Account) -> Quota:
    there = account.client("ec2").get_paginator("describe_vpcs").paginate()
    return Quota(
        service="vpc",
        name="VPCs in the region",
        code="L-F678F1CE",
        have=_quota(account, "vpc", "L-F678F1CE"),
        need=1 + sum(len(page["Vpcs"]) for page in there),
        usual=5,
    )


def taken(account: Account, names: Names, *, foundation: bool, service: bool) -> list[str]:
    """What is there under names that stacks which are not there would make."""
    found: list[str] = []
    if not foundation:
        sqs, secrets = account.client("sqs"), account.client("secretsmanager")
        queues = (names.orders, names.dead_letters)
        found += [f"queue {name}" for name in queues if _is_there(sqs.get_queue_url, QueueName=name)]
        secret = f"onsale/{names.stage}/payment"
        found += [f"secret {secret}"] if _is_there(secrets.describe_secret, SecretId=secret) else []
    if not service:
        ask = account.client("lambda").get_function_configuration
        found += [f"function {name}" for name in names.functions if _is_there(ask, FunctionName=name)]
    return found


def secret_versions(account: Account, secret: str) -> int | None:
    """How many values of a secret are kept, the last but one among them; None when there is no such secret.

    No value is read.
    """
    secrets = account.client("secretsmanager")
    return _or_none(lambda: len(secrets.describe_secret(SecretId=secret)["VersionIdsToStages"]))


def warmth(account: Account, names: Names) -> tuple[int, int, dict[str, int]]:
    """Environments of the door that were asked for, that are there, and the schedule's amounts by time."""
    alias = Provisioned(account.client("lambda"), names.door, ALIAS)
    scaling = Scaling(account.client("application-autoscaling"), names.door, ALIAS)
    try:
        state = alias.state()
    except Failed:
        state = State(asked=0, there=0, settled=True)
    there = scaling.there().values() if account.target == "aws" else ()
    return state.asked, state.there, {f"{action.at:%Y-%m-%d %H:%M} UTC": action.amount for action in there}


def _quota(account: Account, service: str, code: str) -> float | None:
    quotas = account.client("service-quotas")
    return _or_none(
        lambda: float(quotas.get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]["Value"])
    )


def _or_none(ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except _AWS_ERRORS:
        return None


def _is_there(ask: Callable[..., object], **given: str) -> bool:
    return _or_none(lambda: ask(**given)) is not None
