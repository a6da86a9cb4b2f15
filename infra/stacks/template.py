"""A CloudFormation template as a plan needs it: which parameters it declares, which outputs it will have.

Reads YAML and JSON; knows no resource.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import yaml

BUCKET_BYTES = 1_000_000
"""The most that CloudFormation reads from a bucket."""
ONLY_ON_AWS = "OnAws"
"""The condition that the templates share."""


class BadTemplate(ValueError):
    """A template that cannot be deployed. The message says why."""


@dataclass(frozen=True)
class Template:
    """A template's text, and what a plan has to know of it."""

    text: str
    parameters: frozenset[str]
    needed: frozenset[str]
    """Parameters without a default."""
    outputs: frozenset[str]
    only_on_aws: frozenset[str]
    """Outputs that no emulator gives."""

    @property
    def key(self) -> str:
        """Where it lies in the bucket of artifacts: a name that changes with every byte."""
        return f"templates/{hashlib.sha256(self.text.encode()).hexdigest()}.json"

    @property
    def size_bytes(self) -> int:
        """Its length as it is sent."""
        return len(self.text.encode())


def template(text: str) -> Template:
    """Reads a template. Raises BadTemplate when it is none, or too large for CloudFormation."""
    if len(text.encode()) > BUCKET_BYTES:
        raise BadTemplate(
            f"The template has {len(text.encode()):,} bytes; CloudFormation takes {BUCKET_BYTES:,}."
            " Split the stack."
        )
    try:
        document = _members(yaml.compose(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise BadTemplate(f"The template is neither JSON nor YAML: {error}") from error
    if not _members(document.get("Resources")):
        raise BadTemplate("The template has no Resources.")
    parameters = {name: _members(node) for name, node in _members(document.get("Parameters")).items()}
    outputs = {name: _members(node) for name, node in _members(document.get("Outputs")).items()}
    return Template(
        text,
        frozenset(parameters),
        frozenset(name for name, about in parameters.items() if "Default" not in about),
        frozenset(outputs),
        frozenset(name for name, about in outputs.items() if _is_only_on_aws(about)),
    )


def _members(node: Any) -> dict[str, Any]:
    """The members of a mapping as nodes: so short forms, such as `!Sub`, need no reader."""
    return {key.value: value for key, value in node.value} if isinstance(node, yaml.MappingNode) else {}


def _is_only_on_aws(output: dict[str, Any]) -> bool:
    return getattr(output.get("Condition"), "value", None) == ONLY_ON_AWS
