"""Which resource a path belongs to."""

from __future__ import annotations

import pytest

from infra.local.routing import Router

router = Router(
    {
        "/": ["GET"],
        "/orders": ["GET", "POST"],
        "/orders/{order_id}": ["GET"],
        "/orders/latest": ["GET"],
        "/events/{event_id}/availability": ["GET"],
        "/events/{event_id}/{other}": ["GET"],
    }
)


@pytest.mark.parametrize(
    ("path", "template", "parameters"),
    [
        ("/", "/", None),
        ("/orders", "/orders", None),
        ("/orders/", "/orders", None),
        ("/orders/7", "/orders/{order_id}", {"order_id": "7"}),
        ("/orders/7/", "/orders/{order_id}", {"order_id": "7"}),
        ("/orders/latest", "/orders/latest", None),
        ("/events/3/availability", "/events/{event_id}/availability", {"event_id": "3"}),
        ("/events/3/x", "/events/{event_id}/{other}", {"event_id": "3", "other": "x"}),
    ],
)
def test_a_path_finds_its_resource_and_a_fixed_segment_wins(
    path: str, template: str, parameters: dict[str, str] | None
) -> None:
    found = router.find(path)
    assert found is not None
    assert (found[0].template, found[1]) == (template, parameters)


@pytest.mark.parametrize("path", ["/nothing", "/orders/7/8", "/events//availability", ""])
def test_an_unknown_path_finds_nothing(path: str) -> None:
    assert router.find(path) is None
