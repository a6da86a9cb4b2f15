"""Who takes a step of each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from tests.simulate import customers, operations
from tests.simulate.schedule import Kind, Step

if TYPE_CHECKING:
    from tests.simulate.world import World

ACTORS: Mapping[Kind, Callable[[World, Step], str]] = {
    Kind.BUY: customers.buy,
    Kind.DELIVER: operations.deliver,
    Kind.PAY: customers.pay,
    Kind.CANCEL: customers.cancel,
    Kind.EXPIRE: operations.expire,
    Kind.RECONCILE: operations.reconcile,
    Kind.REALIGN: operations.realign,
    Kind.WAIT: operations.wait,
    Kind.SWITCH: operations.switch,
    Kind.BREAK: operations.break_part,
    Kind.MEND: operations.mend,
    Kind.WIPE: operations.wipe,
    Kind.SAVE: operations.save,
    Kind.RESTORE: operations.restore,
    Kind.POISON: operations.poison,
}
