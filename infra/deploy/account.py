"""An account and a region to work in: the real one, LocalStack, or the emulated AWS of this machine.

The only maker of clients. It knows no stack.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config

from infra.deploy.faults import LOCALSTACK_UP, Fault
from infra.deploy.steps import TargetKind
from infra.local.layout import LOOPBACK, answers
from infra.local.localstack import PORT as LOCALSTACK_PORT

AWS = Config(retries={"mode": "standard", "max_attempts": 8}, connect_timeout=10, read_timeout=60)
NEAR = Config(
    retries={"mode": "standard", "max_attempts": 2},
    connect_timeout=5,
    read_timeout=120,
    proxies={},
    s3={"addressing_style": "path"},
)
"""For what runs on this machine: past any proxy, and buckets by path, since loopback has no subdomains."""
IN_CONTAINERS = {
    "endpoint_url": f"http://localhost.localstack.cloud:{LOCALSTACK_PORT}",
    "database_url": "postgresql://onsale@postgres:5432/onsale",
    "valkey_url": "valkey://valkey:6379/0",
}
"""Where LocalStack's functions find what docker-compose.localstack.yml has started, by its services' names.

The endpoint's name is LocalStack's own: in a function's container it is that, elsewhere this machine."""
EMULATED = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


@dataclass(frozen=True)
class Account:
    """Whom to ask, and what the target says of itself (`facts`, the names of `plan.Fact`)."""

    target: TargetKind
    region: str
    session: Any
    endpoint_url: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def poll_seconds(self) -> float:
        """How long to wait between two looks at something that goes on."""
        return 2.0 if self.target == "aws" else 0.2

    def client(self, service: str) -> Any:
        """A client of botocore for `service`."""
        if self.endpoint_url:
            return self.session.client(service, endpoint_url=self.endpoint_url, config=NEAR)
        return self.session.client(service, config=AWS)

    def who(self) -> str:
        """The account's number. Raises botocore's exceptions when credentials or network are missing."""
        return str(self.client("sts").get_caller_identity()["Account"])

    def object_url(self, bucket: str, key: str) -> str:
        """The address at which CloudFormation reads an object of a bucket."""
        if self.endpoint_url:
            return f"{self.endpoint_url}/{bucket}/{key}"
        domain = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        return f"https://{bucket}.s3.{self.region}.{domain}/{key}"


def on_aws(region: str | None, profile: str | None) -> Account:
    """The account of the credentials that botocore finds. Raises ProfileNotFound; Fault without a region."""
    # Of the two names for it, botocore reads only the older one.
    region = region or os.environ.get("AWS_REGION")
    session = boto3.Session(profile_name=profile or None, region_name=region or None)
    if not session.region_name:
        raise Fault("No region is given. Give --region (such as eu-central-1), or set AWS_REGION.")
    return Account("aws", session.region_name, session)


def at_endpoint(
    target: TargetKind, endpoint_url: str, facts: Mapping[str, str] | None = None, region: str = "us-east-1"
) -> Account:
    """The account 000000000000 of an emulator that answers at `endpoint_url`."""
    session = boto3.Session(region_name=region, **EMULATED)
    return Account(target, region, session, endpoint_url, {"endpoint_url": endpoint_url, **(facts or {})})


def in_localstack(region: str | None) -> Account:
    """LocalStack at its usual port. Raises Fault when nobody listens there."""
    if not answers(LOCALSTACK_PORT):
        raise Fault(
            f"Nothing listens at {LOOPBACK}:{LOCALSTACK_PORT}. Start LocalStack with {LOCALSTACK_UP},"
            " then try again."
        )
    url = f"http://{LOOPBACK}:{LOCALSTACK_PORT}"
    return at_endpoint("localstack", url, IN_CONTAINERS, region=region or "us-east-1")
