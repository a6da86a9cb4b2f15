"""How each function starts in production, and what that may cost: its first calls, and the settings.

Pure data. There is no server at any of the addresses: a start is what happens until one is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_NOWHERE = "127.0.0.1:1"

SETTINGS = {
    "STAGE": "prod",
    "AUTH_MODE": "jwt",
    "AUTH_ISSUER": "https://issuer.example",
    "AUTH_JWKS_URL": f"http://{_NOWHERE}/jwks.json",
    "DATABASE_URL": f"postgresql://onsale@{_NOWHERE}/onsale",
    "DATABASE_SECRET_ID": "database",
    "VALKEY_URL": f"valkeys://{_NOWHERE}/0?cluster=true",
    "VALKEY_SECRET_ID": "valkey",
    "PAYMENT_SECRET_ID": "payment",
    "ORDER_QUEUE_URL": f"http://{_NOWHERE}/000000000000/orders",
    "AWS_ENDPOINT_URL_SECRETS_MANAGER": f"http://{_NOWHERE}",
    "AWS_ENDPOINT_URL_CLOUDWATCH": f"http://{_NOWHERE}",
    "AWS_ENDPOINT_URL_LAMBDA": f"http://{_NOWHERE}",
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
}
"""As on AWS: tokens, TLS, a cluster, secrets. What that imports is a part of the start."""

_TOKEN = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJzdWIiOiJ1In0.c2lnbmF0dXJl"  # noqa: S105 - signed by nobody
_ORDER = '{"eventId": 1, "quantity": 1}'


@dataclass(frozen=True)
class Start:
    """One function: its handler, the CPU that its start may take, and what it does first.

    `parts` are those of `services` that the first calls use, and `modules` what these import once they have
    a server; a test with servers sees that nothing is missing.
    """

    handler: str
    limit_ms: float
    events: tuple[dict[str, Any], ...]
    parts: tuple[str, ...]
    modules: tuple[str, ...]


def call(method: str, path: str, body: str | None = None, token: str | None = _TOKEN) -> dict[str, Any]:
    """API Gateway's event of a request, as far as the door looks at it."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": path,
            "httpMethod": method,
            "path": f"/api{path}",
            "stage": "api",
            "requestId": "first",
            "identity": {"sourceIp": "192.0.2.1"},
        },
        "body": body,
        "isBase64Encoded": False,
    }


def batch(*bodies: str) -> dict[str, Any]:
    """SQS's event of a batch, as Lambda hands it to the queue function."""
    return {
        "Records": [
            {
                "messageId": f"message-{number}",
                "receiptHandle": f"receipt-{number}",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1790000000000"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:orders",
                "awsRegion": "us-east-1",
            }
            for number, body in enumerate(bodies)
        ]
    }


MINUTE: dict[str, Any] = {
    "version": "0",
    "id": "1",
    "source": "aws.events",
    "account": "000000000000",
    "time": "2026-11-27T00:00:00Z",
    "region": "us-east-1",
    "resources": [],
    "detail-type": "Scheduled Event",
    "detail": {},
}
"""EventBridge's event of a schedule."""

_PLACED = (
    '{"schema":1,"orderId":"01990000-0000-7000-8000-000000000001","eventId":1,"userId":"u","currency":"EUR",'
    '"items":[{"ticketTypeId":1,"quantity":1,"unitPrice":0}],"acceptedAtMs":1790000000000}'
)
_GATE = ("valkey.cluster", "chalicelib.gate.login", "ssl")
_DOOR = (call("GET", "/health", token=None), call("POST", "/orders", _ORDER))

STARTS: dict[str, Start] = {
    "door": Start("app.app", 350, _DOOR, ("tokens", "gate", "queue"), _GATE),
    "fulfil": Start(
        "app.fulfil",
        500,
        (batch(_PLACED),),
        ("gate", "ledger", "returns"),
        (*_GATE, "chalicelib.restock", "chalicelib.realign"),
    ),
    "reconcile": Start("app.reconcile", 500, (MINUTE,), ("gate", "ledger", "queue"), _GATE),
    "expire": Start("app.expire", 500, (MINUTE,), ("gate", "ledger"), _GATE),
    "watch": Start("app.watch", 500, (MINUTE,), ("gate", "ledger", "depths"), _GATE),
    "migrate": Start("app.migrate", 500, ({},), (), ("chalicelib.ledger.migrate",)),
}
"""By function. The limits are CPU on the reference machine, from the start of the interpreter on."""
