"""The packaged service itself on the emulated AWS: a version that is bad leaves the good one where it was.

Each is made bad in another way: code that is not ready, code that cannot be imported, a migration that fails.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from msgspec.structs import replace as changed

from infra.deploy.account import Account, at_endpoint
from infra.deploy.bring import Manner
from infra.deploy.execute import Execution
from infra.deploy.failure import Failed
from infra.deploy.packaging import packaged
from infra.deploy.plan import Package, plan
from infra.deploy.stage import stage_settings
from infra.deploy.standing import standing
from infra.deploy.steps import Check
from infra.emulator import running
from infra.local.layout import CHECKOUT
from infra.package.build import LOCKS

pytestmark = [pytest.mark.slow, pytest.mark.deploy]

STAGE = "demo"
SETTINGS = stage_settings(STAGE)


class Deployed:
    """A stage on an emulator of its own, with the good version on it."""

    def __init__(self, state_dir: Path) -> None:
        """Deploys the checkout."""
        self.good = packaged(STAGE, SETTINGS, "emulator", lambda _: None)
        # In a process of its own: it leaves another one running, of which Python would warn here.
        start = "import sys; from infra.emulator import running; running.start(sys.argv[1])"
        subprocess.run([sys.executable, "-c", start, str(state_dir)], check=True, cwd=CHECKOUT)
        found = running.ensure_running(state_dir, STAGE)
        facts = {"database_url": found.database_url, "valkey_url": found.valkey_url}
        self.account: Account = at_endpoint("emulator", found.endpoint_url, facts)
        self.url, self.folder = found.url, state_dir
        self.told: list[str] = []
        self.deploy(self.good, ready_seconds=60)

    def deploy(self, package: Package, ready_seconds: int = 5) -> bool:
        """Whether anything changed."""
        made = plan(STAGE, SETTINGS, "emulator", package)
        steps = [
            changed(step, seconds=ready_seconds) if isinstance(step, Check) else step for step in made.steps
        ]
        return Execution(
            changed(made, steps=tuple(steps)), package, self.account, Manner(self.told.append)
        ).run()

    def spoiled(self, file: str, spoil: Callable[[str], str]) -> Package:
        """What a checkout would give in which one file is spoiled; a file that is not there is empty."""
        copy = self.folder / f"checkout-{uuid4().hex[:8]}"
        for name in ("app.py", "chalicelib", ".chalice/config.json", "infra/stacks/service.yaml", *LOCKS):
            _copied(CHECKOUT / name, copy / name)
        # Fetched already, for the good version.
        (copy / ".onsale" / "build").mkdir(parents=True)
        for wheels in (CHECKOUT / ".onsale" / "build").glob("wheels-*"):
            (copy / ".onsale" / "build" / wheels.name).symlink_to(wheels)
        bad = copy / file
        bad.write_text(spoil(bad.read_text() if bad.exists() else ""))
        return packaged(STAGE, SETTINGS, "emulator", lambda _: None, copy)

    def ready(self) -> str:
        """What /ready says of itself."""
        with urllib.request.urlopen(f"{self.url}/ready", timeout=30) as answer:
            return str(json.loads(answer.read())["status"])


def _copied(source: Path, destination: Path) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, destination, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copyfile(source, destination)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("emulated")
    try:
        yield Deployed(folder)
    finally:
        running.stop(folder)


def test_the_good_version_is_ready(deployed: Deployed) -> None:
    assert deployed.ready() == "ready"


def test_a_version_that_is_not_ready_gives_its_place_back(deployed: Deployed) -> None:
    bad = deployed.spoiled("chalicelib/api/status.py", lambda text: text.replace("if not down:", "if down:"))
    with pytest.raises(Failed, match=r"/ready answers 503.*The previous version was put back"):
        deployed.deploy(bad)
    assert deployed.ready() == "ready"


def test_a_version_that_cannot_be_imported_takes_no_traffic(deployed: Deployed) -> None:
    bad = deployed.spoiled(
        "app.py", lambda text: text + "\nif services.settings.database_url:\n    import nosuch\n"
    )
    with pytest.raises(Failed) as raised:
        deployed.deploy(bad)
    assert "nosuch" in str(raised.value)
    assert deployed.ready() == "ready"


def test_a_migration_that_fails_stops_the_deployment(deployed: Deployed) -> None:
    bad = deployed.spoiled("chalicelib/ledger/migrations/9999_bad.sql", lambda _: "SELECT nosuch;\n")
    with pytest.raises(Failed, match=r"Migration \(Custom::Migration\) .*nosuch"):
        deployed.deploy(bad)
    assert deployed.ready() == "ready"


def test_a_version_that_is_good_takes_its_place(deployed: Deployed) -> None:
    """The control: what the tests above see put back stays where nothing is wrong."""
    deployed.deploy(
        deployed.spoiled(
            "chalicelib/api/status.py", lambda text: text.replace('"ready", parts', '"well", parts')
        )
    )
    assert deployed.ready() == "well"


def test_the_good_version_can_be_deployed_after_all_that(deployed: Deployed) -> None:
    deployed.deploy(deployed.good)
    assert deployed.ready() == "ready"
    assert all((each.status or "").endswith("_COMPLETE") for each in standing(deployed.account, STAGE).stacks)
