"""What a deployment needs of the stage's settings. Pure; reads the one file that has them.

It must not know any account.
"""

from __future__ import annotations

from pathlib import Path

from infra.deploy.stage import FILE, BadStage, StageSettings, missing_on_aws, stage_settings
from infra.doctor.findings import Finding, bad, good


def settings(stage: str, target: str, file: Path = FILE) -> tuple[StageSettings | None, Finding]:
    """The stage's settings, or None, and what there is to say of them."""
    try:
        found = stage_settings(stage, file)
    except BadStage as error:
        return None, bad("stage", str(error))
    lacking = missing_on_aws(found) if target == "aws" else []
    if lacking:
        return found, bad(
            "stage", f"{stage} needs {' and '.join(lacking)} on AWS: set them in infra/stacks/stages.toml."
        )
    kept = "protected" if found.protected else "not protected"
    return found, good("stage", f"{stage} has all its settings, and is {kept} against `destroy`.")
