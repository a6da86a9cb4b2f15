"""Runs the gate's Lua files by their digest. Knows Valkey's script cache, and nothing of tickets."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from valkey.exceptions import NoScriptError

_FOLDER = Path(__file__).parent


class Script:
    """One `.lua` file of this folder."""

    def __init__(self, name: str) -> None:
        """Reads `<name>.lua`; every connection may use the same object."""
        self._text = (_FOLDER / f"{name}.lua").read_bytes()
        self._digest = hashlib.sha1(self._text, usedforsecurity=False).hexdigest()

    def __call__(self, client: Any, keys: Sequence[bytes], arguments: Sequence[object]) -> Any:
        """Runs the script in one round trip; a server that does not know it (new, failed over) gets the text.

        Raises what the client raises: connection errors, timeouts, script errors.
        """
        try:
            return client.evalsha(self._digest, len(keys), *keys, *arguments)
        except NoScriptError:
            return client.eval(self._text, len(keys), *keys, *arguments)
