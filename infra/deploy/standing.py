"""How a deployed stage stands: its stacks, outputs, functions and queues. It only looks."""

from __future__ import annotations

from typing import Any

import msgspec
from botocore.exceptions import ClientError

from infra.deploy.account import Account
from infra.deploy.names import ALIAS, ARTIFACTS, Names
from infra.deploy.stacks import Stacks
from infra.deploy.steps import TargetKind

_DEPTH = "ApproximateNumberOfMessages"
_HELD = "ApproximateNumberOfMessagesNotVisible"


class StackStanding(msgspec.Struct, frozen=True, rename="camel"):
    """A stack; `status` is None when it is not there."""

    name: str
    status: str | None
    protected: bool = False
    changed_at: str = ""


class FunctionStanding(msgspec.Struct, frozen=True, rename="camel"):
    """A function: the version that traffic goes to, and another that gets some of it meanwhile."""

    name: str
    version: str
    shifting: dict[str, float]
    memory_mb: int
    changed_at: str


class QueueStanding(msgspec.Struct, frozen=True, rename="camel"):
    """A queue: messages that wait, and messages that a worker holds."""

    name: str
    waiting: int
    held: int


class Standing(msgspec.Struct, frozen=True, rename="camel"):
    """A stage at one moment."""

    stage: str
    stacks: tuple[StackStanding, ...]
    functions: tuple[FunctionStanding, ...]
    queues: tuple[QueueStanding, ...]
    outputs: dict[str, str]


def standing(account: Account, stage: str) -> Standing:
    """Looks at everything of the stage that is there. Raises botocore's exceptions."""
    names = Names(stage)
    stacks = tuple(_stack(Stacks(account), name) for name in (ARTIFACTS, names.foundation, names.service))
    functions = account.client("lambda")
    queues = account.client("sqs")
    return Standing(
        stage,
        stacks,
        tuple(each for name in names.functions if (each := _function(functions, name))),
        tuple(found for name in (names.orders, names.dead_letters) if (found := _queue(queues, name))),
        outputs_of(account, stage),
    )


def outputs_of(account: Account, stage: str) -> dict[str, str]:
    """What both stacks of a stage put out, by name; the service's go before the foundation's."""
    stacks, names = Stacks(account), Names(stage)
    looks = (stacks.look(names.foundation), stacks.look(names.service))
    return {name: value for look in looks if look for name, value in sorted(look.outputs.items())}


def _stack(stacks: Stacks, name: str) -> StackStanding:
    look = stacks.look(name)
    return (
        StackStanding(name, look.status, look.protected, look.changed_at)
        if look
        else StackStanding(name, None)
    )


def _function(client: Any, name: str) -> FunctionStanding | None:
    try:
        alias = client.get_alias(FunctionName=name, Name=ALIAS)
        about = client.get_function_configuration(FunctionName=name, Qualifier=ALIAS)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise
    shifting = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return FunctionStanding(
        name, alias["FunctionVersion"], dict(shifting), about["MemorySize"], about["LastModified"]
    )


def _queue(client: Any, name: str) -> QueueStanding | None:
    try:
        url = client.get_queue_url(QueueName=name)["QueueUrl"]
    except ClientError as error:
        if "NonExistentQueue" in error.response["Error"]["Code"] or "QueueDoesNotExist" in str(error):
            return None
        raise
    found = client.get_queue_attributes(QueueUrl=url, AttributeNames=[_DEPTH, _HELD])["Attributes"]
    return QueueStanding(name, int(found.get(_DEPTH, 0)), int(found.get(_HELD, 0)))


def not_deployed(stage: str, target: TargetKind) -> str:
    """What to say of a stage that is not there."""
    return (
        f"Stage {stage} is not deployed there."
        f" `python -m infra deploy --stage {stage} --target {target}` does it."
    )


def as_text(found: Standing) -> str:
    """A stage for people: a line for each stack, function and queue."""
    lines = [f"{each.name:<28}{each.status or 'not there'}{_shield(each)}" for each in found.stacks]
    if found.functions:
        lines += ["", *(f"{each.name:<28}{_version(each)}" for each in found.functions)]
    if found.queues:
        lines += ["", *(f"{each.name:<28}{each.waiting} wait, {each.held} held" for each in found.queues)]
    return "\n".join(lines)


def _shield(stack: StackStanding) -> str:
    return "  protected" if stack.protected else ""


def _version(function: FunctionStanding) -> str:
    shifting = "".join(f", {weight:.0%} to version {to}" for to, weight in function.shifting.items())
    return f"version {function.version}{shifting}  {function.memory_mb} MB"
