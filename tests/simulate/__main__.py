"""`python -m tests.simulate SEEDS [--first N]`: runs that many seeds.

Shows the first that breaks a promise, shortened to what a person can read.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time

from tests.simulate.run import first_violation


def main() -> int:
    """Returns the exit code: 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulate", description=__doc__.splitlines()[0])
    parser.add_argument("seeds", type=int, help="how many seeds to run")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    given = parser.parse_args()
    began, cpu = time.perf_counter(), time.process_time()
    gc.freeze()  # what is imported is here to stay: collecting what simulations leave is cheaper without it
    found = first_violation(range(given.first, given.first + given.seeds))
    if found is not None:
        seed, schedule, violation, trace = found
        lines = [f"seed {seed} breaks a promise, in {len(schedule.steps)} steps:", str(schedule.sale), *trace]
        sys.stdout.write("\n".join([*lines, str(violation), ""]))
        return 1
    took, spent = time.perf_counter() - began, time.process_time() - cpu
    pace = f"{took:.1f} s, {given.seeds / spent:.0f} a second of CPU"
    sys.stdout.write(f"{given.seeds} schedules, every promise kept; {pace}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
