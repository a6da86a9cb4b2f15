"""Everything that is looked at, in the order in which a first deployment meets it.

It composes; what is good or bad is for the others to say. A call that is refused is a finding, too.
"""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from botocore.exceptions import BotoCoreError, ClientError

from infra.deploy.account import Account
from infra.deploy.faults import Fault, explained
from infra.deploy.health import address_of, not_ready
from infra.deploy.names import ARTIFACTS, Names
from infra.deploy.stage import StageSettings
from infra.doctor import account as judge
from infra.doctor import look, machine
from infra.doctor.findings import Finding, bad, note
from infra.doctor.stage import settings
from infra.local.layout import CHECKOUT
from infra.package.build import LOCKS
from infra.package.pins import pinned
from infra.package.platforms import Platform, this_machine, this_python
from infra.package.wheels import NoWheel, wheels

READY_SECONDS = 10.0
"""How long an answer of the deployed service may take: a cold start, and a database that wakes."""


def examine(stage: str, target: str, reach: Callable[[], Account]) -> Iterator[Finding]:
    """Looks at one thing after the other. `reach` makes the account; its Fault is a finding as well."""
    found, about = settings(stage, target)
    yield from _machine(target, found)
    yield about
    try:
        account = reach()
    except Fault as fault:
        # A deployment starts the emulator by itself.
        yield (note if target == "emulator" else bad)("target", str(fault))
        return
    except BotoCoreError as error:
        yield bad("target", explained(error) or str(error))
        return
    yield from of_account(Names(stage), account, found)


def of_account(names: Names, account: Account, found: StageSettings | None) -> Iterator[Finding]:
    """What the account says. One that refuses a question is asked nothing more."""
    number, fault = look.who(account)
    yield judge.identity(number, fault, account.target)
    if number is None:
        return
    try:
        yield from _account(names, account, found)
    except (ClientError, BotoCoreError) as error:
        yield bad("permissions", explained(error, account.target) or str(error))


def _machine(target: str, found: StageSettings | None) -> Iterator[Finding]:
    yield machine.python(this_python())
    here = _here()
    wanted = found.architecture if found else here
    yield machine.architecture(wanted, here, target)
    yield machine.environment(_has_translator(), target)
    if about := machine.docker(shutil.which("docker") is not None, target):
        yield about
    for_platform = Platform(
        this_python(), this_machine() if target == "emulator" or not found else found.architecture
    )
    yield machine.wheels(for_platform, _wheel_fault(for_platform))
    yield machine.leftovers([path.name for path in (CHECKOUT / ".chalice" / "deployments").glob("*")])


def _account(names: Names, account: Account, found: StageSettings | None) -> Iterator[Finding]:
    stacks = {name: look.stack_status(account, name) for name in (ARTIFACTS, names.foundation, names.service)}
    there = {name for name, (status, _) in stacks.items() if status is not None}
    if account.target == "aws":
        yield judge.region(account.region, look.region_status(account))
        if found is not None:
            for each in look.quotas(account, found, fresh=names.foundation not in there):
                yield judge.quota(each)
    for name, (status, has_lived) in stacks.items():
        yield judge.stack(name, status, has_lived=has_lived)
    yield judge.names(
        look.taken(account, names, foundation=names.foundation in there, service=names.service in there)
    )
    secret = look.outputs(account, names.foundation).get("PaymentSecretArn", f"onsale/{names.stage}/payment")
    yield judge.payment_secret(look.secret_versions(account, secret), secret, account.target)
    yield _service(names, account)
    if names.service in there:
        yield judge.warmth(*look.warmth(account, names))


def _service(names: Names, account: Account) -> Finding:
    outputs = look.outputs(account, names.service)
    if not outputs:
        return judge.readiness(None, None)
    try:
        address = address_of(outputs)
    except Fault as fault:
        return judge.readiness("", str(fault))
    return judge.readiness(address, not_ready(address, READY_SECONDS))


def _here() -> str:
    try:
        return this_machine()
    except ValueError:
        return platform.machine()


def _has_translator() -> bool:
    """Whether the emulator's environment has the SAM translator; it is not this one."""
    libraries = Path(sys.prefix) / "emulator" / "lib"
    return any(libraries.glob("python*/site-packages/samtranslator"))


def _wheel_fault(for_platform: Platform) -> str | None:
    """Fetches the one compiled driver, whose wheels are the rarest; nothing is kept."""
    locks = [(CHECKOUT / lock).read_text(encoding="utf-8") for lock in LOCKS]
    with TemporaryDirectory() as kept:
        try:
            wheels(pinned(["psycopg-binary"], *locks), for_platform, Path(kept))
        except NoWheel as error:
            return str(error)
    return None
