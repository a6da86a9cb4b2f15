"""Log lines become points: CloudWatch's embedded metric format (EMF). Pure; it knows no file and no store.

A line is read twice, both times by a typed decoder that builds nothing else. The first finds the time and the
directives as raw bytes; lines of one kind have the same directives, so they are understood once and kept. The
second reads the members that those directives name, by a type made for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import Any

import msgspec

from infra.local.cloudwatch.metric import Metric, Points, Target

MARK = b'"_aws"'
"""Only lines that have it can carry metrics; all others are passed over without being read."""
KINDS_AT_MOST = 1_000
"""Kinds of lines that are remembered; a service has some tens."""
DIMENSIONS_AT_MOST = 10_000
"""Combinations of dimension values that are remembered for one kind of line."""


class _Aws(msgspec.Struct, rename={"timestamp": "Timestamp", "directives": "CloudWatchMetrics"}):
    timestamp: int
    directives: msgspec.Raw


class _Line(msgspec.Struct, rename={"aws": "_aws"}):
    aws: _Aws


class _Definition(msgspec.Struct, rename="pascal"):
    name: str


class _Directive(msgspec.Struct, rename="pascal"):
    namespace: str
    dimensions: list[list[str]]
    metrics: list[_Definition]


class Samples(msgspec.Struct, rename="pascal"):
    """Many values in one member, each with its number of samples."""

    values: list[float]
    counts: list[float]


_Value = float | list[float] | Samples | msgspec.UnsetType
_Name = str | msgspec.UnsetType
_envelope = msgspec.json.Decoder(_Line).decode
_directives = msgspec.json.Decoder(list[_Directive]).decode


class _Kind:
    """Lines with the same directives."""

    def __init__(self, directives: list[_Directive]) -> None:
        self._directives = directives
        names = dict.fromkeys(name for each in directives for set_ in each.dimensions for name in set_)
        wanted = [(one, definition.name) for one in directives for definition in one.metrics]
        fields = list(dict.fromkeys([*names, *(name for _, name in wanted)]))
        place = {name: f"f{number}" for number, name in enumerate(fields)}
        self.decode = _decoder(names, place)
        self.dimensions = _getter([place[name] for name in names])
        self.values = _getter([place[name] for _, name in wanted])
        self.targets: dict[tuple[Any, ...], list[Target]] = {}
        self._names = list(names)

    def targets_of(self, dimensions: tuple[Any, ...]) -> list[Target]:
        """For each metric of the directives, in their order, what gets its value."""
        given = dict(zip(self._names, dimensions, strict=False))
        made = [
            Target(
                Metric(one.namespace, definition.name, tuple(sorted((n, given[n]) for n in names)))
                for names in one.dimensions
                if all(given[name] is not msgspec.UNSET for name in names)
            )
            for one in self._directives
            for definition in one.metrics
        ]
        if len(self.targets) >= DIMENSIONS_AT_MOST:
            self.targets.clear()
        self.targets[dimensions] = made
        return made


class Extractor:
    """Reads lines, and remembers what it has learnt of their kinds. Not for several threads at once."""

    def __init__(self) -> None:
        self.unreadable = 0
        """Lines that had the mark and were no EMF."""
        self._kinds: dict[bytes, _Kind] = {}

    def points(self, lines: Iterable[bytes]) -> Points:
        """What these lines measured. A line without metrics, or one that is not valid, adds nothing."""
        found: Points = {}
        for line in lines:
            if MARK in line:
                try:
                    self._read(line, found)
                except (msgspec.MsgspecError, UnicodeError):
                    self.unreadable += 1
        return found

    def _read(self, line: bytes, found: Points) -> None:
        aws = _envelope(line).aws
        kind = self._kinds.get(key := bytes(aws.directives)) or self._learn(key)
        members = kind.decode(line)
        dimensions = kind.dimensions(members)
        targets = kind.targets.get(dimensions) or kind.targets_of(dimensions)
        second = aws.timestamp // 1_000
        for value, target in zip(kind.values(members), targets, strict=False):
            if (counted := found.get(place := (target, second))) is None:
                counted = found[place] = {}
            if value.__class__ is float:
                counted[value] = counted.get(value, 0) + 1
            else:
                for each, count in _samples(value):
                    counted[each] = counted.get(each, 0) + count

    def _learn(self, key: bytes) -> _Kind:
        if len(self._kinds) >= KINDS_AT_MOST:
            self._kinds.clear()
        kind = self._kinds[key] = _Kind(_directives(key))
        return kind


def _samples(value: list[float] | Samples | msgspec.UnsetType) -> Iterator[tuple[float, float]]:
    if isinstance(value, list):
        yield from ((each, 1) for each in value)
    elif isinstance(value, Samples):
        yield from zip(value.values, value.counts, strict=False)


def _decoder(names: Iterable[str], place: dict[str, str]) -> Callable[[bytes], Any]:
    """Makes what reads just these members of a line; `place` maps a member to its field."""
    known = set(names)
    fields = [(field, _Name if name in known else _Value, msgspec.UNSET) for name, field in place.items()]
    rename = {field: name for name, field in place.items()}
    return msgspec.json.Decoder(msgspec.defstruct("Members", fields, rename=rename)).decode


def _getter(fields: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Reads the fields as a tuple, and the first one again at its end: of one alone attrgetter makes none."""
    if not fields:
        return lambda _: ()
    return attrgetter(*fields, fields[0])
