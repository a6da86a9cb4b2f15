"""Has the emulator's API Gateway take its own answers from an API's definition, as AWS does.

`x-amazon-apigateway-gateway-responses` is where SAM writes them. The emulator knows such answers, but reads
none from a definition that it imports. Runs in the emulator's environment and leans on inner names of one
exact release, as `served.py`, which calls `install`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

EXTENSION = "x-amazon-apigateway-gateway-responses"


def install(apigateway: Any) -> None:
    """Wraps the import of a definition; `apigateway` is the emulator's module of REST APIs."""
    apigateway._import_rest_api = _taking_answers(
        apigateway._import_rest_api, apigateway._put_gateway_response
    )


def _taking_answers(
    import_rest_api: Callable[..., str], put: Callable[[str, str, dict[str, Any]], Any]
) -> Callable[..., str]:
    def imported(definition: dict[str, Any], base: dict[str, Any] | None = None) -> str:
        api_id = import_rest_api(definition, base)
        for kind, answer in (definition.get(EXTENSION) or {}).items():
            status, _, body = put(api_id, kind, answer)
            if status >= 400:
                raise ValueError(f"{EXTENSION}: {kind}: {body!r}")
        return api_id

    return imported
