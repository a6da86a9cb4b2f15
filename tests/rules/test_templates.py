"""CloudFormation knows every template to the last property: cfn-lint says nothing, no warning either."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.stacks.foundation import STACKS, foundation_template
from tests.support.policy import lint


@pytest.fixture
def foundation(tmp_path: Path) -> Path:
    """The composed template in a file."""
    file = tmp_path / "foundation.json"
    file.write_text(foundation_template("demo"))
    return file


def test_the_artifacts_template_is_without_fault() -> None:
    assert lint(STACKS / "artifacts.yaml") == []


def test_the_foundations_template_is_without_fault(foundation: Path) -> None:
    assert lint(foundation) == []


def test_a_property_that_does_not_exist_is_found(foundation: Path) -> None:
    """The negative control."""
    template = json.loads(foundation.read_text())
    template["Resources"]["OrderQueue"]["Properties"]["VisibilityTimeot"] = 90
    foundation.write_text(json.dumps(template))
    (line,) = lint(foundation)
    assert "VisibilityTimeot" in line
