"""The rotation of Valkey's password, step by step: on a Secrets Manager server and a real Valkey.

What plays ElastiCache in between is ours (tests/support/elasticache.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import boto3
import pytest
import valkey
from botocore.exceptions import ClientError

from chalicelib.services import Services
from chalicelib.settings import from_environment
from infra.local import sqs
from infra.stacks import rotate_valkey
from tests.support.elasticache import ACCESS, ElastiCacheUsers
from tests.support.sqs import sqs_server
from tests.support.valkey import valkey_server
from tests.support.vault import Vault

pytestmark = pytest.mark.slow

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


class Context:
    """How Lambda says what time is left."""

    def __init__(self, left_ms: int = 60_000) -> None:
        self.left_ms = left_ms

    def get_remaining_time_in_millis(self) -> int:
        """By Lambda's name."""
        return self.left_ms


@dataclass
class Stage:
    """A secret, the user whose password it holds, and the Valkey that lets him in."""

    secret_id: str
    users: ElastiCacheUsers
    valkey_url: str
    vault: Vault

    def step(self, name: str, token: str, context: Context | None = None) -> None:
        """One step, as Secrets Manager asks for it."""
        event = {"SecretId": self.secret_id, "ClientRequestToken": token, "Step": name}
        rotate_valkey.handler(event, context or Context())

    def rotate(self) -> None:
        """All four."""
        token = str(uuid4())
        for name in STEPS:
            self.step(name, token)

    def password(self) -> str:
        """What the functions read."""
        found = boto3.client("secretsmanager").get_secret_value(SecretId=self.secret_id)
        login = json.loads(found["SecretString"])
        assert login["username"] == "onsale"
        return str(login["password"])

    def lets_in(self, password: str) -> bool:
        """Whether Valkey takes the password."""
        url = self.valkey_url.partition("?")[0]
        with valkey.Valkey.from_url(url, username="onsale", password=password) as client:
            try:
                return bool(client.ping())
            except valkey.AuthenticationError:
                return False


@pytest.fixture(scope="module")
def vault() -> Iterator[Vault]:
    with sqs_server() as endpoint:
        made = Vault(endpoint)
        yield made
        made.close()


@pytest.fixture
def stage(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    secret_id = vault.put({"username": "onsale", "password": "first"})
    with valkey_server(cluster=True) as url, ElastiCacheUsers(url, ACCESS, "first") as users:
        for name, value in sqs.CREDENTIALS.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", vault.endpoint)
        monkeypatch.setenv("AWS_ENDPOINT_URL_ELASTICACHE", users.endpoint)
        monkeypatch.setenv("VALKEY_USER_ID", "onsale-demo")
        monkeypatch.setattr(rotate_valkey, "PAUSE_SECONDS", 0.01)
        yield Stage(secret_id, users, url, vault)


def test_four_steps_give_a_new_password_and_the_old_one_stays_good_until_the_next(stage: Stage) -> None:
    stage.rotate()
    second = stage.password()
    assert second != "first"
    assert stage.lets_in("first")
    assert stage.lets_in(second)
    stage.rotate()
    assert not stage.lets_in("first")
    assert stage.lets_in(second)
    assert stage.lets_in(stage.password())


def test_until_the_last_step_the_functions_read_the_password_that_they_had(stage: Stage) -> None:
    token = str(uuid4())
    for name in STEPS[:3]:
        stage.step(name, token)
        assert stage.password() == "first"
    stage.step("finishSecret", token)
    assert stage.password() != "first"


def test_every_step_may_come_twice(stage: Stage) -> None:
    token = str(uuid4())
    for name in (*STEPS, STEPS[-1], *STEPS):
        stage.step(name, token)
        stage.step(name, token)
    assert stage.lets_in(stage.password())
    assert stage.lets_in("first")


def test_a_password_that_could_not_be_set_leaves_the_old_one_in_use(stage: Stage) -> None:
    """The negative control of the whole: nothing may become current that Valkey does not know."""
    token = str(uuid4())
    stage.users.refuses = True
    stage.step("createSecret", token)
    with pytest.raises(ClientError, match="InvalidUserState"):
        stage.step("setSecret", token)
    with pytest.raises(rotate_valkey.NotReady):
        stage.step("testSecret", token)
    assert stage.password() == "first"
    assert stage.lets_in("first")


def test_a_user_that_is_never_ready_is_not_waited_for_longer_than_there_is_time(stage: Stage) -> None:
    token = str(uuid4())
    stage.step("createSecret", token)
    stage.users.looks_until_active = 1_000_000
    with pytest.raises(rotate_valkey.NotReady, match="modifying"):
        stage.step("setSecret", token, Context(left_ms=0))
    assert stage.password() == "first"


def test_a_step_that_nobody_knows_is_an_error(stage: Stage) -> None:
    with pytest.raises(KeyError):
        stage.step("dropSecret", str(uuid4()))


def test_the_gate_goes_on_through_two_rotations(stage: Stage) -> None:
    """After the second the password that the service started with is good no longer."""
    environment = {**sqs.CREDENTIALS, **stage.vault.environment(), "VALKEY_SECRET_ID": stage.secret_id}
    services = Services(from_environment({**environment, "VALKEY_URL": stage.valkey_url}))
    services.gate.ping()
    for _ in range(2):
        stage.rotate()
        with valkey.Valkey.from_url(stage.valkey_url.partition("?")[0]) as admin:
            admin.execute_command("CLIENT", "KILL", "USER", "onsale")
        services.gate.ping()
    services.gate._client.close()


def test_the_functions_user_may_not_wipe_list_or_configure(stage: Stage) -> None:
    """That the rights are enough, the gate's contract tests show, which have them in their cluster."""
    url = stage.valkey_url.partition("?")[0]
    with valkey.Valkey.from_url(url, username="onsale", password="first") as client:
        for command in ("FLUSHALL", "KEYS *", "CONFIG GET *", "ACL LIST", "DEBUG SLEEP 0"):
            with pytest.raises(valkey.exceptions.NoPermissionError):
                client.execute_command(*command.split())
