"""What CloudFormation makes of a template with SAM's transform, by AWS's own translator; it asks nobody.

The translator is the emulator's, in whose environment it lies. It knows nothing of what a template is for.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

EMULATOR = Path(sys.prefix) / "emulator" / "bin" / "python"
MISSING = "The SAM translator is not installed; run `make install-deploy`"
TRANSLATE = """
import json, sys
from samtranslator.translator.transform import transform

class NoManagedPolicies:
    def load(self):
        return {}

print(json.dumps(transform(json.load(sys.stdin), {}, NoManagedPolicies()), indent=1))
"""


class NotTransformed(RuntimeError):
    """The translator is not installed, or will not have the template. The message says which."""


def transformed(text: str) -> str:
    """The template as JSON text, each of SAM's resources written out. Raises NotTransformed."""
    if not EMULATOR.exists():
        raise NotTransformed(MISSING)
    done = subprocess.run(
        [str(EMULATOR), "-c", TRANSLATE],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"},
    )
    if "No module named 'samtranslator'" in done.stderr:
        raise NotTransformed(MISSING)
    if done.returncode:
        raise NotTransformed(f"The SAM translator refused the template: {done.stderr.strip()[-500:]}")
    return done.stdout
