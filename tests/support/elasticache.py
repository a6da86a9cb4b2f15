"""ElastiCache's calls for users, in front of a real Valkey: its access list is what AWS's would be.

Of the service it plays two calls, DescribeUsers and ModifyUser, and one user.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import valkey

from infra.stacks.foundation import STACKS, parsed

_STACK = parsed((STACKS / "foundation.yaml").read_text())["Resources"]
ACCESS: str = _STACK["ValkeyUser"]["Properties"]["AccessString"]
"""What the deployed functions may call."""
NAMESPACE = "http://elasticache.amazonaws.com/doc/2015-02-02/"


class ElastiCacheUsers:
    """Serves on loopback until the block ends."""

    def __init__(self, valkey_url: str, access: str, password: str) -> None:
        """Makes the user `onsale` with this access string, as the stack does."""
        self.access, self.refuses, self.looks_until_active = access, False, 0
        self._valkey: Any = valkey.Valkey.from_url(valkey_url.partition("?")[0])
        self._passwords = [password]
        self._set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> ElastiCacheUsers:
        """Starts to answer."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ends."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._valkey.close()

    def answer(self, asked: dict[str, list[str]]) -> tuple[int, str]:
        """The status and the body of one call."""
        action = asked["Action"][0]
        if action == "ModifyUser":
            if self.refuses or self.looks_until_active:
                return 400, _error("InvalidUserState", "the user is being modified")
            self._passwords = [asked[key][0] for key in sorted(asked) if key.startswith("Passwords.member.")]
            self.looks_until_active = 1
            self._set()
            return 200, _result(action, self._user("modifying"))
        status = "modifying" if self.looks_until_active else "active"
        self.looks_until_active = max(0, self.looks_until_active - 1)
        return 200, _result(action, f"<Users><member>{self._user(status)}</member></Users>")

    def _set(self) -> None:
        words = [*self.access.split(), "resetpass", *(f">{each}" for each in self._passwords)]
        self._valkey.execute_command("ACL", "SETUSER", "onsale", "reset", *words)

    def _user(self, status: str) -> str:
        count = f"<PasswordCount>{len(self._passwords)}</PasswordCount>"
        return (
            f"<UserId>onsale-demo</UserId><Status>{status}</Status><Authentication>{count}</Authentication>"
        )

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        users = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, text = users.answer(parse_qs(body))
                self.send_response(status)
                self.send_header("Content-Type", "text/xml")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                """Nothing to say."""

        return Handler


def _result(action: str, inner: str) -> str:
    body = f"<{action}Result>{inner}</{action}Result>"
    return f'<{action}Response xmlns="{NAMESPACE}">{body}</{action}Response>'


def _error(code: str, message: str) -> str:
    return (
        f'<ErrorResponse xmlns="{NAMESPACE}"><Error><Code>{code}</Code><Message>{message}</Message></Error>'
        "</ErrorResponse>"
    )


def limit(valkey_url: str, *more: str) -> None:
    """Lets the default user of a Valkey do what the deployed functions may, and `more`."""
    with valkey.Valkey.from_url(valkey_url.partition("?")[0]) as client:
        client.execute_command("ACL", "SETUSER", "default", "resetkeys", *ACCESS.split(), *more)
