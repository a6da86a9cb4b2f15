"""The local schedule: it finds what the app declares, and one function's failure is nobody else's."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace
from typing import Any

import pytest

import app
from infra.local.schedule import OWN_PACE_SECONDS, event, keep_calling, scheduled
from tests.support.waiting import until


def test_every_scheduled_function_of_the_app_is_found() -> None:
    assert set(scheduled(app)) == {"reconcile", "expire", "watch"}
    assert OWN_PACE_SECONDS.keys() <= set(scheduled(app))


def test_an_app_without_a_schedule_is_a_mistake() -> None:
    with pytest.raises(LookupError):
        scheduled(SimpleNamespace(app=SimpleNamespace(event_sources=[])))


def test_an_event_names_its_rule() -> None:
    assert event("expire")["resources"] == ["arn:aws:events:us-east-1:000000000000:rule/onsale-expire"]


def test_a_function_that_fails_is_called_again(capfd: pytest.CaptureFixture[str]) -> None:
    calls: list[Any] = []

    def failing(sent: dict[str, Any], _: Any) -> None:
        calls.append(sent)
        raise RuntimeError("not now")

    stopping = threading.Event()
    thread = threading.Thread(target=keep_calling, args=("expire", failing, 0.001, stopping))
    thread.start()
    until(lambda: len(calls) > 2, "it was called again")
    stopping.set()
    thread.join()
    line = json.loads(capfd.readouterr().err.splitlines()[0])
    assert (line["function"], line["error"]) == ("expire", "RuntimeError('not now')")
