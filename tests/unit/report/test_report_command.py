"""`python -m infra report` as it is typed, against a service on loopback that tells of a made-up sale."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import click
import pytest
from click.testing import CliRunner, Result

from infra.commands.report import report
from tests.support.sold_out import SoldOut


class Handler(BaseHTTPRequestHandler):
    """Hands each request to `SoldOut`."""

    service = SoldOut()

    def do_GET(self) -> None:
        """Reads."""
        parts = urlsplit(self.path)
        self._answer(lambda: self.service.get(parts.path, **dict(parse_qsl(parts.query))))

    def do_POST(self) -> None:
        """Queries."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(lambda: self.service.post(self.path, body))

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def _answer(self, ask: object) -> None:
        assert callable(ask)
        try:
            status, body = 200, ask()
        except click.ClickException as error:
            status, body = 404, {"detail": error.message, "code": "event-not-found"}
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def typed(url: str, *words: str) -> Result:
    return CliRunner().invoke(report, [*words, "--url", url])


def test_it_writes_a_page_named_for_the_event_in_the_current_folder(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = typed(url, "7")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == "written to report-7.html"
    assert "reading the conservation" in result.stderr
    assert (tmp_path / "report-7.html").read_text().startswith("<!doctype html>")


def test_json_is_the_figures_and_no_page(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = typed(url, "7", "--json")
    assert json.loads(result.stdout)["certificate"]["holds"]
    assert list(tmp_path.iterdir()) == []


def test_an_event_that_is_not_there_ends_with_one_and_a_sentence(url: str) -> None:
    result = typed(url, "8")
    assert result.exit_code == 1
    assert "There is no such event." in result.stderr


def test_a_file_that_cannot_be_written_ends_with_one_and_its_name(url: str, tmp_path: Path) -> None:
    result = typed(url, "7", "--out", str(tmp_path / "none" / "page.html"))
    assert result.exit_code == 1
    assert "none/page.html: No such file or directory" in result.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--from", "ten o'clock"), "is no time such as"),
        (("--from", "2026-11-22T20:00:00Z", "--to", "2026-11-22T19:00:00Z"), "is not before --to"),
        (("--from", "2026-11-20T20:00:00Z", "--to", "2026-11-22T19:00:00Z"), "is more than a day"),
        (("--from", "2999-01-01"), "is still to come"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused_before_anything_is_read(
    url: str, options: tuple[str, ...], said: str
) -> None:
    result = typed(url, "7", *options)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "reading" not in result.stderr


def test_a_service_that_is_not_there_ends_with_one_and_what_to_do() -> None:
    result = typed("http://127.0.0.1:1", "7")
    assert result.exit_code == 1
    assert "does not answer" in result.stderr
