"""Which resource of the API a path belongs to, as API Gateway decides it. It knows paths, and no handler.

A fixed segment wins over a `{parameter}`; a slash at the end does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Resource:
    """One path template such as `/orders/{order_id}`, with the methods it takes."""

    template: str
    methods: frozenset[str]
    segments: tuple[str, ...]


class Router:
    """Finds the resource of a path."""

    def __init__(self, routes: Mapping[str, Iterable[str]]) -> None:
        """`routes` maps each template to its methods, as `Chalice.routes` does."""
        self._fixed: dict[str, Resource] = {}
        self._patterns: dict[int, list[Resource]] = {}
        for template, methods in routes.items():
            resource = Resource(template, frozenset(methods), tuple(template.strip("/").split("/")))
            if "{" in template:
                self._patterns.setdefault(len(resource.segments), []).append(resource)
            else:
                self._fixed[template] = resource
        for resources in self._patterns.values():
            resources.sort(key=lambda resource: [segment.startswith("{") for segment in resource.segments])

    def find(self, path: str) -> tuple[Resource, dict[str, str] | None] | None:
        """The resource and its path parameters (None when it has none), or None for an unknown path."""
        if len(path) > 1 and path.endswith("/"):
            path = path[:-1]
        resource = self._fixed.get(path)
        if resource is not None:
            return resource, None
        given = path.strip("/").split("/")
        for candidate in self._patterns.get(len(given), ()):
            parameters = _match(candidate.segments, given)
            if parameters is not None:
                return candidate, parameters
        return None


def _match(segments: tuple[str, ...], given: list[str]) -> dict[str, str] | None:
    parameters = {}
    for segment, value in zip(segments, given, strict=True):
        if segment.startswith("{"):
            if not value:
                return None
            parameters[segment[1:-1]] = value
        elif segment != value:
            return None
    return parameters
