"""What to say for each error code of AWS: one sentence, and what to do next. Pure; knows no exception."""

from __future__ import annotations

import re
from collections.abc import Callable

from infra.deploy.reasons import NAME_TAKEN, UNPROTECT

CREDENTIALS = (
    "Sign in (`aws sso login`, with --profile if it has a name), or set AWS_ACCESS_KEY_ID and"
    " AWS_SECRET_ACCESS_KEY; `aws sts get-caller-identity` shows who you are."
)


def _denied(said: str, operation: str) -> str:
    action = re.search(r"perform:? (\w+:\w+)", said)
    lacking = action[1] if action else operation
    return (
        f"The account does not let you do this: {lacking} is missing. Ask whoever administers it to allow"
        f" {lacking} to the role you deploy with, or deploy with another --profile. AWS said: {said}"
    )


Sentence = Callable[[str, str], str]

CODES: tuple[tuple[frozenset[str] | None, str, Sentence], ...] = (
    (
        frozenset({"ValidationError"}),
        r"aws-sam-translator",
        lambda *_: (
            "The emulated AWS lacks the SAM translator, which the service's template needs: run"
            " `make install-deploy`, restart it (`python -m infra emulator stop`), then deploy again."
        ),
    ),
    (
        frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}),
        "",
        lambda *_: f"Your credentials have expired. {CREDENTIALS}",
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
            f" list-regions`). {CREDENTIALS}"
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
