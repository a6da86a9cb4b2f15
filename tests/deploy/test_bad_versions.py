"""The packaged service itself on the emulated AWS: a version that is bad leaves the good one where it was.

Each is made bad in another way: code that is not ready, code that cannot be imported, a migration that fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from infra.deploy.failure import Failed
from infra.deploy.standing import standing
from tests.support.deployed import Deployed, account, another_checkout

pytestmark = [pytest.mark.slow, pytest.mark.deploy]

IMPORTED_ON_LAMBDA_ALONE = """
import os
if "LAMBDA_TASK_ROOT" in os.environ:
    import nosuch
"""
"""What cannot be imported anywhere is found when the zip is made."""


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    with account() as folder:
        stage = Deployed(folder)
        stage.deploy()
        yield stage


def spoiled(deployed: Deployed, file: str, spoil: Callable[[str], str]) -> AbstractContextManager[Path]:
    """A checkout in which one file is spoiled; a file that is not there is empty."""

    def change(copy: Path) -> None:
        bad = copy / file
        bad.write_text(spoil(bad.read_text() if bad.exists() else ""))

    return another_checkout(deployed.state_dir, change)


def ready(deployed: Deployed) -> str:
    """What /ready says of itself."""
    return str(deployed.call("GET", "/ready").json["status"])


def test_the_good_version_is_ready(deployed: Deployed) -> None:
    assert ready(deployed) == "ready"


def test_a_version_that_is_not_ready_gives_its_place_back(deployed: Deployed) -> None:
    with (
        spoiled(
            deployed, "chalicelib/api/status.py", lambda text: text.replace("if not down:", "if down:")
        ) as bad,
        pytest.raises(Failed, match=r"/ready answers 503.*The previous version was put back"),
    ):
        deployed.deploy(bad)
    assert ready(deployed) == "ready"


def test_a_version_that_cannot_be_imported_where_it_runs_takes_no_traffic(deployed: Deployed) -> None:
    with (
        spoiled(
            deployed,
            "app.py",
            lambda text: (
                text + "\nfrom os import environ\nif 'LAMBDA_TASK_ROOT' in environ:\n    import nosuch\n"
            ),
        ) as bad,
        pytest.raises(Failed, match="nosuch"),
    ):
        deployed.deploy(bad)
    assert ready(deployed) == "ready"


def test_a_migration_that_fails_stops_the_deployment(deployed: Deployed) -> None:
    with (
        spoiled(deployed, "chalicelib/ledger/migrations/9999_bad.sql", lambda _: "SELECT nosuch;\n") as bad,
        pytest.raises(Failed, match=r"Migration \(Custom::Migration\) .*nosuch"),
    ):
        deployed.deploy(bad)
    assert ready(deployed) == "ready"


def test_a_version_that_is_good_takes_its_place(deployed: Deployed) -> None:
    """The control: what the tests above see put back stays where nothing is wrong."""
    with spoiled(
        deployed, "chalicelib/api/status.py", lambda text: text.replace('"ready", parts', '"well", parts')
    ) as good:
        deployed.deploy(good)
    assert ready(deployed) == "well"


def test_the_first_version_can_be_deployed_after_all_that(deployed: Deployed) -> None:
    deployed.deploy()
    assert ready(deployed) == "ready"
    stacks = standing(deployed.account, deployed.stage).stacks
    assert all((each.status or "").endswith("_COMPLETE") for each in stacks)
