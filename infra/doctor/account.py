"""What a deployment needs of the account and its region. Pure: judges what somebody else has looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from infra.deploy.states import Move, advice, next_move
from infra.doctor.findings import Finding, bad, good, judged, note

ENABLED = frozenset({"ENABLED", "ENABLED_BY_DEFAULT", "OPT-IN-NOT-REQUIRED", "OPTED-IN"})
"""As the account service says it, and as EC2 does."""


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """A quota of the account: how much there is, how much the stage takes, and how to ask for more.

    `have` is None where the account does not say. `usual` is what most accounts have.
    """

    service: str
    name: str
    code: str
    have: float | None
    need: float
    usual: float


def identity(account: str | None, fault: str | None, target: str) -> Finding:
    """Who asks; `fault` is the sentence of what went wrong."""
    if fault is not None:
        return bad("credentials", fault)
    where = "account" if target == "aws" else "emulated account"
    return good("credentials", f"You are somebody in the {where} {account}.")


def region(name: str, status: str | None) -> Finding:
    """Whether the region may be used; `status` is None where the account may not be asked for it."""
    if status is None:
        return note("region", f"{name}; whether it is enabled could not be asked, but it answers.")
    if status.upper() in ENABLED:
        return good("region", f"{name} is enabled.")
    return bad("region", f"{name} is {status.lower()}: `aws account enable-region --region-name {name}`.")


def quota(found: Quota) -> Finding:
    """Whether a quota is enough for this stage."""
    what = f"quota {found.code}"
    if found.have is None:
        said = f"{found.service}, {found.name}: could not be asked; most accounts have {found.usual:,.0f}."
        return note(what, said)
    said = f"{found.service}, {found.name}: {found.need:,.0f} needed of {found.have:,.0f}."
    if found.need <= found.have:
        return good(what, said)
    wanted = max(found.need, found.usual)
    return bad(
        what,
        f"{said} Ask for {wanted:,.0f}: `aws service-quotas request-service-quota-increase"
        f" --service-code {found.service} --quota-code {found.code} --desired-value {wanted:.0f}`.",
    )


def stack(name: str, status: str | None, *, has_lived: bool) -> Finding:
    """Whether a deployment can go on from where the stack is; None: there is none yet."""
    move = next_move(status, has_lived=has_lived)
    if status is None or move is Move.CREATE:
        return good(name, "Not there yet; a deployment makes it.")
    if move in {Move.STOP, Move.WAIT}:
        return bad(name, advice(name, status))
    if move is Move.REPLACE:
        return note(
            name, f"{status}: left of a creation that failed. `deploy` deletes it and makes it again."
        )
    return good(name, f"{status}.")


def names(taken: Sequence[str]) -> Finding:
    """Whether what the stacks would make is there already without them."""
    fault = (
        f"Taken, though no stack of the stage has made them: {', '.join(taken)}. Delete what an earlier stage"
        " has left, or choose another stage's name."
    )
    return judged("names", fault if taken else None, "No name of the stage is taken by others.")


def payment_secret(versions: int | None, name: str, target: str) -> Finding:
    """Whether the payment provider's secret was put in; `versions` counts the values that are kept of it."""
    if versions is None:
        return note("secrets", "Not made yet; look again after the first deployment.")
    if target != "aws":
        return good("secrets", f"{name} is there; no provider signs anything here.")
    if versions > 1:
        return good("secrets", f"{name} has been filled in.")
    return note(
        "secrets",
        f"{name} still has the value that the stack made up, and no payment can be confirmed: put the"
        f" provider's in, `aws secretsmanager put-secret-value --secret-id {name} --secret-string file://…`.",
    )


def readiness(address: str | None, fault: str | None) -> Finding:
    """Whether the deployed service and its stores answer."""
    if address is None:
        return note("service", "Not deployed yet: `python -m infra deploy`.")
    return judged("service", fault, f"{address}/ready answers 200.")


def warmth(asked: int, there: int, planned: Mapping[str, int]) -> Finding:
    """Whether what is raised for an on-sale is ready, and will be lowered; `planned` are amounts by time."""
    ends = sorted(time for time, amount in planned.items() if amount == 0)
    if asked and not ends:
        return note(
            "prewarming",
            f"{asked:,} environments are provisioned, and nothing will lower them: they cost money."
            " `python -m infra prewarm --lower` ends it.",
        )
    if there < asked:
        return note("prewarming", f"{there:,} of {asked:,} environments are ready so far; look again.")
    if asked:
        return good("prewarming", f"{asked:,} environments are ready, until {ends[0]}.")
    begins = sorted(time for time, amount in planned.items() if amount > 0)
    return good("prewarming", f"Nothing is raised; next at {begins[0]}." if begins else "Nothing is raised.")
