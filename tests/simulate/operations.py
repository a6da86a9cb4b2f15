"""What the queue, the scheduled functions, operators and bad luck do in one step.

A step's numbers choose among what there is. Each says in a few words what came of it, and judges nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chalicelib.errors import Unavailable
from chalicelib.expiry import expire as expire_holds
from chalicelib.model import SalesState
from chalicelib.realign import realign as realign_event
from chalicelib.reconcile import reconcile as reconcile_all
from tests.simulate.schedule import Step

if TYPE_CHECKING:
    from tests.simulate.world import World

POISON = '{"schema": 99}'
"""A message that no worker can read."""
_PARTS = ("gate", "queue", "ledger", "gate")
_WAITS_MS = (500, 5_000, 20_000, 61_000)
_A_DAY_MS = 25 * 3_600_000
_STATES = (SalesState.PAUSED, SalesState.OPEN, SalesState.PAUSED, SalesState.OPEN, SalesState.CLOSED)


def deliver(world: World, step: Step) -> str:
    """The queue hands over up to four messages; one time in eight it forgets that they were handled."""
    messages = sorted(world.queue.messages, key=lambda id_: (int(id_[1:]) * 89 + step.a * 31) % 251)
    batch = messages[: 1 + step.b % 4]
    if not batch:
        return "nothing"
    failed = hand_over(world, batch, acknowledge=step.c & 7 > 0)
    forgotten = "" if step.c & 7 else ", all to come again"
    return f"{' '.join(batch)}: {len(failed)} failed{forgotten}"


def hand_over(world: World, batch: Sequence[str], *, acknowledge: bool) -> set[str]:
    """Hands a batch to the queue-triggered function; returns the message ids that have failed."""
    clock = world.clock
    answer = world.parts.fulfil(
        world.services,
        {"Records": world.queue.receive(batch)},
        sleep=clock.sleep,
        jitter=lambda: 0.5,
        monotonic=clock.monotonic,
    )
    failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
    for message_id in batch if acknowledge else ():
        if message_id not in failed:
            world.queue.messages.pop(message_id, None)
    return failed


def expire(world: World, _: Step) -> str:
    """The scheduled function ends holds."""
    return str(expire_holds(world.services)["expired"])


def reconcile(world: World, _: Step) -> str:
    """The scheduled function brings gate and queue in line."""
    return str(reconcile_all(world.services))


def realign(world: World, step: Step) -> str:
    """An operator realigns an event."""
    return str(realign_event(world.services, world.events[step.a % len(world.events)].id))


def wait(world: World, step: Step) -> str:
    """Time passes; now and then a whole day, which idempotency keys do not outlive."""
    if step.b < 8:
        world.clock.now_ms += _A_DAY_MS
        world.gate.forget_keys()
        world.acknowledged.clear()
        return "a day"
    world.clock.now_ms += _WAITS_MS[step.a % len(_WAITS_MS)]
    return f"{_WAITS_MS[step.a % len(_WAITS_MS)]} ms"


def switch(world: World, step: Step) -> str:
    """An operator pauses, resumes or closes a sale; a gate that is down hears of it later."""
    event_id = world.events[step.b % len(world.events)].id
    world.told.pop(event_id, None)
    event = world.services.ledger.switch(event_id, _STATES[step.a % len(_STATES)])
    try:
        world.services.gate.configure(event)
    except Unavailable:
        return f"{event.sales_state}, and the gate does not know"
    if world.ledger.event(event_id).version == event.version:  # and nobody has switched it again meanwhile
        world.told[event_id] = event
    return str(event.sales_state)


def break_part(world: World, step: Step) -> str:
    """A store or the queue goes down."""
    world.wires.down.add(_PARTS[step.a % len(_PARTS)])
    return _PARTS[step.a % len(_PARTS)]


def mend(world: World, _: Step) -> str:
    """Everything is up again."""
    world.wires.down.clear()
    return "everything"


def wipe(world: World, _: Step) -> str:
    """Valkey is replaced by an empty one."""
    world.promises.forget()
    world.wires.changes += 1
    world.gate.wipe()
    return ""


def save(world: World, _: Step) -> str:
    """Valkey writes its memory down."""
    world.gate.save()
    return ""


def restore(world: World, _: Step) -> str:
    """Valkey starts again, with what it wrote down last."""
    if world.gate.restore():
        world.wires.changes += 1
        world.promises.forget()
    return ""


def poison(world: World, _: Step) -> str:
    """Somebody puts on the queue what nobody can read."""
    return str(world.queue.send(POISON, "1"))
