"""The console's page and files: what is served, how it is kept, and that nothing in it runs inline."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from chalicelib.api import console
from chalicelib.api.console import FILES
from tests.api.conftest import Api
from tests.fakes.services import MemoryServices
from tests.support.tokens import JWT_SETTINGS

FOLDER = Path(console.__file__).parent.parent / "console"
MODULES = sorted(name for name in FILES if name.endswith(".js") and name != "echarts.js")


def test_the_page_is_html_under_a_policy_without_exceptions(api: Api) -> None:
    page = api("GET", "/console")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in page.headers["content-security-policy"]


def test_nothing_on_the_page_is_inline(api: Api) -> None:
    text = api("GET", "/console").text
    assert re.findall(r"<script[^>]*>(?!</script>)", text) == []
    assert "<style" not in text
    assert not re.search(r"\son\w+=|\sstyle=|javascript:", text)


def test_the_page_asks_only_for_what_is_served_here_by_relative_address(api: Api) -> None:
    assets = set(re.findall(r'(?:src|href)="([^"#][^"]*)"', api("GET", "/console").text)) - {"data:,"}
    assert {"console/app.js", "console/console.css"} <= assets
    assert all(re.fullmatch(r"console/[a-z-]+\.(js|css)", asset) for asset in assets)
    assert {api("GET", f"/{asset}").status for asset in assets} == {200}


def test_every_module_is_preloaded_so_that_none_waits_for_another(api: Api) -> None:
    preloaded = set(re.findall(r'modulepreload" href="console/([^"]+)"', api("GET", "/console").text))
    assert preloaded == set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_what_is_served(api: Api, name: str) -> None:
    answer = api("GET", f"/console/{name}")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    imported = re.findall(r'(?:\bfrom |\bimport\()"([^"]+\.js)"', answer.text)
    assert {path.removeprefix("./") for path in imported} <= FILES
    assert all(path.startswith("./") for path in imported)


@pytest.mark.parametrize("name", MODULES)
def test_no_module_reads_markup_or_makes_code_of_text(name: str) -> None:
    text = (FOLDER / name).read_text()
    assert not re.search(r"(inner|outer)HTML|AdjacentHTML|document\.write|\beval\(|new Function", text)
    assert not re.search(r'setAttribute\("style"|localStorage.*[tT]oken', text)


def test_the_page_is_there_without_a_token() -> None:
    guarded = Api(MemoryServices(**JWT_SETTINGS))
    assert guarded("GET", "/console").status == 200
    assert guarded("GET", "/console/app.js").status == 200


def test_the_charts_come_from_their_package(api: Api) -> None:
    charts = api("GET", "/console/echarts.js")
    assert charts.status == 200
    assert "Apache Software Foundation" in charts.text[:400]
    assert "max-age=" in charts.headers["cache-control"]


@pytest.mark.parametrize("name", ["nothing.js", "index.html", "..", "%2e%2e%2fapp.py", "app.py", "App.js"])
def test_what_is_no_file_of_the_console_is_not_found(api: Api, name: str) -> None:
    assert api("GET", f"/console/{name}").problem == (404, "file-not-found")


@pytest.mark.parametrize("path", ["/console", "/console/app.js", "/console/echarts.js"])
def test_a_copy_that_is_still_good_is_not_sent_again(api: Api, path: str) -> None:
    tag = api("GET", path).headers["etag"]
    again = api("GET", path, If_None_Match=f'"other", {tag}')
    assert (again.status, again.text, again.headers["etag"]) == (304, "", tag)
    assert api("GET", path, If_None_Match='"other"').status == 200


def test_a_page_that_is_still_good_keeps_its_policy(api: Api) -> None:
    page = api("GET", "/console")
    again = api("GET", "/console", If_None_Match=page.headers["etag"])
    assert again.status == 304
    assert again.headers["content-security-policy"] == page.headers["content-security-policy"]


def test_our_own_files_are_asked_for_again_after_a_deployment(api: Api) -> None:
    assert api("GET", "/console/app.js").headers["cache-control"] == "no-cache"
    assert api("GET", "/console").headers["cache-control"] == "no-cache"


def test_the_contract_describes_both_calls(api: Api) -> None:
    paths = json.loads(api("GET", "/openapi.json").text)["paths"]
    assert set(paths["/console"]["get"]["responses"]) == {"200", "304", "500"}
    assert set(paths["/console/{file}"]["get"]["responses"]) == {"200", "304", "404", "500"}
