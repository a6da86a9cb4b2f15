"""The steps that a plan consists of, and the values in them: frozen, and printable as JSON. No logic."""

from __future__ import annotations

from typing import Literal

import msgspec

TargetKind = Literal["aws", "localstack", "emulator"]


class Output(msgspec.Struct, frozen=True, tag="output"):
    """What a stack will say when it is there."""

    name: str
    stack: str


class Fact(msgspec.Struct, frozen=True, tag="fact"):
    """What the target will say of itself: `endpoint_url`, `database_url`, `valkey_url`."""

    name: str


Value = str | Output | Fact


class Upload(msgspec.Struct, frozen=True, tag="upload"):
    """Puts an artifact into the bucket unless its key is there: a key is a hash of its content."""

    key: str
    size_bytes: int
    what: str


class Bring(msgspec.Struct, frozen=True, tag="stack"):
    """Creates or updates a stack by a change set, or finds nothing to do."""

    stack: str
    template_key: str
    by_bucket: bool
    """Whether the template goes by way of the bucket of artifacts; else with the call."""
    parameters: dict[str, Value]
    protected: bool
    tags: dict[str, str]


class Check(msgspec.Struct, frozen=True, tag="check"):
    """Asks the deployed service for `/ready` until it is, for a bounded time."""

    stack: str
    seconds: int


Step = Upload | Bring | Check


class Plan(msgspec.Struct, frozen=True):
    """What is to be done, in this order, for one stage at one target."""

    stage: str
    target: TargetKind
    steps: tuple[Step, ...]
    remarks: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()
    """What has to be done before it can be executed, each a sentence; empty when nothing has."""
