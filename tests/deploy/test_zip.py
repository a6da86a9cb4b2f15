"""The zip: fit for Lambda, the same wherever it is built, built once, and complete."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from infra.commands.package import package
from infra.local.layout import CHECKOUT
from infra.package.archive import unzipped, zipped
from infra.package.build import Built, Unfit, build
from infra.package.check import faults
from infra.package.cold_start import started
from infra.package.platforms import ARCHITECTURES, Platform, this_machine, this_python
from infra.package.starts import STARTS, call
from infra.package.wheels import NoWheel, wheels

pytestmark = [pytest.mark.slow, pytest.mark.deploy]

HERE = Platform(this_python(), this_machine())
CACHE = CHECKOUT / ".onsale" / "build"
BUILD = """
import hashlib, os, random, sys
from pathlib import Path
os.umask(int(sys.argv[1], 8))
exec(sys.argv[2])
from infra.package.build import build
print(build(sys.argv[3], Path("out"), checkout=Path("checkout"), cache=Path("cache")).sha256)
"""


def checkout_in(folder: Path, *, backwards: bool) -> None:
    """A copy of what ships, made file by file; with the wheels that were fetched before."""
    files = [CHECKOUT / "app.py", *CHECKOUT.glob("requirements*.txt"), *(CHECKOUT / "chalicelib").rglob("*")]
    for path in sorted(files, reverse=backwards):
        if path.is_file() and "__pycache__" not in path.parts:
            copy = folder / "checkout" / path.relative_to(CHECKOUT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
            os.utime(copy, (0, 0) if backwards else None)
    for fetched in CACHE.glob("wheels-*"):
        shutil.copytree(fetched, folder / "cache" / fetched.name)


def built_in(folder: Path, umask: str, before: str, **environment: str) -> str:
    """The digest of the zip that another process builds of the copy in `folder`."""
    done = subprocess.run(
        [sys.executable, "-c", BUILD, umask, before, HERE.architecture],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def got(task: Path, path: str, resource: str | None = None, **parameters: str) -> dict[str, Any]:
    """The door's answer to a GET, from the zip alone."""
    event = call("GET", path, token=None) | {"pathParameters": parameters or None}
    if resource:
        event |= {"resource": resource}
        event["requestContext"] |= {"resourcePath": resource}
    found = started(task, replace(STARTS["door"], events=(event,), parts=(), modules=()), {"STAGE": "local"})
    answer: dict[str, Any] = found["answers"][0]
    return answer


def test_the_zip_is_fit_for_lambda_and_has_room_to_grow(built: Built) -> None:
    assert faults(unzipped(built.path), built.size_bytes, HERE) == []
    assert built.size_bytes == built.path.stat().st_size < 11_900_000


def test_control_the_same_zip_is_not_fit_for_another_machine_or_python(built: Built) -> None:
    files = unzipped(built.path)
    others = [Platform(HERE.python, each) for each in ARCHITECTURES if each != HERE.architecture]
    assert all("another machine" in " ".join(faults(files, 1, other)) for other in others)
    assert "is not for python3.99" in " ".join(faults(files, 1, Platform((3, 99), HERE.architecture)))


def test_it_is_the_same_byte_for_byte_in_another_folder_with_other_settings(
    tmp_path: Path, built: Built
) -> None:
    checkout_in(one := tmp_path / "one", backwards=False)
    checkout_in(two := tmp_path / "somewhere" / "else" / "two", backwards=True)
    plain = built_in(one, "022", "", LC_ALL="C", TZ="UTC", PYTHONHASHSEED="1")
    odd = built_in(two, "077", "import app, decimal", LC_ALL="C.UTF-8", TZ="Asia/Tokyo", PYTHONHASHSEED="7")
    assert plain == odd == built.sha256


def test_control_one_changed_character_is_another_zip(tmp_path: Path, built: Built) -> None:
    checkout_in(tmp_path, backwards=False)
    with (tmp_path / "checkout" / "app.py").open("a") as app:
        app.write("\n")
    assert built_in(tmp_path, "022", "") != built.sha256


