"""Where Chromium is, and how it is started."""

from __future__ import annotations

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]


def chromium() -> str | None:
    """Where Chromium is; None for none. Raises RuntimeError where CI=true says there must be one."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and os.environ.get("CI") == "true":
        raise RuntimeError("CI has no Chromium: the browser tests would be skipped unseen")
    return found
