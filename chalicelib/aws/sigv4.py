"""Signs one call of an AWS service with AWS Signature Version 4: a JSON protocol's POST to "/", or by path.

Pure: no clock, no network, no environment. Must not know what is called for.
Follows "Create a signed AWS API request" in the AWS IAM User Guide; the tests prove every
header equal to botocore's. A call costs three hashes; the signing key is derived once a day.
"""

from __future__ import annotations

import hmac
import re
import time
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

_SIGNED = "content-type;host;x-amz-date;x-amz-target"
_SIGNED_WITH_TOKEN = "content-type;host;x-amz-date;x-amz-security-token;x-amz-target"  # noqa: S105
_plain_path = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+").fullmatch


class Service(NamedTuple):
    """How a service is called: its `name` in a signature, what its actions begin with, its dialect.

    A service that is called by path has no prefix.
    """

    name: str
    prefix: str
    content_type: str


SQS = Service("sqs", "AmazonSQS", "application/x-amz-json-1.0")
CLOUDWATCH = Service("monitoring", "GraniteServiceVersion20100801", "application/x-amz-json-1.0")
SECRETS_MANAGER = Service("secretsmanager", "secretsmanager", "application/x-amz-json-1.1")
LAMBDA = Service("lambda", "", "application/json")


class Credentials(NamedTuple):
    """Who calls. `session_token` is empty for a user's long-lived key."""

    access_key_id: str
    secret_access_key: str
    session_token: str = ""


def sign(  # noqa: PLR0913, PLR0917 - all that a signature covers
    host: str,
    region: str,
    target: str,
    credentials: Credentials,
    at: float,
    body: bytes,
    service: Service = SQS,
) -> str:
    """Returns the header lines of a signed call, each ended by CRLF, `Host` among them.

    `host` is the Host header as sent: lower case, its port only where it is not the scheme's own.
    `target` is the action, such as `AmazonSQS.SendMessage`; `at` is seconds since the Unix epoch.
    AWS refuses a signature that is more than five minutes off.
    """
    stamp = _stamp(int(at))
    token = credentials.session_token
    signed = _SIGNED_WITH_TOKEN if token else _SIGNED
    token_line = f"x-amz-security-token:{token}\n" if token else ""
    canonical = (
        f"POST\n/\n\ncontent-type:{service.content_type}\nhost:{host}\nx-amz-date:{stamp}\n"
        f"{token_line}x-amz-target:{target}\n\n{signed}\n{sha256(body).hexdigest()}"
    )
    return (
        f"Host: {host}\r\nContent-Type: {service.content_type}\r\n"
        f"X-Amz-Date: {stamp}\r\nX-Amz-Target: {target}\r\n"
        + (f"X-Amz-Security-Token: {token}\r\n" if token else "")
        + _authorization(canonical, signed, stamp, region, service.name, credentials)
    )


def sign_path(  # noqa: PLR0913, PLR0917 - all that a signature covers
    host: str,
    region: str,
    method: str,
    path: str,
    credentials: Credentials,
    at: float,
    body: bytes,
    service: Service,
) -> str:
    """Returns the header lines as `sign`, for a call by method and path, without a query.

    Raises ValueError for a path with a character that would have to be escaped: no call of ours has one.
    """
    if not _plain_path(path):
        raise ValueError(f"not a plain path: {path!r}")
    stamp = _stamp(int(at))
    token = credentials.session_token
    signed = "content-type;host;x-amz-date" + (";x-amz-security-token" if token else "")
    token_line = f"x-amz-security-token:{token}\n" if token else ""
    canonical = (
        f"{method}\n{path}\n\ncontent-type:{service.content_type}\nhost:{host}\nx-amz-date:{stamp}\n"
        f"{token_line}\n{signed}\n{sha256(body).hexdigest()}"
    )
    return (
        f"Host: {host}\r\nContent-Type: {service.content_type}\r\nX-Amz-Date: {stamp}\r\n"
        + (f"X-Amz-Security-Token: {token}\r\n" if token else "")
        + _authorization(canonical, signed, stamp, region, service.name, credentials)
    )


def _authorization(  # noqa: PLR0913, PLR0917
    canonical: str, signed: str, stamp: str, region: str, name: str, credentials: Credentials
) -> str:
    """The last header line: the signature over the canonical request."""
    scope = f"{stamp[:8]}/{region}/{name}/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    key = _signing_key(credentials.secret_access_key, stamp[:8], region, name)
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    return (
        f"Authorization: AWS4-HMAC-SHA256 Credential={credentials.access_key_id}/{scope}, "
        f"SignedHeaders={signed}, Signature={signature}\r\n"
    )


@lru_cache(maxsize=8)
def _stamp(second: int) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))


@lru_cache(maxsize=8)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """Four HMACs, the same for a whole day."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
