"""Runs a schedule, tells whether it broke a promise, and shortens one that did.

The same schedule always does the same; that is what makes a seed worth writing down.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from tests.simulate.clock import VirtualClock, virtual_time
from tests.simulate.promises import Violation
from tests.simulate.schedule import Schedule, Step, draw
from tests.simulate.world import Parts, World

MOST_TRIES = 3_000
"""Runs that shortening may take: about three seconds."""


class Simulator:
    """Runs schedules, one after the other; use it within `virtual_time(simulator.clock)`."""

    def __init__(self, parts: type[Parts] = Parts) -> None:
        """`parts` are the service's own; a negative control brings worse ones."""
        self.clock = VirtualClock()
        self._parts = parts

    def run(self, schedule: Schedule, trace: list[str] | None = None) -> Violation | None:
        """Returns the broken promise, if any. Whatever the service raises by mistake is one, too."""
        world = World(schedule.sale, self.clock, self._parts, trace)
        try:
            for step in schedule.steps:
                world.perform(step)
            world.recover()
        except Violation as violation:
            return violation
        except Exception as error:
            return Violation("no bug", f"{type(error).__name__}: {error}")
        return None

    def shorten(self, schedule: Schedule, violation: Violation) -> Schedule:
        """Takes away whatever can be without mending it: the same promise is still broken by the result."""
        tries = 0
        shorter = True
        while shorter:
            shorter = False
            for candidate in _shorter(schedule):
                tries += 1
                if tries > MOST_TRIES:
                    return schedule
                found = self.run(candidate)
                if found is not None and found.promise == violation.promise:
                    schedule, shorter = candidate, True
                    break
        return schedule


def first_violation(
    seeds: range, parts: type[Parts] = Parts
) -> tuple[int, Schedule, Violation, list[str]] | None:
    """Runs seeds until one breaks a promise.

    Returns that seed, its shortened schedule, the violation, and what happened line by line; None when all
    promises are kept.
    """
    simulator = Simulator(parts)
    with virtual_time(simulator.clock):
        for seed in seeds:
            schedule = draw(seed)
            violation = simulator.run(schedule)
            if violation is not None:
                short = simulator.shorten(schedule, violation)
                trace: list[str] = []
                again = simulator.run(short, trace)
                return seed, short, again or violation, trace
    return None


def _shorter(schedule: Schedule) -> Iterator[Schedule]:
    """All schedules that lack something of this one, those that lack most first."""
    steps = schedule.steps
    size = len(steps) // 2
    while size:
        for at in range(0, len(steps), size):
            yield replace(schedule, steps=steps[:at] + steps[at + size :])
        size //= 2
    for at, step in enumerate(steps):
        for simpler in _simpler(step):
            yield replace(schedule, steps=(*steps[:at], simpler, *steps[at + 1 :]))
    sale = schedule.sale
    if sale.events > 1:
        yield replace(schedule, sale=replace(sale, events=1))
    for name, plain in (
        ("fallback", False),
        ("max_per_buyer", None),
        ("hold_seconds", 0),
        ("capacities", (1,)),
    ):
        if getattr(sale, name) != plain:
            yield replace(schedule, sale=replace(sale, **{name: plain}))


def _simpler(step: Step) -> Iterator[Step]:
    """The step with less bad luck."""
    for at, fault in enumerate(step.faults):
        yield replace(step, faults=step.faults[:at] + step.faults[at + 1 :])
        if fault.meanwhile is not None:
            yield fault.meanwhile
            for simpler in _simpler(fault.meanwhile):
                less = replace(fault, meanwhile=simpler)
                yield replace(step, faults=(*step.faults[:at], less, *step.faults[at + 1 :]))
