"""The contract's page in a real browser: it works under its policy, and the policy is enforced."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from chalicelib.api.docs import ALL
from infra.local.gateway import gateway
from tests.api.conftest import Api
from tests.fakes.services import MemoryServices
from tests.support.chromium import FLAGS, chromium

BROWSER = chromium()
SIMULATED_MS = 15_000
"""Of the browser's own clock, which runs as fast as the page lets it: about a second of ours."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine"),
]


class Seen(NamedTuple):
    """The page as it stood at the end, and what the browser complained of."""

    page: str
    complaints: list[str]


class Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    def log_message(self, *_: Any) -> None:
        """Not to standard error."""


@contextmanager
def served(wsgi: Any) -> Iterator[str]:
    with make_server("127.0.0.1", 0, wsgi, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def look(url: str, profile: Path) -> Seen:
    """Opens the page in a browser of its own."""
    command = [str(BROWSER), "--headless", *FLAGS]
    command += [f"--user-data-dir={profile}", "--enable-logging=stderr"]
    command += [f"--virtual-time-budget={SIMULATED_MS}", "--dump-dom", url]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return Seen(ran.stdout, [line for line in ran.stderr.splitlines() if "CONSOLE" in line])


@pytest.fixture
def app() -> Any:
    return gateway(Api(MemoryServices()).app)


@pytest.mark.parametrize("fragment", ["", "#/orders/placeOrder", "#/payments/takePayment"])
def test_the_page_shows_every_call_and_breaks_no_rule(app: Any, tmp_path: Path, fragment: str) -> None:
    with served(app) as url:
        seen = look(f"{url}/docs{fragment}", tmp_path)
    assert seen.complaints == []
    assert seen.page.count("opblock-summary-method") == len(ALL)
    assert ("opblock-body" in seen.page) == bool(fragment)  # one call unfolded, with its schemas and example


def test_the_browser_would_complain_of_an_inline_style_and_an_inline_script(app: Any, tmp_path: Path) -> None:
    """The negative control: the same page with one of each."""

    def spoiled(environ: Any, start_response: Any) -> list[bytes]:
        body = b"".join(app(environ, start_response))
        return [
            body.replace(b"<body>", b"<body><style>p{color:red}</style><script>document.title='x'</script>")
        ]

    with served(spoiled) as url:
        seen = look(f"{url}/docs", tmp_path)
    assert any("inline style" in line for line in seen.complaints), seen.complaints
    assert any("inline script" in line for line in seen.complaints), seen.complaints
    assert "<title>x</title>" not in seen.page
