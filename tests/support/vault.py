"""A real Secrets Manager for tests: the embedded emulator's, with a hand to put secrets into it."""

from __future__ import annotations

import json
from uuid import uuid4

from chalicelib.aws.client import AwsClient
from chalicelib.aws.sigv4 import SECRETS_MANAGER
from tests.support.sqs import ANYBODY


class Vault:
    """Secrets of the emulator at one address."""

    def __init__(self, endpoint: str) -> None:
        """`endpoint` is that of the emulator which serves SQS as well."""
        self.endpoint = endpoint
        self._client = AwsClient(
            endpoint, "us-east-1", lambda: ANYBODY, 10_000, service=SECRETS_MANAGER, part="test"
        )

    def put(self, text: str | dict[str, object]) -> str:
        """Makes a secret of a name of its own; returns its ARN."""
        made = self._client.call(
            "CreateSecret", {"Name": f"onsale-{uuid4().hex}", "SecretString": _text(text)}
        )
        return str(made["ARN"])

    def change(self, secret_id: str, text: str | dict[str, object]) -> None:
        """Gives the secret another value, as the last step of a rotation does."""
        self._client.call("PutSecretValue", {"SecretId": secret_id, "SecretString": _text(text)})

    def put_bytes(self) -> str:
        """Makes a secret that is no text; returns its ARN."""
        return self._create({"SecretBinary": "AAEC"})

    def _create(self, value: dict[str, str]) -> str:
        made = self._client.call("CreateSecret", {"Name": f"onsale-{uuid4().hex}", **value})
        return str(made["ARN"])

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def environment(self) -> dict[str, str]:
        """Where the service finds it."""
        return {"AWS_ENDPOINT_URL_SECRETS_MANAGER": self.endpoint}


def _text(value: str | dict[str, object]) -> str:
    return value if isinstance(value, str) else json.dumps(value)
