"""What CloudFormation makes of a template with SAM's transform, by AWS's own translator.

It is the emulator's, in whose environment it lies, and asks nobody.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

EMULATOR = Path(sys.prefix) / "emulator" / "bin" / "python"
TRANSLATE = """
import json, sys
from samtranslator.translator.transform import transform

class NoManagedPolicies:
    def load(self):
        return {}

print(json.dumps(transform(json.load(sys.stdin), {}, NoManagedPolicies()), indent=1))
"""


def transformed(text: str) -> str:
    """The template as JSON text, each of SAM's resources written out."""
    done = subprocess.run(
        [str(EMULATOR), "-c", TRANSLATE],
        input=text,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"},
    )
    return done.stdout
