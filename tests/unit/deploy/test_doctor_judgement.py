"""What the doctor says: of each thing, that it is as it should be, or what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.deploy.stage import FILE
from infra.doctor import account, machine
from infra.doctor.account import Quota
from infra.doctor.findings import Finding, State, bad, good, line, note, stands_in_the_way
from infra.doctor.stage import settings
from infra.package.platforms import Platform

SECRET = "onsale/demo/payment"
X86 = Platform((3, 12), "x86_64")


def quota(need: float, have: float | None = 1_000) -> Quota:
    return Quota(service="lambda", name="executions", code="L-1", have=have, need=need, usual=1_000)


GOOD = [
    machine.python((3, 12)),
    machine.architecture("arm64", "x86_64", "aws"),
    machine.architecture("x86_64", "x86_64", "aws"),
    machine.architecture("arm64", "x86_64", "emulator"),
    machine.environment(installed=False, target="aws"),
    machine.environment(installed=True, target="emulator"),
    machine.docker(there=True, target="localstack"),
    machine.wheels(X86, None),
    machine.leftovers([]),
    settings("demo", "emulator")[1],
    account.identity("123456789012", None, "aws"),
    account.region("eu-central-1", "ENABLED_BY_DEFAULT"),
    account.region("eu-south-1", "ENABLED"),
    account.quota(quota(1_000)),
    account.stack("s", None, has_lived=False),
    account.stack("s", "UPDATE_ROLLBACK_COMPLETE", has_lived=True),
    account.stack("s", "REVIEW_IN_PROGRESS", has_lived=False),
    account.names([]),
    account.payment_secret(2, SECRET, "aws"),
    account.payment_secret(1, SECRET, "emulator"),
    account.readiness("https://a.example", None),
    account.warmth(0, 0, {}),
    account.warmth(500, 500, {"20:30": 0, "20:45": 0}),
    account.warmth(0, 0, {"19:50": 500, "20:30": 0, "20:45": 0}),
]


@pytest.mark.parametrize("finding", GOOD, ids=lambda finding: finding.said[:40])
def test_what_is_as_it_should_be_is_good(finding: Finding) -> None:
    assert finding.state is State.GOOD


@pytest.mark.parametrize(
    ("finding", "to_do"),
    [
        (machine.python((3, 10)), "make clean install"),
        (machine.python((3, 15)), "make clean install"),
        (machine.environment(installed=False, target="emulator"), "make install-deploy"),
        (
            machine.wheels(X86, "psycopg-binary has no wheel for it"),
            "architecture in infra/stacks/stages.toml",
        ),
        (settings("nowhere", "aws")[1], "Add a table [nowhere]"),
        (settings("demo", "aws")[1], "auth_issuer and auth_jwks_url"),
        (account.identity(None, "Your credentials have expired. Sign in.", "aws"), "Sign in"),
        (account.region("eu-south-1", "DISABLED"), "aws account enable-region"),
        (account.quota(quota(1_001)), "request-service-quota-increase"),
        (account.stack("s", "UPDATE_ROLLBACK_FAILED", has_lived=True), "continue-update-rollback"),
        (account.stack("s", "UPDATE_IN_PROGRESS", has_lived=True), "Try again when it is done"),
        (account.stack("s", "ROLLBACK_FAILED", has_lived=True), "repair it there"),
        (account.names(["queue onsale-demo-orders"]), "choose another stage"),
        (account.readiness("https://a.example", "/ready answers 503."), "503"),
    ],
    ids=lambda each: each.what if isinstance(each, Finding) else "",
)
def test_what_would_stop_a_deployment_is_bad_and_says_what_to_do(finding: Finding, to_do: str) -> None:
    assert finding.state is State.BAD
    assert to_do in finding.said


@pytest.mark.parametrize(
    ("finding", "to_know"),
    [
        (machine.docker(there=False, target="localstack"), "--target emulator"),
        (machine.leftovers(["a.zip", "b.zip"]), "delete the folder"),
        (account.region("eu-south-1", None), "could not be asked"),
        (account.quota(quota(10, have=None)), "could not be asked"),
        (account.stack("s", "ROLLBACK_COMPLETE", has_lived=False), "deletes it"),
        (account.payment_secret(None, SECRET, "aws"), "Not made yet"),
        (account.payment_secret(1, SECRET, "aws"), "put-secret-value"),
        (account.readiness(None, None), "Not deployed yet"),
        (account.warmth(500, 500, {}), "--lower"),
        (account.warmth(500, 500, {"19:50": 500}), "nothing will lower them"),
        (account.warmth(500, 40, {"20:30": 0}), "40 of 500"),
    ],
)
def test_what_is_worth_knowing_is_a_note(finding: Finding, to_know: str) -> None:
    assert finding.state is State.NOTE
    assert to_know in finding.said


def test_docker_is_looked_at_only_where_it_is_used() -> None:
    assert machine.docker(there=False, target="aws") is None


def test_one_bad_thing_stands_in_the_way_and_notes_do_not() -> None:
    assert stands_in_the_way([good("a", "x"), bad("b", "y")])
    assert not stands_in_the_way([good("a", "x"), note("c", "z")])


def test_a_region_by_either_name_that_aws_has_for_it() -> None:
    assert account.region("a", "opt-in-not-required").state is State.GOOD


def test_a_stage_whose_file_is_no_toml_is_bad(tmp_path: Path) -> None:
    broken = tmp_path / "stages.toml"
    broken.write_text("[default")
    assert settings("demo", "aws", broken)[1].state is State.BAD
    assert settings("demo", "emulator", FILE)[1].state is State.GOOD


def test_what_is_ready_is_ready_until_the_first_lowering() -> None:
    assert "until 20:30" in account.warmth(500, 500, {"20:45": 0, "20:30": 0}).said
    assert "next at 19:50" in account.warmth(0, 0, {"19:50": 500, "20:30": 0}).said


def test_a_line_begins_with_its_sign() -> None:
    assert line(bad("Python", "too old")).plain == "✗  Python                  too old"
