"""What a deployment needs of the machine that it is made on. Pure.

It must not know any account.
"""

from __future__ import annotations

from collections.abc import Sequence

from infra.doctor.findings import Finding, bad, good, judged, note
from infra.package.platforms import Platform

OLDEST, NEWEST = (3, 11), (3, 14)
"""Lambda's runtimes of Python that the service runs on; the zip is for the one that makes it."""


def python(version: tuple[int, int]) -> Finding:
    """Whether the Python that runs this is one of Lambda's."""
    release = "{}.{}".format(*version)
    if OLDEST <= version <= NEWEST:
        return good("Python", f"{release}: the functions will run on python{release}.")
    newest = "{}.{}".format(*NEWEST)
    return bad(
        "Python",
        f"{release} is no runtime of Lambda's that the service runs on: take another, as in "
        f"`make clean install PYTHON=python{newest}`.",
    )


def architecture(wanted: str, here: str, target: str) -> Finding:
    """Whether the stage's architecture can be made here, and run where it goes."""
    if target == "emulator":
        return good("architecture", f"{here}: the emulator runs functions on this machine.")
    if wanted == here:
        return good("architecture", f"{wanted}, as this machine.")
    return good("architecture", f"{wanted}, though this machine is {here}: wheels are fetched for it.")


def environment(installed: bool, target: str) -> Finding:
    """Whether what a deployment runs with is installed; of AWS it takes nothing besides."""
    if target == "aws":
        return good("environment", "Everything that a deployment to AWS takes is in .venv.")
    fault = None if installed else "The emulator cannot read SAM templates yet: run `make install-deploy`."
    return judged("environment", fault, "The emulator and its SAM translator are installed.")


def docker(there: bool, target: str) -> Finding | None:
    """Whether Docker is there, where it is needed at all."""
    if target != "localstack":
        return None
    if there:
        return good("Docker", "It is there; LocalStack runs functions with it.")
    return note(
        "Docker",
        "There is no docker here: LocalStack takes the stacks without it, but runs no function. "
        "`--target emulator` does, without Docker.",
    )


def wheels(platform: Platform, fault: str | None) -> Finding:
    """Whether the compiled driver can be had for the stage's platform; `fault` is why not."""
    where = f"{platform.runtime} on {platform.architecture}"
    if fault is None:
        return good("wheels", f"psycopg-binary has a wheel for {where}.")
    return bad(
        "wheels", f"{fault}: set another architecture in infra/stacks/stages.toml, or take a newer Python."
    )


def leftovers(paths: Sequence[str]) -> Finding:
    """Whether zips of `chalice package` lie about; a deployment of ours does not use them."""
    if not paths:
        return good("leftovers", "No old zip lies in .chalice/deployments.")
    return note(
        "leftovers",
        f"{len(paths)} old file{'s' if len(paths) > 1 else ''} in .chalice/deployments, which `chalice"
        " package` would use again, however broken: delete the folder.",
    )
