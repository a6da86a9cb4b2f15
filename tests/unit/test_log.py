"""Lines say what they are about, each thread's its own, and not what a bug quoted."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app import expire, fulfil, reconcile
from chalicelib.applying import cause_of
from chalicelib.errors import Unavailable
from chalicelib.log import about, about_call, log, set_level
from infra.local.context import LambdaContext
from infra.local.schedule import event


@pytest.fixture(autouse=True)
def info() -> None:
    set_level("info")
    about()


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def test_every_line_says_what_it_is_about_until_told_otherwise(capfd: pytest.CaptureFixture[str]) -> None:
    log("before")
    about(requestId="r-1")
    log("one")
    log("two", requestId="mine")
    about_call(LambdaContext("c-1", "fulfil", 1_000))
    log("three")
    about_call(None)
    log("four")
    assert [line.get("requestId") for line in lines(capfd)] == [None, "r-1", "mine", "c-1", ""]


def test_threads_do_not_say_each_others(capfd: pytest.CaptureFixture[str]) -> None:
    together = threading.Barrier(8)

    def serve(number: int) -> None:
        about(requestId=number)
        together.wait(timeout=20)
        log("served", number=number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(serve, range(8)))
    said = lines(capfd)
    assert len(said) == 8
    assert all(line["requestId"] == line["number"] for line in said)


@pytest.mark.parametrize("function", [fulfil, reconcile, expire])
def test_every_function_says_which_call_it_is(function: Any, capfd: pytest.CaptureFixture[str]) -> None:
    """Without a store it fails, and by then it has said so."""
    with pytest.raises(Exception):  # noqa: B017, PT011 - whichever; only what comes before matters
        function({**event("x"), "Records": [{}]}, LambdaContext("c-2", "x", 1_000))
    log("after")
    assert lines(capfd)[-1]["requestId"] == "c-2"


def test_a_bugs_own_words_are_not_for_the_log() -> None:
    assert cause_of(ValueError("ann@example.org")) == "ValueError"
    assert cause_of(Unavailable("ledger", "refused")) == "refused"
