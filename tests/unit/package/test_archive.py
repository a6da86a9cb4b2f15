"""The same files give the same bytes, whoever compiles and zips them, and in whatever order."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import pytest

from infra.package.archive import unzipped, zipped
from infra.package.compiled import NotCompiled, compiled

FILES = {"b.py": b"def b(self): return {'x', 'y', 'z'}\n", "a/c.lua": b"return 1\n"}


def test_the_order_of_the_files_changes_nothing() -> None:
    assert zipped(FILES) == zipped(dict(reversed(FILES.items())))


def test_control_one_more_byte_changes_it() -> None:
    assert zipped(FILES) != zipped({**FILES, "a/c.lua": b"return 2\n"})


def test_what_is_zipped_is_what_is_unzipped(tmp_path: Path) -> None:
    (path := tmp_path / "a.zip").write_bytes(zipped(FILES))
    assert unzipped(path) == FILES


def test_every_file_may_be_read_by_lambdas_user(tmp_path: Path) -> None:
    (path := tmp_path / "a.zip").write_bytes(zipped(FILES))
    with ZipFile(path) as archive:
        assert {info.external_attr >> 16 for info in archive.infolist()} == {0o100644}


def test_a_module_is_compiled_the_same_whatever_this_process_knows() -> None:
    before = compiled(FILES, in_place=True)
    known = compile(FILES["b.py"], "b.py", "exec")  # its strings are interned from here on
    assert compiled(FILES, in_place=True) == before
    assert known.co_names


def test_a_module_that_does_not_compile_is_an_error() -> None:
    with pytest.raises(NotCompiled, match="SyntaxError"):
        compiled({"a.py": b"def"}, in_place=True)
