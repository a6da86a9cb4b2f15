"""Runs a measurement in a fresh process with a silent standard output: the service's log lines go there.

It must not know what is measured.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import ParamSpec, TypeVar

from infra.local.children import end_with_parent

P = ParamSpec("P")
T = TypeVar("T")


def apart(job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Returns what `job` returns, raises what it raises; job, arguments and result have to be picklable."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=_begin) as pool:
        return pool.submit(job, *args, **kwargs).result()


def _begin() -> None:
    end_with_parent()  # a pool's process does not notice when its parent is killed
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
