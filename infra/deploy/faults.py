"""What went wrong between this machine and an account, as a sentence that says what to do next. Pure.

Knows the exceptions of botocore and the error codes of AWS; it calls nobody and prints nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from botocore import exceptions as aws

from infra.deploy.error_codes import CODES, CREDENTIALS
from infra.deploy.events import shortened
from infra.deploy.steps import TargetKind

LOCALSTACK_UP = "`docker compose -f docker-compose.localstack.yml up -d`"
EMULATOR_UP = "`python -m infra deploy --target emulator` starts it"


class Fault(RuntimeError):
    """A deployment that cannot go on. The message is a sentence that says what to do next."""


def explained(error: Exception, target: TargetKind = "aws") -> str | None:
    """The sentence for an exception of botocore; None for one that it does not know."""
    if isinstance(error, aws.ClientError):
        return _by_code(error)
    for kinds, sentence in _KINDS:
        if isinstance(error, kinds):
            return sentence(error, target)
    return None


def _by_code(error: aws.ClientError) -> str:
    about = error.response.get("Error", {})
    code, said = str(about.get("Code", "")), shortened(str(about.get("Message", "")))
    for codes, pattern, sentence in CODES:
        if (codes is None or code in codes) and re.search(pattern, said, re.IGNORECASE):
            return sentence(said, error.operation_name)
    return f"{error.operation_name} was refused ({code}): {said}"


def _unreachable(error: Exception, target: TargetKind) -> str:
    if target == "localstack":
        return f"LocalStack does not answer at 127.0.0.1:4566. Start it with {LOCALSTACK_UP}, then try again."
    if target == "emulator":
        return f"The emulated AWS does not answer. {EMULATOR_UP[0].upper()}{EMULATOR_UP[1:]}."
    return (
        f"AWS does not answer: {shortened(str(error))} Is this machine on the internet, does it need a proxy"
        " (HTTPS_PROXY), and is the --region spelled right?"
    )


_KINDS: tuple[tuple[tuple[type[Exception], ...], Callable[[Exception, TargetKind], str]], ...] = (
    (
        (aws.UnauthorizedSSOTokenError, aws.SSOTokenLoadError, aws.TokenRetrievalError),
        lambda *_: f"Your sign-in (SSO) has expired. {CREDENTIALS}",
    ),
    (
        (aws.NoCredentialsError, aws.PartialCredentialsError, aws.CredentialRetrievalError),
        lambda *_: f"There are no credentials for AWS. {CREDENTIALS}",
    ),
    (
        (aws.ProfileNotFound,),
        lambda error, _: f"{error}. `aws configure list-profiles` shows those there are.",
    ),
    (
        (aws.NoRegionError,),
        lambda *_: "No region is given. Give --region (such as eu-central-1), or set AWS_REGION.",
    ),
    (
        (aws.InvalidRegionError,),
        lambda error, _: f"{error} Give --region a name such as eu-central-1.",
    ),
    (
        (
            aws.EndpointConnectionError,
            aws.ConnectTimeoutError,
            aws.ReadTimeoutError,
            aws.ConnectionClosedError,
            aws.ProxyConnectionError,
        ),
        _unreachable,
    ),
    (
        (aws.ParamValidationError,),
        lambda error, _: f"AWS would not take this call: {shortened(str(error))}",
    ),
)
