"""What goes into the zip is decided for every requirement, and what is not decided about stops the build."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import pytest

from infra.local.layout import CHECKOUT
from infra.package.build import LOCKS
from infra.package.collect import Unexpected, ours, theirs
from infra.package.contents import LEFT_OUT, PACKAGES, Package
from infra.package.pins import NotPinned, pinned, pins

LOCK = """# made by hand
Valkey==6.2.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via -r requirements.in
tzdata==2026.6 ; sys_platform == 'win32' \\
    --hash=sha256:cc
"""


def a_wheel(folder: Path, *paths: str) -> Path:
    """A zip with a line in each of the files."""
    wheel = folder / "thing-1.0-py3-none-any.whl"
    with ZipFile(wheel, "w") as archive:
        for path in paths:
            archive.writestr(path, f"# {path}\n")
    return wheel


def a_checkout(folder: Path, *paths: str) -> Path:
    """An app.py and the files."""
    for path in ("app.py", *paths):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("")
    return folder


def test_every_requirement_goes_in_or_is_left_out_for_a_reason() -> None:
    locked = {name for lock in LOCKS for name in pins((CHECKOUT / lock).read_text())}
    assert locked == PACKAGES.keys() | LEFT_OUT.keys()
    assert not PACKAGES.keys() & LEFT_OUT.keys()


def test_a_requirement_is_one_line_with_all_its_hashes() -> None:
    assert pins(LOCK)["valkey"] == "Valkey==6.2.0 --hash=sha256:aa --hash=sha256:bb"


def test_a_requirement_keeps_its_marker() -> None:
    assert pins(LOCK)["tzdata"] == "tzdata==2026.6 ; sys_platform == 'win32' --hash=sha256:cc"


def test_a_package_that_no_lock_has_is_named() -> None:
    with pytest.raises(NotPinned, match="msgspec"):
        pinned(["valkey", "msgspec"], LOCK)


def test_of_a_wheel_only_what_is_wanted_goes_in_with_its_licence(tmp_path: Path) -> None:
    wheel = a_wheel(
        tmp_path,
        "thing/__init__.py",
        "thing/py.typed",
        "thing/tests/test_thing.py",
        "thing-1.0.dist-info/METADATA",
        "thing-1.0.dist-info/RECORD",
        "thing-1.0.dist-info/licenses/LICENSE",
    )
    found = theirs({"thing": wheel}, {"thing": Package(keep=("thing/*.py",), leave=("thing/tests/*",))})
    assert sorted(found) == [
        "thing-1.0.dist-info/METADATA",
        "thing-1.0.dist-info/licenses/LICENSE",
        "thing/__init__.py",
    ]


def test_a_wanted_file_that_a_new_release_has_no_more_stops_the_build(tmp_path: Path) -> None:
    wheel = a_wheel(tmp_path, "thing/__init__.py")
    with pytest.raises(Unexpected, match=r"thing/charts\.js"):
        theirs({"thing": wheel}, {"thing": Package(keep=("thing/*.py", "thing/charts.js"))})


def test_our_files_are_taken_without_what_python_and_editors_leave(tmp_path: Path) -> None:
    left = ("chalicelib/__pycache__/a.cpython-311.pyc", "chalicelib/.a.py.swp")
    checkout = a_checkout(tmp_path, "chalicelib/a.py", "chalicelib/gate/admit.lua", "infra/b.py", *left)
    assert sorted(ours(checkout)) == ["app.py", "chalicelib/a.py", "chalicelib/gate/admit.lua"]


def test_a_new_kind_of_file_stops_the_build_instead_of_being_left_behind(tmp_path: Path) -> None:
    with pytest.raises(Unexpected, match=r"chalicelib/rates\.toml"):
        ours(a_checkout(tmp_path, "chalicelib/rates.toml"))
