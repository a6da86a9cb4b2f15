"""A secret is read once, again when it is stale, and not at a stranger's pace."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.errors import Unavailable
from chalicelib.secret import Login, Secret, constant, login_of


class Vault:
    """Holds one text and counts who asks. Its clock stands until somebody moves it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.readings = 0
        self.seconds = 0.0

    def read(self) -> str:
        """Raises Unavailable when it holds nothing."""
        self.readings += 1
        if not self.text:
            raise Unavailable("secrets", "gone")
        return self.text

    def now(self) -> float:
        """Seconds since nothing in particular."""
        return self.seconds


@pytest.fixture
def vault() -> Vault:
    return Vault("one")


@pytest.fixture
def secret(vault: Vault) -> Secret[str]:
    return Secret(vault.read, rest_seconds=10, monotonic=vault.now)


def test_it_is_read_when_first_needed_and_kept(secret: Secret[str], vault: Vault) -> None:
    assert vault.readings == 0
    assert [secret.value(), secret.value()] == ["one", "one"]
    assert vault.readings == 1


def test_a_stale_one_is_read_again_once(secret: Secret[str], vault: Vault) -> None:
    secret.value()
    vault.text = "two"
    assert secret.newer_than("one") == "two"
    assert secret.value() == "two"
    assert vault.readings == 2


def test_whoever_comes_late_with_the_stale_one_reads_nothing(secret: Secret[str], vault: Vault) -> None:
    secret.value()
    vault.text = "two"
    assert [secret.newer_than("one"), secret.newer_than("one")] == ["two", "two"]
    assert vault.readings == 2


def test_when_it_is_the_same_there_is_nothing_newer(secret: Secret[str], vault: Vault) -> None:
    assert secret.newer_than(secret.value()) is None
    assert vault.readings == 2


def test_a_thousand_who_call_it_wrong_provoke_one_reading_in_ten_seconds(
    secret: Secret[str], vault: Vault
) -> None:
    known = secret.value()
    for _ in range(1_000):
        assert secret.newer_than(known) is None
        vault.seconds += 0.009  # 9 s in all
    assert vault.readings == 2
    vault.seconds = 10.0
    vault.text = "two"
    assert secret.newer_than(known) == "two"
    assert vault.readings == 3


def test_a_reading_that_fails_rests_too_and_the_old_value_stays(secret: Secret[str], vault: Vault) -> None:
    known = secret.value()
    vault.text = ""
    with pytest.raises(Unavailable):
        secret.newer_than(known)
    assert secret.newer_than(known) is None
    assert secret.value() == "one"
    assert vault.readings == 2


def test_a_first_reading_that_fails_is_made_again(secret: Secret[str], vault: Vault) -> None:
    vault.text = ""
    with pytest.raises(Unavailable):
        secret.value()
    vault.text = "one"
    assert secret.value() == "one"


def test_of_many_threads_one_reads(vault: Vault) -> None:
    secret = Secret(vault.read, rest_seconds=10, monotonic=vault.now)
    together = threading.Barrier(16)

    def ask(_: int) -> str | None:
        together.wait(timeout=20)
        known = secret.value()
        together.wait(timeout=20)
        vault.text = "two"
        together.wait(timeout=20)
        return secret.newer_than(known)

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(ask, range(16))) == {"two"}
    assert vault.readings == 2


def test_one_from_the_environment_is_what_it_is() -> None:
    assert constant("x").value() == "x"
    assert constant("x").newer_than("x") is None


@pytest.mark.parametrize(
    ("text", "login"),
    [
        (
            '{"engine":"postgres","username":"u","password":"p","host":"h","port":5432,"dbname":"d"}',
            Login("u", "p", "h", 5432, "d"),
        ),
        ('{"username":"u","password":"p","port":"6380"}', Login("u", "p", "", "6380")),
        ("just a password", Login(password="just a password")),
        ("[1]", Login(password="[1]")),
        ("42", Login(password="42")),
    ],
)
def test_a_login_is_read_as_rotation_keeps_it(text: str, login: Login) -> None:
    assert login_of(text) == login


def test_a_login_does_not_show_its_password() -> None:
    assert "hush" not in f"{Login('u', 'hush')!r} {Login('u', 'hush')}"
