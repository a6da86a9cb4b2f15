"""What went wrong between this machine and an account, as a sentence that says what to do next. Pure.

Knows the exceptions of botocore and the error codes of AWS; it calls nobody and prints nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from botocore import exceptions as aws

from infra.deploy.events import shortened
from infra.deploy.plan import TargetKind

LOCALSTACK_UP = "`docker compose -f docker-compose.localstack.yml up -d`"
EMULATOR_UP = "`python -m infra deploy --target emulator` starts it"

_CREDENTIALS = (
    "Sign in (`aws sso login`, with --profile if it has a name), or set AWS_ACCESS_KEY_ID and"
    " AWS_SECRET_ACCESS_KEY; `aws sts get-caller-identity` shows who you are."
)


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
    for codes, pattern, sentence in _CODES:
        if (codes is None or code in codes) and re.search(pattern, said, re.IGNORECASE):
            return sentence(said, error.operation_name)
    return f"{error.operation_name} was refused ({code}): {said}"


def _denied(said: str, operation: str) -> str:
    action = re.search(r"perform:? (\w+:\w+)", said)
    lacking = action[1] if action else operation
    return (
        f"The account does not let you do this: {lacking} is missing. Ask whoever administers it to allow"
        f" {lacking} to the role you deploy with, or deploy with another --profile. AWS said: {said}"
    )


_Sentence = Callable[[str, str], str]

_CODES: tuple[tuple[frozenset[str] | None, str, _Sentence], ...] = (
    (
        frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}),
        "",
        lambda *_: f"Your credentials have expired. {_CREDENTIALS}",
    ),
    (
        frozenset(
            {
                "InvalidClientTokenId",
                "UnrecognizedClientException",
                "AuthFailure",
                "InvalidAccessKeyId",
                "SignatureDoesNotMatch",
                "IncompleteSignature",
            }
        ),
        "",
        lambda *_: (
            "AWS does not know these credentials, or this region is not enabled in the account (`aws account"
            f" list-regions`). {_CREDENTIALS}"
        ),
    ),
    (
        frozenset({"OptInRequired", "SubscriptionRequiredException"}),
        "",
        lambda said, _: (
            f"The account is not signed up for this service or region: {said}"
            " Enable it, or give another --region."
        ),
    ),
    (
        frozenset(
            {
                "AccessDenied",
                "AccessDeniedException",
                "UnauthorizedOperation",
                "NotAuthorized",
                "AllAccessDisabled",
            }
        ),
        "",
        _denied,
    ),
    (
        frozenset(
            {
                "Throttling",
                "ThrottlingException",
                "RequestLimitExceeded",
                "TooManyRequestsException",
                "SlowDown",
            }
        ),
        "",
        lambda _, operation: (
            f"AWS turns calls away because there are too many ({operation}), even after some retries."
            " Wait a minute, then deploy again: it goes on where it stopped."
        ),
    ),
    (
        None,
        r"quota|limit.{0,20}(exceeded|reached)|exceed.{0,20}limit|LimitExceeded",
        lambda said, _: (
            f"A quota of the account is reached: {said} Ask for more in Service Quotas, or lower the setting"
            " in infra/stacks/stages.toml; then deploy again."
        ),
    ),
    (
        frozenset(
            {"LimitExceededException", "LimitExceeded", "TooManyBuckets", "ServiceQuotaExceededException"}
        ),
        "",
        lambda said, _: (
            f"A quota of the account is reached: {said} Ask for more in Service Quotas, or remove what is no"
            " longer used; then deploy again."
        ),
    ),
    (
        frozenset(
            {
                "AlreadyExistsException",
                "BucketAlreadyExists",
                "BucketAlreadyOwnedByYou",
                "ResourceAlreadyExistsException",
                "EntityAlreadyExists",
                "ResourceConflictException",
            }
        ),
        "",
        lambda said, _: f"{said} {NAME_TAKEN}",
    ),
    (
        frozenset(
            {
                "ChangeSetNotFound",
                "ChangeSetNotFoundException",
                "InvalidChangeSetStatus",
                "InvalidChangeSetStatusException",
            }
        ),
        "",
        lambda *_: (
            "The change set is gone or no longer fits its stack: somebody else deployed meanwhile."
            " Deploy again; it looks at the stack afresh."
        ),
    ),
    (
        frozenset({"ValidationError"}),
        r"templateBody.*(length|51200|less than or equal)|Template may not exceed|exceeds? .*bytes",
        lambda *_: (
            "The template is larger than CloudFormation takes (51,200 bytes in a call, 1 MB from a bucket)."
            " Split the stack, or shorten what is embedded in it, such as the dashboard."
        ),
    ),
    (
        frozenset({"ValidationError"}),
        r"TerminationProtection|termination protection",
        lambda *_: f"The stack is protected against deletion. {UNPROTECT}",
    ),
    (
        frozenset({"ValidationError"}),
        r"_IN_PROGRESS state",
        lambda said, _: (
            f"Somebody else is changing the stack: {said} Try again when it is done, or give --wait."
        ),
    ),
    (
        frozenset({"NoSuchBucket", "NoSuchKey"}),
        "",
        lambda said, _: f"The bucket of artifacts, or what was put there, is gone: {said} Deploy again.",
    ),
)
"""Codes, a pattern of the message, and the sentence; the first that fits. No codes: any of them."""

NAME_TAKEN = (
    "A name is taken, perhaps by what an earlier stage has left: delete that, or choose another stage name,"
    " then deploy again."
)
UNPROTECT = (
    "Set `protected = false` for the stage in infra/stacks/stages.toml and deploy once: that takes the"
    " protection away. Then destroy."
)


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
        lambda *_: f"Your sign-in (SSO) has expired. {_CREDENTIALS}",
    ),
    (
        (aws.NoCredentialsError, aws.PartialCredentialsError, aws.CredentialRetrievalError),
        lambda *_: f"There are no credentials for AWS. {_CREDENTIALS}",
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
