"""The service as its operators ask it from a terminal: over HTTP, with a token where one is asked for.

What goes wrong is told in a sentence that says what to do next. It knows no route and no store.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

import click

from chalicelib.identity.principal import Role
from infra.local.issuer import token_if_needed
from infra.local.layout import Layout
from infra.rush.http import Address, address

CALL_SECONDS = 30.0
"""A redrive works for some seconds a call; API Gateway waits 29."""

_HINTS = {
    401: "Give --token, or set ONSALE_TOKEN, to a token of the service's issuer.",
    403: "The token lacks the role: to look takes staff or operator, to change anything takes operator.",
    503: "Something is down or starting: look at `python -m infra status`, then try again.",
}
"""What to do next, by status."""

Command = TypeVar("Command", bound=Callable[..., Any])


class Operator:
    """Somebody at a terminal. Not for sharing between threads: a call has one connection, and closes it."""

    def __init__(self, to: Address) -> None:
        """`to` is the service, with the token that it is shown, empty for none."""
        self._to = to

    def get(self, path: str, **query: object) -> dict[str, Any]:
        """Reads `path` with the query parameters that are not None. Raises click.ClickException."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._call("GET", f"{path}?{urlencode(given)}" if given else path, None)

    def post(self, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Sends `body` as JSON, or nothing where the call takes none. Raises click.ClickException."""
        return self._call("POST", path, None if body is None else json.dumps(body).encode())

    def delete(self, path: str) -> dict[str, Any]:
        """Deletes what is at `path`. Raises click.ClickException."""
        return self._call("DELETE", path, None)

    def _call(self, method: str, path: str, body: bytes | None) -> dict[str, Any]:
        to = self._to
        kind = http.client.HTTPSConnection if to.tls else http.client.HTTPConnection
        connection = kind(to.host, to.port, timeout=CALL_SECONDS)
        headers = {"Authorization": f"Bearer {to.token}"} if to.token else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, to.prefix + path, body, headers)
            response = connection.getresponse()
            return _read(response.status, response.read())
        except (OSError, http.client.HTTPException) as error:
            raise click.ClickException(
                f"{to.host}:{to.port} does not answer ({error or type(error).__name__}). "
                "Start it with `make up`, or give --url."
            ) from error
        finally:
            connection.close()


def operator_of(url: str | None, token: str | None, state_dir: str | None) -> Operator:
    """An operator of the service at `url`, or of the stack that runs in `state_dir`.

    Without a token, the local stack's own issuer makes one; it goes to no other service.
    Raises click.ClickException when nothing runs and no URL is given.
    """
    state: dict[str, Any] = Layout.at(state_dir).running_state() or {}
    running: str | None = state.get("http", {}).get("url")
    at = (url or running or "").rstrip("/")
    if not at:
        raise click.ClickException("Nothing runs here. Start it with `make up`, or give --url.")
    try:
        to = address(at)
    except ValueError as error:
        raise click.ClickException(f"{error}.") from error
    if not token and running is not None and at == running.rstrip("/"):
        token = token_if_needed(state.get("environment", {}), "operator", Role.OPERATOR)
    return Operator(Address(to.host, to.port, to.tls, to.prefix, token or ""))


def at_service(command: Command) -> Command:
    """Adds --url, --token and --state-dir; the command is given them as `url`, `token` and `state_dir`."""
    for add in (
        click.option("--state-dir", envvar="STATE_DIR", help="The state directory that `up` was given."),
        click.option("--token", envvar="ONSALE_TOKEN", help="Shows who asks.  [default: the local issuer's]"),
        click.option("--url", help="The service.  [default: the running stack's]"),
    ):
        command = add(command)
    return command


def _read(status: int, body: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(body)
    except ValueError:
        found = {}
    if isinstance(found, dict) and 200 <= status < 300:
        return found
    problem = found if isinstance(found, dict) else {}
    said = problem.get("detail") or problem.get("title") or f"The service answered {status}."
    hint = _HINTS.get(status)
    raise click.ClickException(f"{said} {hint}" if hint else str(said))
