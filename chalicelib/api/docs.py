"""The contract, for machines (`/openapi.json`) and for people (`/docs`, Swagger UI without the internet).

The two large assets are files of aws-lambda-powertools, found without importing it. All addresses on
the page are relative, so that it works behind API Gateway's stage as well.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from chalice.app import Response

from chalicelib.api import (
    audit_log,
    console,
    dead_letters,
    events,
    monitoring,
    ops,
    orders,
    payments,
    sales,
    search,
    status,
)
from chalicelib.api.openapi import document
from chalicelib.api.operations import Call, Operation, answer, operation
from chalicelib.services import Services

_ASSETS = "event_handler/openapi/swagger_ui"
_KEPT = "public, max-age=604800"
"""A week: the assets change with a release of powertools, and a stale one does no harm."""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Onsale API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="stylesheet" href="docs/page.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/init.js"></script>
</body>
</html>
"""
_STYLE = """body { margin: 0; background: #fff; }
@media (prefers-color-scheme: dark) {
  html { background: #111; }
  body { filter: invert(0.92) hue-rotate(180deg); }
}
"""
_START = """SwaggerUIBundle({
  url: new URL("openapi.json", document.baseURI).href,
  dom_id: "#swagger-ui",
  deepLinking: true,
  docExpansion: "list",
  validatorUrl: null,
});
"""


@operation("GET /openapi.json", query=None, answers={200: "application/json"})
def get_contract(services: Services, _: Call, __: None) -> Response:
    """Read this document."""
    return answer(200, contract(guarded=services.tokens is not None))


@operation("GET /docs", query=None, answers={200: "text/html"})
def get_docs(_: Services, __: Call, ___: None) -> Response:
    """Browse the contract."""
    return Response(_PAGE, {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": _POLICY})


@operation("GET /docs/swagger-ui-bundle.js", query=None, answers={200: "text/javascript"})
def get_docs_script(_: Services, __: Call, ___: None) -> Response:
    """Swagger UI's program."""
    return _text(_asset("swagger-ui-bundle.min.js"), "text/javascript")


@operation("GET /docs/swagger-ui.css", query=None, answers={200: "text/css"})
def get_docs_style(_: Services, __: Call, ___: None) -> Response:
    """Swagger UI's looks."""
    return _text(_asset("swagger-ui.min.css"), "text/css")


@operation("GET /docs/page.css", query=None, answers={200: "text/css"})
def get_docs_page_style(_: Services, __: Call, ___: None) -> Response:
    """The page's own looks."""
    return _text(_STYLE, "text/css")


@operation("GET /docs/init.js", query=None, answers={200: "text/javascript"})
def get_docs_start(_: Services, __: Call, ___: None) -> Response:
    """What starts Swagger UI on this contract."""
    return _text(_START, "text/javascript")


OPERATIONS: tuple[Operation, ...] = (
    get_contract,
    get_docs,
    get_docs_script,
    get_docs_style,
    get_docs_page_style,
    get_docs_start,
)

ALL: tuple[Operation, ...] = (
    *events.OPERATIONS,
    *orders.OPERATIONS,
    *payments.OPERATIONS,
    *ops.OPERATIONS,
    *search.OPERATIONS,
    *monitoring.OPERATIONS,
    *dead_letters.OPERATIONS,
    *audit_log.OPERATIONS,
    *sales.OPERATIONS,
    *status.OPERATIONS,
    *console.OPERATIONS,
    *OPERATIONS,
)
"""Every call of the contract; the routes and the document are both made from this."""


@cache
def contract(*, guarded: bool = False) -> dict[str, object]:
    """Returns the OpenAPI 3.1 document, `guarded` by tokens or not; it is built when first asked for."""
    return document(ALL, status.VERSION, guarded=guarded)


@cache
def _asset(name: str) -> str:
    """Reads one of powertools' files once. Finding the package does not import it (104 ms)."""
    package = find_spec("aws_lambda_powertools")
    if package is None or package.origin is None:
        raise FileNotFoundError("aws_lambda_powertools is not installed")
    return (Path(package.origin).parent / _ASSETS / name).read_text(encoding="utf-8")


def _text(text: str, media_type: str) -> Response:
    return Response(text, {"Content-Type": f"{media_type}; charset=utf-8", "Cache-Control": _KEPT})
