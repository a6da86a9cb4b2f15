"""Where the signing key comes from, and that a renewed one is used at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from botocore.credentials import Credentials as BotoCredentials
from botocore.exceptions import CredentialRetrievalError

from chalicelib.aws.credentials import credential_source, from_session_chain
from chalicelib.aws.sigv4 import Credentials
from chalicelib.errors import Unavailable
from chalicelib.settings import Settings


class Chain:
    """A botocore session whose credentials are `found`."""

    def __init__(self, found: object) -> None:
        self.found = found

    def get_credentials(self) -> object:
        """What a session's own method gives."""
        return self.found


class Unrenewable:
    """Credentials that have run out and cannot be renewed."""

    def get_frozen_credentials(self) -> object:
        """Raises what botocore raises when the metadata service is down."""
        raise CredentialRetrievalError(provider="iam-role", error_msg="no metadata service")


def test_the_settings_key_comes_first() -> None:
    settings = Settings(aws_access_key_id="AKID", aws_secret_access_key="s", aws_session_token="t")
    assert credential_source(settings)() == Credentials("AKID", "s", "t")


def test_without_a_key_the_session_chain_is_asked_every_time() -> None:
    found = BotoCredentials("AKID1", "s1")
    source = from_session_chain(Chain(found))
    assert source() == Credentials("AKID1", "s1", "")
    found.access_key, found.secret_key, found.token = "AKID2", "s2", "t2"
    assert source() == Credentials("AKID2", "s2", "t2")


@pytest.mark.parametrize("found", [None, Unrenewable()])
def test_no_credentials_now_is_unavailable(found: object) -> None:
    with pytest.raises(Unavailable) as caught:
        from_session_chain(Chain(found))()
    assert (caught.value.part, caught.value.ambiguous) == ("queue", False)


def test_a_profile_of_the_shared_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = tmp_path / "credentials"
    shared.write_text(
        "[default]\naws_access_key_id = AKID\naws_secret_access_key = s\naws_session_token = t\n"
    )
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(shared))
    assert credential_source(Settings())() == Credentials("AKID", "s", "t")


def test_a_key_in_the_settings_imports_no_botocore() -> None:
    program = (
        "import sys\n"
        "from chalicelib.aws.secrets_manager import reader\n"
        "from chalicelib.queue import client, sender\n"
        "from chalicelib.aws.credentials import credential_source\n"
        "from chalicelib.settings import Settings\n"
        "credential_source(Settings(aws_access_key_id='k'))()\n"
        "reader(Settings(aws_access_key_id='k'), 'name', 'ledger')\n"
        "sys.exit('botocore' in sys.modules or 'http.client' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
