"""Every error between here and an account is a sentence that says what to do next.

Errors that need no account are real ones of botocore; the others are built from payloads as AWS answers.
"""

from __future__ import annotations

import boto3
import pytest
from botocore import exceptions as aws
from botocore.config import Config
from botocore.stub import Stubber

from infra.deploy.account import at_endpoint, on_aws
from infra.deploy.faults import Fault, explained
from infra.deploy.reasons import hint
from infra.local.layout import free_port


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """A machine on which nobody is signed in, without any configuration of AWS."""
    for name in (
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
    ):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, f"{tmp_path}/none")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def answered(code: str, message: str, operation: str = "create_change_set") -> str:
    """What is said when AWS answers a call with that error."""
    client = boto3.client(
        "cloudformation", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    with Stubber(client) as stubber:
        stubber.add_client_error(operation, code, message)
        with pytest.raises(aws.ClientError) as raised:
            getattr(client, operation)(StackName="shop", ChangeSetName="x")
    said = explained(raised.value)
    assert said
    return said


def test_without_credentials_it_says_how_to_sign_in(nobody: None) -> None:
    with pytest.raises(aws.NoCredentialsError) as raised:
        on_aws("eu-central-1", None).who()
    assert "aws sso login" in (explained(raised.value) or "")


def test_an_unknown_profile_is_named(nobody: None) -> None:
    with pytest.raises(aws.ProfileNotFound) as raised:
        on_aws("eu-central-1", "nosuch")
    assert "(nosuch)" in (explained(raised.value) or "")
    assert "list-profiles" in (explained(raised.value) or "")


def test_without_a_region_it_asks_for_one(nobody: None) -> None:
    with pytest.raises(Fault, match="No region is given"):
        on_aws(None, None)


def test_a_region_that_cannot_be_one_is_refused(nobody: None) -> None:
    with pytest.raises(aws.InvalidRegionError) as raised:
        on_aws("no such region", None).client("sts")
    assert "Give --region a name such as eu-central-1" in (explained(raised.value) or "")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("localstack", "docker compose -f docker-compose.localstack.yml up -d"),
        ("emulator", "python -m infra deploy --target emulator"),
        ("aws", "Is this machine on the internet"),
    ],
)
def test_what_does_not_answer_is_told_with_how_to_start_it(target: str, said: str) -> None:
    with pytest.raises(aws.EndpointConnectionError) as raised:
        at_endpoint("emulator", f"http://127.0.0.1:{free_port()}").who()
    assert said in (explained(raised.value, target) or "")  # type: ignore[arg-type]


def test_a_template_of_the_wrong_form_is_refused_before_it_is_sent() -> None:
    client = boto3.client("cloudformation", region_name="eu-central-1", config=Config())
    with pytest.raises(aws.ParamValidationError) as raised:
        client.describe_stacks(StackName=7)
    assert "AWS would not take this call" in (explained(raised.value) or "")


@pytest.mark.parametrize(
    "error",
    [
        aws.UnauthorizedSSOTokenError(),
        aws.SSOTokenLoadError(error_msg="x"),
        aws.TokenRetrievalError(provider="sso", error_msg="Token has expired and refresh failed"),
    ],
)
def test_a_sign_in_that_has_expired_says_so(error: Exception) -> None:
    assert "has expired" in (explained(error) or "")


@pytest.mark.parametrize(
    ("code", "message", "said"),
    [
        (
            "ExpiredToken",
            "The security token is expired",
            "Your credentials have expired",
        ),
        ("ExpiredTokenException", "expired", "Your credentials have expired"),
        (
            "InvalidClientTokenId",
            "The security token is invalid.",
            "not enabled in the account",
        ),
        (
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match",
            "does not know these",
        ),
        ("OptInRequired", "You are not subscribed to this service", "give another --region"),
        (
            "AccessDenied",
            "User: arn:aws:iam::123456789012:user/a is not authorized to perform:"
            " cloudformation:CreateChangeSet on resource: x",
            "cloudformation:CreateChangeSet is missing",
        ),
        ("Throttling", "Rate exceeded", "Wait a minute"),
        ("LimitExceededException", "Limit for stack has been exceeded", "Service Quotas"),
        ("ServiceQuotaExceededException", "too many", "Service Quotas"),
        ("AlreadyExistsException", "Stack [shop] already exists", "A name is taken"),
        ("ChangeSetNotFound", "ChangeSet [x] does not exist", "somebody else deployed meanwhile"),
        ("InvalidChangeSetStatus", "ChangeSet [x] cannot be executed in its current status", "Deploy again"),
        (
            "ValidationError",
            "1 validation error detected: Value '{}' at 'templateBody' failed to satisfy constraint:"
            " Member must have length less than or equal to 51200",
            "The template is larger than CloudFormation takes",
        ),
        (
            "ValidationError",
            "Stack [shop] cannot be deleted while TerminationProtection is enabled",
            "protected = false",
        ),
        (
            "ValidationError",
            "Stack:arn:aws:cloudformation:x is in UPDATE_IN_PROGRESS state and can not be updated.",
            "Somebody else is changing the stack",
        ),
        (
            "ValidationError",
            "Template format error: Template uses the AWS::Serverless-2016-10-31 transform, but the SAM"
            " transform was not applied because the optional 'aws-sam-translator' package is not installed.",
            "make install-deploy",
        ),
        ("NoSuchBucket", "The specified bucket does not exist", "Deploy again"),
        ("SomethingNew", "the moon is full", "CreateChangeSet was refused (SomethingNew): the moon is full"),
    ],
)
def test_each_answer_of_aws_has_its_sentence(code: str, message: str, said: str) -> None:
    assert said in answered(code, message)


def test_an_answer_with_a_whole_template_in_it_is_shortened() -> None:
    assert len(answered("ValidationError", "Value '" + "{}" * 50_000 + "' is bad")) < 500


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("onsale-demo-orders already exists", "A name is taken"),
        ("The maximum number of VPCs has been reached.", "Service Quotas"),
        (
            "Specified ReservedConcurrentExecutions for function decreases account's"
            " UnreservedConcurrentExecution below its minimum value of [100].",
            "lower door_reserved_concurrency",
        ),
        ("User: x is not authorized to perform: kms:CreateKey", "administers the account"),
        ("CodeDeploy deployment d-1 was stopped and rolled back: ALARM_ACTIVE", "tenth of the traffic"),
        ("Rate exceeded (Service: Lambda)", "in a minute"),
        (
            "Unable to import module 'app': /var/task/x.so: invalid ELF header",
            "another Python or architecture",
        ),
        ("the moon is full", ""),
    ],
)
def test_a_reason_in_a_stacks_events_has_its_advice_where_there_is_one(reason: str, said: str) -> None:
    assert said in hint(reason)
    assert bool(said) == bool(hint(reason))


def test_what_is_no_error_of_aws_is_left_to_others() -> None:
    assert explained(ValueError("x")) is None
