"""`python -m infra.emulator DIR`: the servers of one emulator in the foreground, until a signal says stop."""

from __future__ import annotations

import sys
from pathlib import Path

from infra.emulator.servers import Servers
from infra.local.layout import Layout
from infra.local.supervisor import StartFailed, Stopped
from infra.local.tenancy import CannotStart


def run(root: Path) -> None:
    """Runs them; raises SystemExit with a sentence when they cannot start."""
    try:
        servers = Servers(Layout(root))
    except CannotStart as error:
        raise SystemExit(str(error)) from error
    try:
        servers.start()
        servers.run()
    except Stopped:
        print("stopping before it was ready")
    except (StartFailed, FileNotFoundError) as error:
        raise SystemExit(str(error)) from error
    finally:
        servers.stop()


if __name__ == "__main__":
    run(Path(sys.argv[1]))