def test_code_that_cannot_be_imported_is_found_before_anybody_gets_the_zip(tmp_path: Path) -> None:
    checkout_in(tmp_path, backwards=False)
    with (tmp_path / "checkout" / "chalicelib" / "fulfilment.py").open("a") as code:
        code.write("import nosuch\n")
    with (tmp_path / "checkout" / "app.py").open("a") as app:
        app.write("from chalicelib import fulfilment\n")
    with pytest.raises(Unfit, match=r"app\.app: ModuleNotFoundError: No module named 'nosuch'"):
        build(
            HERE.architecture,
            tmp_path / "out",
            checkout=tmp_path / "checkout",
            cache=tmp_path / "cache",
        )
    assert list((tmp_path / "cache").glob("onsale-*.zip")) == []


def test_nothing_is_fetched_or_built_again_when_nothing_has_changed(tmp_path: Path, built: Built) -> None:
    told: list[str] = []
    again = build(HERE.architecture, tmp_path, tell=told.append)
    assert (again.sha256, told) == (built.sha256, [])
    assert stat.S_IMODE(again.path.stat().st_mode) == 0o644


def test_a_zip_that_was_spoiled_where_it_is_kept_is_not_handed_out(tmp_path: Path) -> None:
    checkout_in(tmp_path, backwards=False)
    make = partial(
        build, HERE.architecture, tmp_path, checkout=tmp_path / "checkout", cache=tmp_path / "cache"
    )
    first = make()
    kept = next((tmp_path / "cache").glob("*.zip"))
    kept.write_bytes(zipped({**unzipped(kept), "infra/secrets.txt": b"x"}))
    with pytest.raises(Unfit, match=r"infra/secrets\.txt must not ship"):
        make()
    assert make().sha256 == first.sha256


def test_a_package_without_a_wheel_for_the_platform_is_an_error_that_names_it(tmp_path: Path) -> None:
    lines = (CHECKOUT / "requirements.txt").read_text().replace("\\\n", " ").splitlines()
    wanted = {"psycopg-binary": next(line for line in lines if line.startswith("psycopg-binary=="))}
    with pytest.raises(
        NoWheel, match=r"psycopg-binary.* has no wheel for python3\.11 on arm64 \(glibc 2\.26\)"
    ):
        wheels(wanted, Platform((3, 11), "arm64"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_wheel_with_another_hash_is_not_taken(tmp_path: Path) -> None:
    with pytest.raises(NoWheel, match="hash"):
        wheels({"pyjwt": f"pyjwt==2.15.1 --hash=sha256:{'0' * 64}"}, HERE, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_contract_and_its_page_are_served_from_the_zip(task: Path) -> None:
    assert '"openapi":"3.1' in got(task, "/openapi.json")["body"].replace(" ", "")
    assert "SwaggerUIBundle" in got(task, "/docs/swagger-ui-bundle.js")["body"]
    assert ".swagger-ui" in got(task, "/docs/swagger-ui.css")["body"]


def test_the_console_and_its_charts_are_served_from_the_zip(task: Path) -> None:
    assert got(task, "/console")["statusCode"] == 200
    charts = got(task, "/console/echarts.js", "/console/{file}", file="echarts.js")
    assert charts["statusCode"] == 200
    assert "Apache" in charts["body"][:2_000]


def test_every_module_of_ours_can_be_imported_from_the_zip(task: Path) -> None:
    ours = sorted(path.relative_to(task) for path in (task / "chalicelib").rglob("*.py"))
    names = tuple(".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in ours)
    found = started(task, replace(STARTS["door"], events=(), parts=(), modules=names))
    assert set(names) <= set(found["modules"])


def test_the_verb_says_where_the_zip_is_and_what_it_is(tmp_path: Path, built: Built) -> None:
    words = ["--architecture", HERE.architecture, "--into", str(tmp_path), "--json"]
    said = msgspec.json.decode(CliRunner().invoke(package, words).stdout)
    assert said["sha256"] == built.sha256
    assert Path(said["path"]).parent == tmp_path
    assert said["python"] == HERE.release


@pytest.mark.skipif(this_python() >= (3, 12), reason="every wheel exists from Python 3.12 on")
def test_the_verb_fails_with_a_sentence_where_a_wheel_is_missing(tmp_path: Path) -> None:
    done = CliRunner().invoke(package, ["--architecture", "arm64", "--into", str(tmp_path)])
    assert done.exit_code == 1
    assert "psycopg-binary" in done.stderr
    assert list(tmp_path.iterdir()) == []
