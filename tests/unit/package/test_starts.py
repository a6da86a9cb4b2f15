"""Each function of the app has its start written down, with a limit."""

from __future__ import annotations

from chalice.app import EventSourceHandler, LambdaFunction

import app
from infra.package.starts import STARTS


def test_every_function_of_the_app_has_a_start() -> None:
    kinds = (EventSourceHandler, LambdaFunction)
    functions = {name for name, value in vars(app).items() if isinstance(value, kinds)}
    assert functions | {"door"} == STARTS.keys()


def test_the_door_has_the_least_time_and_no_function_has_more_than_half_a_second() -> None:
    assert STARTS["door"].limit_ms == 350
    assert max(start.limit_ms for start in STARTS.values()) == 500
