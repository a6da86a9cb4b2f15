"""One go at one stage: what is asked is checked against the account, then planned, scheduled, or done.

It composes, and says what was done in lines; botocore's errors, Fault and Refused pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from infra.capacity.demand import REQUESTS_OF_AN_ENVIRONMENT
from infra.deploy.account import Account
from infra.deploy.faults import Fault
from infra.deploy.names import Names
from infra.deploy.stage import StageSettings
from infra.prewarm import asked, targets
from infra.prewarm.asked import Refused, Wish
from infra.prewarm.room import carries
from infra.prewarm.stores import Stores, beside, beyond, needed
from infra.prewarm.warming import Target, lower, raise_now, schedule, standing, with_event
from infra.prewarm.windows import Window, level

NO_DEPLOYMENT = (
    "No deployment while it is raised: Lambda makes everything again for a new version, and shifts no traffic"
    " step by step between versions of a provisioned alias."
)
TICKETS, MINUTES = 100_000, 10.0
"""Of the crowd, for what its stores need: as `python -m infra capacity` has them by default."""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What there is now: `amount` asked for at once, `windows` by schedule, and the same in words."""

    amount: int
    windows: tuple[Window, ...]
    said: tuple[str, ...]


class Session:
    """One stage, as it is looked at now."""

    def __init__(
        self,
        account: Account,
        stage: str,
        settings: StageSettings,
        outputs: Mapping[str, str],
        now: datetime,
    ) -> None:
        """Makes clients; calls nobody."""
        self.stage, self.outputs = stage, outputs
        self._account, self._settings, self._now = account, settings, now
        self._names = Names(stage)
        self.alias, self._target = targets.function(account, self._names.door)

    def windows(self) -> tuple[Window, ...]:
        """What is scheduled and not over, by its beginning; nothing where nobody keeps a schedule."""
        return standing(self._target, self._now)

    def raised_until(self) -> datetime | None:
        """When what is raised now is lowered; None when nothing is."""
        begun = [each.lower_at for each in self.windows() if level([each], self._now)]
        return max(begun, default=None)

    def plan(self, wish: Wish) -> Done:
        """What `schedule` would do; changes nothing."""
        made = asked.window(wish, self._now)
        windows = with_event(self.windows(), made)
        self._fits(windows, None)
        remark = _of_stores(wish, _need(wish), raised=False)
        return self._done(0, windows, carries(wish.concurrency), remark)

    def schedule(self, wish: Wish, *, stores: bool) -> Done:
        """Has AWS raise and lower around the time it opens."""
        if self._target.scaling is None:
            raise Fault(
                "Emulators have no Application Auto Scaling, and raise nothing by themselves: give --now, and"
                " --lower afterwards."
            )
        done = self.plan(wish)
        made, need = asked.window(wish, self._now), _need(wish)
        for target, window in self._stores(made, need) if stores else ():
            schedule(target, window, self._now)
        schedule(self._target, made, self._now)
        return self._done(0, done.windows, carries(wish.concurrency), _of_stores(wish, need, raised=stores))

    def raise_now(self, wish: Wish, *, stores: bool) -> Done:
        """Raises at once, after it has had the lowering scheduled. Does not wait."""
        made = asked.window_from_now(wish, self._now)
        windows = with_event(self.windows(), made)
        self._fits(windows, self._now)
        for target, window in self._stores(made, _need(wish)) if stores else ():
            raise_now(target, window, self._now)
        amount = raise_now(self._target, made, self._now)
        if self._target.scaling is None:
            return Done(amount=amount, windows=(), said=(f"Raised to {amount:,}; --lower lowers it.",))
        return self._done(amount, windows, carries(amount), _of_stores(wish, _need(wish), raised=stores))

    def lower(self, event: int | None) -> Done:
        """Lowers at once, for one event or for all; the stores with it, where anything of them is raised."""
        if self._account.target == "aws" and "PrewarmRoleArn" in self.outputs:
            for target in targets.of_stores(self._account, self._names, self._settings, self.outputs):
                if standing(target, self._now):
                    lower(target, event, self._now)
        amount = lower(self._target, event, self._now)
        windows = self.windows()
        said = f"Lowered: {amount:,} environments are left for other events." if amount else "Lowered."
        return Done(amount=amount, windows=windows, said=(said, *asked.told(windows)))

    def _fits(self, windows: tuple[Window, ...], at: datetime | None) -> None:
        """An emulator makes no environments ahead, so that there is room for any number."""
        if self._account.target == "aws":
            asked.fits(self._names.door, windows, self.alias.room(), at)

    def _stores(self, made: Window, need: Stores) -> tuple[tuple[Target, Window], ...]:
        if fault := beyond(need, targets.bounds(self._settings)):
            raise Refused(fault)
        both = targets.of_stores(self._account, self._names, self._settings, self.outputs)
        return tuple(zip(both, asked.store_windows(made, need), strict=True))

    def _done(self, amount: int, windows: tuple[Window, ...], *remarks: str) -> Done:
        said = (*asked.told(windows), *remarks, NO_DEPLOYMENT)
        return Done(amount=amount, windows=windows, said=said)


def _need(wish: Wish) -> Stores:
    return needed(wish.concurrency * REQUESTS_OF_AN_ENVIRONMENT, TICKETS, MINUTES)


def _of_stores(wish: Wish, need: Stores, *, raised: bool) -> str:
    if not raised:
        return beside(wish.concurrency, need)
    return f"Gate and ledger are raised with it: {need.ecpu:,} ECPU a second, {need.half_acu / 2:g} ACU."
