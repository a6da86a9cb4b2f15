"""The local event source mapping: Lambda's answers, and the switch that workers look at."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import app
from infra.local import mapping_switch
from infra.local.event_source import mapping_of
from infra.local.mapping_api import MAPPING_ID, PREFIX, SETTLING_SECONDS, MappingApi, Registration, of_app
from infra.local.mapping_switch import LOOK_SECONDS, Position, Watch

PATH = PREFIX + MAPPING_ID


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """Seconds since 1970."""
        return self.now


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "event-source-mapping.json"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ask(file: Path, clock: Clock) -> Callable[..., tuple[int, Any]]:
    api = MappingApi(file, Registration(MAPPING_ID, 100, 1, workers=2), clock)

    def asked(method: str, body: object = None, path: str = PATH) -> tuple[int, Any]:
        return api(method, path, b"" if body is None else json.dumps(body).encode())

    return asked


Ask = Callable[..., tuple[int, Any]]


def test_a_mapping_that_nobody_has_touched_is_enabled(ask: Ask) -> None:
    status, found = ask("GET")
    assert (status, found["State"], found["UUID"]) == (200, "Enabled", MAPPING_ID)
    assert (found["BatchSize"], found["MaximumBatchingWindowInSeconds"]) == (100, 1)
    assert found["ScalingConfig"] == {"MaximumConcurrency": 2}


def test_a_change_is_on_its_way_until_every_worker_has_seen_it(ask: Ask, clock: Clock) -> None:
    for enabled, coming, there in ((False, "Disabling", "Disabled"), (True, "Enabling", "Enabled")):
        status, found = ask("PUT", {"Enabled": enabled})
        assert (status, found["State"]) == (202, coming)
        clock.now += SETTLING_SECONDS - 0.01
        assert ask("GET")[1]["State"] == coming
        clock.now += 0.02
        assert ask("GET")[1]["State"] == there


def test_turning_it_off_twice_is_turning_it_off_once(ask: Ask, clock: Clock) -> None:
    ask("PUT", {"Enabled": False})
    clock.now += SETTLING_SECONDS
    assert ask("PUT", {"Enabled": False})[1]["State"] == "Disabled"


def test_turning_on_what_was_never_off_writes_nothing(ask: Ask, file: Path) -> None:
    assert ask("PUT", {"Enabled": True})[1]["State"] == "Enabled"
    assert not file.exists()


@pytest.mark.parametrize("body", [None, [], {}, {"Enabled": "yes"}, {"Enabled": False, "BatchSize": 5}])
def test_nothing_but_the_switch_can_be_changed(ask: Ask, file: Path, body: object) -> None:
    status, found = ask("PUT", body)
    assert (status, found["Type"]) == (400, "User")
    assert not file.exists()


def test_another_mapping_is_not_there(ask: Ask) -> None:
    assert ask("GET", path=PREFIX + "other")[0] == 404
    assert ask("DELETE")[0] == 405


def test_batch_size_and_window_are_the_apps_own(file: Path) -> None:
    declared = mapping_of(app)
    found = of_app(file, workers=3)("GET", PATH, b"")[1]
    assert found["BatchSize"] == declared.batch_size
    assert found["MaximumBatchingWindowInSeconds"] == declared.window_seconds
    assert found["ScalingConfig"] == {"MaximumConcurrency": 3}


def test_a_worker_sees_the_switch_at_its_next_look(file: Path) -> None:
    clock = Clock()
    watch = Watch(file, clock)
    assert watch.enabled()
    mapping_switch.write(file, Position(enabled=False, since=1.0))
    assert watch.enabled()
    clock.now += LOOK_SECONDS
    assert not watch.enabled()
    file.unlink()
    clock.now += LOOK_SECONDS
    assert watch.enabled()


def test_a_change_within_one_tick_of_the_file_systems_clock_is_seen(file: Path) -> None:
    clock = Clock()
    watch = Watch(file, clock)
    for enabled in (False, True, False):
        mapping_switch.write(file, Position(enabled, 1.0))
        os.utime(file, ns=(5, 5))
        clock.now += LOOK_SECONDS
        assert watch.enabled() is enabled


@pytest.mark.parametrize("text", ["", "{", "[]", '{"Enabled": false}', "null"])
def test_a_file_that_cannot_be_read_turns_nothing_off(file: Path, text: str) -> None:
    file.parent.mkdir()
    file.write_text(text)
    assert mapping_switch.read(file) == Position()
