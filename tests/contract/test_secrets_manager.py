"""Secrets are read from a real Secrets Manager server with our own signed calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from chalicelib.aws.secrets_manager import reader
from chalicelib.errors import Unavailable
from chalicelib.settings import from_environment
from infra.local import sqs
from infra.local.layout import free_port
from tests.support.scripted_server import ScriptedServer
from tests.support.sqs import sqs_server
from tests.support.vault import Vault

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def vault() -> Iterator[Vault]:
    with sqs_server() as endpoint:
        made = Vault(endpoint)
        yield made
        made.close()


def reading(endpoint: str, secret_id: str) -> Callable[[], str]:
    environment = {**sqs.CREDENTIALS, "AWS_ENDPOINT_URL_SECRETS_MANAGER": endpoint}
    return reader(from_environment(environment), secret_id, "ledger")


def test_a_secret_is_read_as_it_is_now(vault: Vault) -> None:
    arn = vault.put(' {"password": "p\\u00e9"}\n')
    read = reading(vault.endpoint, arn)
    assert read() == '{"password": "p\\u00e9"}'
    vault.change(arn, "another")
    assert read() == "another"


def test_a_secret_is_found_by_its_name(vault: Vault) -> None:
    arn = vault.put("x")
    name = arn.rpartition(":")[2].rpartition("-")[0]
    assert reading(vault.endpoint, name)() == "x"


def test_a_secret_that_is_not_there_is_not_now(vault: Vault) -> None:
    with pytest.raises(Unavailable, match="ResourceNotFound") as caught:
        reading(vault.endpoint, "nowhere")()
    assert caught.value.part == "ledger"


def test_a_secret_that_is_no_text_is_not_now(vault: Vault) -> None:
    with pytest.raises(Unavailable, match="no text"):
        reading(vault.endpoint, vault.put_bytes())()


def test_nobody_there_is_not_now() -> None:
    with pytest.raises(Unavailable):
        reading(f"http://127.0.0.1:{free_port()}", "x")()


def test_a_call_without_the_right_to_it_is_not_now() -> None:
    body = b'{"__type": "AccessDeniedException", "Message": "not you"}'
    refused = b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with ScriptedServer([refused]) as server:
        with pytest.raises(Unavailable, match="AccessDenied"):
            reading(server.queue_url.rpartition("/000")[0], "x")()
        (request,) = server.requests
    assert b"X-Amz-Target: secretsmanager.GetSecretValue\r\n" in request
    assert b"Content-Type: application/x-amz-json-1.1\r\n" in request
    assert b"/us-east-1/secretsmanager/aws4_request" in request
