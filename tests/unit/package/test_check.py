"""A zip that is not fit is found out, whatever is wrong with it; one that is fit is not complained of."""

from __future__ import annotations

from importlib.util import MAGIC_NUMBER

import pytest

from infra.package.check import MOST_BYTES, faults
from infra.package.compiled import beside, compiled
from infra.package.platforms import Platform, this_python

HERE = Platform(this_python(), "x86_64")
X86_64, ARM64 = 62, 183


def a_module(machine: int = X86_64, glibc: int = 17) -> bytes:
    """As much of a shared library as is looked at."""
    return b"\x7fELF" + bytes(14) + machine.to_bytes(2, "little") + b"\0GLIBC_2.2.5\0GLIBC_2.%d\0" % glibc


def fit(**more: bytes) -> dict[str, bytes]:
    """Files that may ship."""
    own = {"app.py": b"import json\n", "chalicelib/a.py": b"b = 1\n", **more}
    others = compiled({"valkey/client.py": b"c = 1\n"}, in_place=True)
    extension = {f"msgspec/_core.{HERE.module_tag}.so": a_module()}
    return {**own, **compiled(own, in_place=False), **others, **extension, "jwt-1.dist-info/METADATA": b""}


def found(**wrong: bytes) -> str:
    """What is said of fit files beside one that is wrong; dots and slashes as in its path."""
    return "; ".join(faults({**fit(), **wrong}, 1, HERE))


def test_nothing_is_said_of_a_zip_that_is_fit() -> None:
    assert faults(fit(), MOST_BYTES, HERE) == []


def test_a_zip_that_is_too_large_is_refused() -> None:
    assert "at most 12,000,000" in faults(fit(), MOST_BYTES + 1, HERE)[0]


@pytest.mark.parametrize(
    "path",
    [
        "infra/local/stack.json",
        "chalicelib/tests/a.json",
        "boto3/session.json",
        "botocore/data/sqs.json",
        "pip/a.json",
        "chalicelib/.onsale/state.json",
    ],
)
def test_what_stays_at_home_is_found(path: str) -> None:
    assert f"{path} must not ship" in found(**{path: b""})


def test_a_package_that_nobody_decided_about_is_found() -> None:
    assert "requests/api.pyx is not expected" in found(**{"requests/api.pyx": b""})


def test_a_path_that_leads_elsewhere_is_found() -> None:
    assert "leads out" in found(**{"chalicelib/../../etc/a": b""})


def test_a_module_for_another_machine_is_found() -> None:
    assert "for another machine than x86_64" in found(**{"valkey/fast.abi3.so": a_module(ARM64)})


def test_a_module_for_another_python_is_found() -> None:
    path = "valkey/fast.cpython-38-x86_64-linux-gnu.so"
    assert f"{path} is not for {HERE.runtime}" in found(**{path: a_module()})


def test_a_module_that_needs_a_newer_c_library_is_found() -> None:
    assert "needs glibc 2.38" in found(**{"valkey/fast.abi3.so": a_module(glibc=38)})


def test_what_only_looks_like_a_shared_library_is_found() -> None:
    assert "is no shared library" in found(**{"valkey/fast.abi3.so": b"404 not found"})


def test_our_module_that_is_not_compiled_is_found() -> None:
    assert "chalicelib/b.py is not compiled" in found(**{"chalicelib/b.py": b""})


def test_a_module_compiled_by_another_python_is_found() -> None:
    assert "for another Python" in found(**{"valkey/b.pyc": b"\0\0\r\n" + bytes(12)})


def test_a_module_that_is_checked_against_the_time_of_its_source_is_found() -> None:
    assert "checked against a source" in found(**{"valkey/b.pyc": MAGIC_NUMBER + bytes(12)})


def test_a_module_compiled_where_it_was_built_is_found() -> None:
    misplaced = compiled({"elsewhere/b.py": b"def b(): pass\n"}, in_place=True)["elsewhere/b.pyc"]
    assert "valkey/b.pyc is compiled for another place" in found(**{"valkey/b.pyc": misplaced})


def test_python_looks_for_what_is_compiled_where_it_is_put() -> None:
    assert beside("app.py").startswith("__pycache__/app.")
    assert beside("chalicelib/a.py").startswith("chalicelib/__pycache__/a.")
