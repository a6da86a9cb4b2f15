"""The zip for this machine, built as the verb builds it, and unpacked where a test may look into it."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import pytest

from infra.package.build import Built, build
from infra.package.platforms import this_machine


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The zip; its wheels are fetched only when they were not before."""
    return build(this_machine(), tmp_path_factory.mktemp("zip"))


@pytest.fixture(scope="session")
def task(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the zip is unpacked into, as Lambda's /var/task. Nobody may change it."""
    folder = tmp_path_factory.mktemp("task")
    with ZipFile(built.path) as archive:
        archive.extractall(folder)
    return folder
