"""Executes a plan, step by step, in an account: looks references up, uploads, brings stacks, asks for /ready.

It decides nothing that the plan could have decided. Every call may raise Fault and botocore's exceptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from infra.deploy.account import Account
from infra.deploy.bring import Manner, Wish, bring
from infra.deploy.failure import Failed
from infra.deploy.faults import Fault
from infra.deploy.health import address_of, not_ready
from infra.deploy.names import ARTIFACTS
from infra.deploy.plan import Package
from infra.deploy.stacks import Look, Stacks
from infra.deploy.states import UPDATABLE
from infra.deploy.steps import Bring, Check, Fact, Output, Plan, Upload, Value


class Execution:
    """One run of one plan. Not to be run twice."""

    def __init__(self, plan: Plan, package: Package, account: Account, manner: Manner) -> None:
        """`package` is what the plan was made for; `account` is where."""
        self._plan, self._account, self._manner = plan, account, manner
        self._stacks = Stacks(account)
        self._content: dict[str, Path | str] = {package.code_key: package.code}
        for each in (package.artifacts, package.foundation, package.service):
            self._content[each.key] = each.text
        self._before: dict[str, tuple[Look, str] | None] = {}
        """Of each stack that this run has changed: how it was, and its template; None: it was not there."""

    def run(self) -> bool:
        """Does every step, and returns whether any changed anything."""
        changed = [self._step(step) for step in self._plan.steps]
        return any(changed)

    def _step(self, step: Upload | Bring | Check) -> bool:
        match step:
            case Upload():
                return self._upload(step)
            case Bring():
                return self._bring(step)
            case Check():
                return self._check(step)

    def _upload(self, step: Upload) -> bool:
        bucket = self._output(Output("ArtifactBucket", ARTIFACTS))
        s3 = self._account.client("s3")
        if _is_there(s3, bucket, step.key):
            self._manner.tell(f"{step.key}: is there")
            return False
        self._manner.tell(f"{step.key}: uploading {step.size_bytes:,} bytes")
        _put(s3, bucket, step.key, self._content[step.key])
        return True

    def _bring(self, step: Bring) -> bool:
        was = self._stacks.look(step.stack)
        before = (was, self._stacks.template(step.stack)) if was and was.status in UPDATABLE else None
        changed = bring(self._stacks, self._wish(step), self._manner)
        if changed:
            self._before[step.stack] = before
        return changed

    def _wish(self, step: Bring) -> Wish:
        values = {name: self._value(value) for name, value in step.parameters.items()}
        return Wish(step.stack, self._template(step), values, step.tags, step.protected)

    def _template(self, step: Bring) -> dict[str, str]:
        if not step.by_bucket:
            return {"TemplateBody": str(self._content[step.template_key])}
        bucket = self._output(Output("ArtifactBucket", ARTIFACTS))
        return {"TemplateURL": self._account.object_url(bucket, step.template_key)}

    def _check(self, step: Check) -> bool:
        look = self._stacks.look(step.stack)
        address = address_of(look.outputs if look else {})
        fault = not_ready(address, step.seconds)
        if fault is None:
            self._manner.tell(f"{address}: ready")
            return False
        raise Failed(f"{fault} {self._put_back(step.stack)}")

    def _put_back(self, stack: str) -> str:
        """Brings the stack to what it was, where no canary does it. Returns what was done, and what to do."""
        if self._account.target == "aws":
            return (
                "The alarms of the canary put the last version back while traffic shifts; after that, deploy"
                f" the last good version. See `python -m infra logs --stage {self._plan.stage}`."
            )
        if stack not in self._before:
            return (
                f"{stack} was not changed, so there is nothing to put back. See `python -m infra logs --stage"
                f" {self._plan.stage}`, and whether its stores are up."
            )
        before = self._before[stack]
        if before is None:
            return f"It is the first version of {stack}; correct it and deploy again."
        was, template = before
        self._manner.tell(f"{stack}: putting the previous version back")
        bucket = self._output(Output("ArtifactBucket", ARTIFACTS))
        key = f"templates/previous-of-{stack}.json"
        _put(self._account.client("s3"), bucket, key, template)
        url = {"TemplateURL": self._account.object_url(bucket, key)}
        tags = {"application": "onsale", "stage": self._plan.stage}
        wish = Wish(stack, url, was.parameters, tags, was.protected)
        # All that this can lose is what the new version has just made.
        bring(self._stacks, wish, replace(self._manner, accept_loss=True))
        return "The previous version was put back. Correct the new one, then deploy again."

    def _value(self, value: Value) -> str:
        match value:
            case Output():
                return self._output(value)
            case Fact():
                return self._account.facts.get(value.name, "")
            case _:
                return value

    def _output(self, wanted: Output) -> str:
        look = self._stacks.look(wanted.stack)
        outputs: Mapping[str, str] = look.outputs if look else {}
        if wanted.name not in outputs:
            raise Fault(
                f"{wanted.stack} has no output {wanted.name}. Deploy it again from this checkout;"
                " its template may be older than this code."
            )
        return outputs[wanted.name]


def _is_there(s3: Any, bucket: str, key: str) -> bool:
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        # Without the right to list, a missing key is 403.
        if error.response["Error"]["Code"] in {"404", "403", "NoSuchKey"}:
            return False
        raise
    return True


def _put(s3: Any, bucket: str, key: str, content: Path | str) -> None:
    # One call, whose errors are botocore's own: the zip is far from S3's 5 GB.
    if isinstance(content, Path):
        with content.open("rb") as body:
            s3.put_object(Bucket=bucket, Key=key, Body=body)
    else:
        s3.put_object(Bucket=bucket, Key=key, Body=content.encode(), ContentType="application/json")
