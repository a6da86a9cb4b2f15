"""Gives Valkey's user a new password: the four steps that Secrets Manager asks a rotation function for.

It stands in the template itself, so it may use nothing but Python and the boto3 of Lambda's runtime.
ElastiCache lets a user have two passwords, so nobody is locked out: the one before stays good until the
next rotation.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from typing import Any

import boto3

BYTES = 36
"""Of a new password: 48 letters of ElastiCache's 16 to 128."""
PAUSE_SECONDS = 2.0


class NotReady(Exception):
    """The step cannot be done now. Secrets Manager tries it again; the password in use stays in use."""


def handler(event: dict[str, str], context: Any) -> None:
    """Does the step that `event` names: createSecret, setSecret, testSecret or finishSecret.

    Raises NotReady, KeyError for an unknown step, and boto3's errors; then nothing is current that was not.
    """
    secret = Secret(event["SecretId"], event["ClientRequestToken"])
    steps = {"createSecret": create, "setSecret": put, "testSecret": test, "finishSecret": finish}
    step = steps[event["Step"]]
    if not secret.is_current():
        step(secret, lambda: context.get_remaining_time_in_millis() > 2 * PAUSE_SECONDS * 1000)
    print(json.dumps({"message": "rotation", "step": event["Step"], "version": secret.token}))


class Secret:
    """One secret, and the version that is to be its next."""

    def __init__(self, name: str, token: str) -> None:
        """`token` names the version."""
        self.client, self.name, self.token = boto3.client("secretsmanager"), name, token

    def stages(self) -> dict[str, list[str]]:
        """By version, what it is: AWSCURRENT, AWSPENDING."""
        found: dict[str, list[str]] = self.client.describe_secret(SecretId=self.name)["VersionIdsToStages"]
        return found

    def is_current(self) -> bool:
        """Whether the rotation was finished before: a step may come twice."""
        return "AWSCURRENT" in self.stages().get(self.token, [])

    def login(self, stage: str) -> dict[str, str]:
        """The value at `stage`. Raises ResourceNotFoundException when there is none."""
        version = {"VersionId": self.token} if stage == "AWSPENDING" else {}
        found = self.client.get_secret_value(SecretId=self.name, VersionStage=stage, **version)
        value: dict[str, str] = json.loads(found["SecretString"])
        return value


def create(secret: Secret, _: Any) -> None:
    """Makes up a password, unless a try before this one has."""
    try:
        secret.login("AWSPENDING")
    except secret.client.exceptions.ResourceNotFoundException:
        login = secret.login("AWSCURRENT") | {"password": secrets.token_urlsafe(BYTES)}
        secret.client.put_secret_value(
            SecretId=secret.name,
            ClientRequestToken=secret.token,
            SecretString=json.dumps(login),
            VersionStages=["AWSPENDING"],
        )


def put(secret: Secret, more_time: Any) -> None:
    """Lets the user in with the password in use and with the next one; the one before is good no longer."""
    passwords = [secret.login(stage)["password"] for stage in ("AWSCURRENT", "AWSPENDING")]
    users = boto3.client("elasticache")
    wait_until_active(users, more_time)
    users.modify_user(UserId=user_id(), Passwords=passwords)
    wait_until_active(users, more_time)


def test(_: Secret, more_time: Any) -> None:
    """Asks ElastiCache whether both passwords are in effect: Valkey itself is not reached from here."""
    user = wait_until_active(boto3.client("elasticache"), more_time)
    if user["Authentication"]["PasswordCount"] != 2:
        raise NotReady("the user does not have both passwords")


def finish(secret: Secret, _: Any) -> None:
    """Makes the next password the one in use."""
    (current,) = [version for version, stages in secret.stages().items() if "AWSCURRENT" in stages]
    secret.client.update_secret_version_stage(
        SecretId=secret.name,
        VersionStage="AWSCURRENT",
        MoveToVersionId=secret.token,
        RemoveFromVersionId=current,
    )


def wait_until_active(users: Any, more_time: Any) -> dict[str, Any]:
    """The user, once ElastiCache has done what it was asked. Raises NotReady when that takes too long."""
    while True:
        (user,) = users.describe_users(UserId=user_id())["Users"]
        if user["Status"] == "active":
            found: dict[str, Any] = user
            return found
        if not more_time():
            raise NotReady(f"user {user_id()} is {user['Status']}")
        time.sleep(PAUSE_SECONDS)


def user_id() -> str:
    """Whose password it is."""
    return os.environ["VALKEY_USER_ID"]
