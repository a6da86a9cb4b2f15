"""Reads secrets from AWS Secrets Manager, without boto3. It keeps none: that is `chalicelib.secret`'s."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.aws.answers import AwsRefused
from chalicelib.aws.client import AwsClient
from chalicelib.aws.credentials import credential_source
from chalicelib.aws.sigv4 import SECRETS_MANAGER
from chalicelib.errors import Unavailable
from chalicelib.settings import Settings

TIMEOUT_MS = 2_000
"""Of one reading, its retries included; the function has 15 s, and an answer takes some 10 ms."""


def reader(settings: Settings, secret_id: str, part: str) -> Callable[[], str]:
    """Returns a function that reads the secret's current text; `secret_id` is its name or ARN.

    It raises Unavailable(part) for whatever goes wrong, a missing right included: an order must not be
    called poison because a deployment is.
    """
    address = settings.aws_endpoint_url_secrets_manager
    client = AwsClient(
        address or f"https://secretsmanager.{settings.aws_region}.amazonaws.com",
        settings.aws_region,
        credential_source(settings),
        TIMEOUT_MS,
        service=SECRETS_MANAGER,
        part=part,
    )

    def read() -> str:
        try:
            answer = client.call("GetSecretValue", {"SecretId": secret_id})
        except (AwsRefused, Unavailable) as error:
            raise Unavailable(part, f"secret {secret_id}: {error}") from error
        finally:
            client.close()  # the next reading may be a month away
        text = answer.get("SecretString")
        if not isinstance(text, str) or not text.strip():
            raise Unavailable(part, f"secret {secret_id} has no text")
        return text.strip()

    return read
