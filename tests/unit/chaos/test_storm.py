"""A storm lives its schedule beside whatever goes on, and looks until all is quiet."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from infra.chaos.schedule import Kind, Strike
from infra.chaos.storm import Storm
from infra.chaos.strike import Missed, Struck
from infra.rush.service import ServiceFault
from tests.support.waiting import until

SOON = (
    Strike(0.01, Kind.KILL_WORKER),
    Strike(0.02, Kind.WIPE_VALKEY),
    Strike(0.03, Kind.DROP_BATCH),
)


class Around:
    """Surroundings of which a test says how they behave."""

    def __init__(self) -> None:
        self.struck: list[Kind] = []
        self.gaps: list[int | None] = []
        self.is_back: Callable[[], bool] | None = None
        self.looked = 0
        self.quiet = threading.Event()
        self.quiet.set()

    def strike(self, kind: Kind) -> Struck:
        """Notes it; dropping a batch is never possible."""
        if kind is Kind.DROP_BATCH:
            raise Missed("no worker runs")
        self.struck.append(kind)
        return Struck("somebody", self.is_back)

    def gap(self) -> int:
        """The next of the gaps, in the end 0; None is no answer."""
        self.looked += 1
        gap = self.gaps.pop(0) if self.gaps else 0
        if gap is None:
            raise ServiceFault("503")
        return gap

    def is_quiet(self) -> bool:
        """Whether the test has said so."""
        return self.quiet.is_set()


def lived(around: Around, schedule: tuple[Strike, ...] = SOON, notes: list[str] | None = None) -> Storm:
    with Storm(schedule, around, (notes if notes is not None else []).append) as storm:
        pass
    return storm


def test_every_fault_strikes_once_and_each_is_noted() -> None:
    around, notes = Around(), list[str]()
    storm = lived(around, notes=notes)
    assert around.struck == [Kind.KILL_WORKER, Kind.WIPE_VALKEY]
    assert [fault.kind for fault in storm.faults] == [strike.kind.value for strike in SOON]
    assert len(notes) == 2


def test_a_fault_that_cannot_be_done_is_written_down_and_stops_no_other() -> None:
    (*done, missed) = lived(Around()).faults
    assert missed.missed == "no worker runs"
    assert [fault.missed for fault in done] == [None, None]


def test_what_comes_back_has_its_time_and_what_never_left_has_none() -> None:
    around = Around()
    assert lived(around).faults[0].back_after_seconds is None
    around.is_back = lambda: True
    assert lived(around).faults[0].back_after_seconds is not None


def test_looks_are_counted_from_the_last_fault_and_go_on_until_all_is_quiet() -> None:
    around = Around()
    around.quiet.clear()

    def calm_down() -> None:
        until(lambda: around.looked > 2, "it has looked")
        around.quiet.set()

    calming = threading.Thread(target=calm_down)
    calming.start()
    storm = lived(around)
    calming.join()
    assert storm.looks
    assert all(look.after_seconds >= 0 for look in storm.looks)


def test_no_answer_is_not_the_answer_0() -> None:
    around = Around()
    around.gaps = [None] * 1_000
    assert {look.gap for look in lived(around).looks} == {None}


def test_a_rush_that_breaks_off_ends_the_storm_at_once() -> None:
    far = (Strike(600.0, Kind.KILL_WORKER),)
    around = Around()
    with pytest.raises(ServiceFault), Storm(far, around, print):
        raise ServiceFault("nobody answers")
    assert around.struck == []
