"""A plan for people and for programs. Pure: the same plan is the same text, on every machine."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from infra.deploy.plan import Package
from infra.deploy.steps import Bring, Check, Fact, Output, Plan, Step, Upload, Value

_WHERE = {"aws": "AWS", "localstack": "LocalStack", "emulator": "the emulated AWS of this machine"}


def as_text(plan: Plan) -> str:
    """Numbered steps, each with what it gives its stack; then what is to be said about them."""
    lines = [f"Stage {plan.stage} on {_WHERE[plan.target]}:"]
    for number, step in enumerate(plan.steps, 1):
        first, *rest = _told(step)
        lines += ["", f"{number}. {first}", *(f"     {each}" for each in rest)]
    for remark in plan.remarks:
        lines += ["", remark]
    if plan.obstacles:
        lines += ["", "Before it can be executed:", *(f"  - {each}" for each in plan.obstacles)]
    return "\n".join(lines)


def templates_as_text(plan: Plan, package: Package) -> str:
    """The templates of the plan's stacks, as they will be sent, made readable."""
    return "\n".join(
        f"\n--- {stack}: {key}\n{_readable(text)}" for stack, key, text in _templates(plan, package)
    )


def as_document(plan: Plan, package: Package) -> dict[str, Any]:
    """The plan as the JSON object has it; each template as its text."""
    document: dict[str, Any] = msgspec.to_builtins(plan)
    document["templates"] = {stack: text for stack, _, text in _templates(plan, package)}
    return document


def _templates(plan: Plan, package: Package) -> list[tuple[str, str, str]]:
    texts = {each.key: each.text for each in (package.artifacts, package.foundation, package.service)}
    brought = [step for step in plan.steps if isinstance(step, Bring)]
    return [(each.stack, each.template_key, texts[each.template_key]) for each in brought]


def _readable(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=1)
    except ValueError:
        return text


def _told(step: Step) -> list[str]:
    match step:
        case Upload():
            return [f"Upload the {step.what} ({step.size_bytes:,} bytes), unless it is there", step.key]
        case Bring():
            protected = ", with termination protection" if step.protected else ""
            given = [f"{name} = {_value(value)}" for name, value in step.parameters.items()]
            return [f"Create or update the stack {step.stack}{protected}", step.template_key, *given]
        case Check():
            return [f"Ask the service of {step.stack} for /ready, for up to {step.seconds} s"]


def _value(value: Value) -> str:
    match value:
        case Output():
            return f"output {value.name} of {value.stack}"
        case Fact():
            return f"{value.name} of the target"
        case _:
            return value or '""'
