"""What Lambda runs a Python on, and which wheels that can load."""

from __future__ import annotations

import pytest

from infra.package.platforms import Platform, best


@pytest.mark.parametrize(("python", "glibc"), [((3, 11), 26), ((3, 12), 34), ((3, 13), 34)])
def test_python_3_12_and_newer_run_on_amazon_linux_2023(python: tuple[int, int], glibc: int) -> None:
    assert Platform(python, "x86_64").glibc == glibc


def test_a_wheel_for_a_newer_c_library_is_not_asked_for() -> None:
    tags = Platform((3, 11), "x86_64").tags
    assert "manylinux_2_26_x86_64" in tags
    assert "manylinux_2_27_x86_64" not in tags


def test_an_older_wheel_is_asked_for_by_its_older_name_too() -> None:
    assert {"manylinux_2_17_aarch64", "manylinux2014_aarch64"} <= set(Platform((3, 12), "arm64").tags)


def test_the_newest_wheel_is_preferred() -> None:
    assert Platform((3, 12), "arm64").tags[0] == "manylinux_2_34_aarch64"


def test_the_runtime_has_lambdas_name() -> None:
    assert Platform((3, 13), "arm64").runtime == "python3.13"


@pytest.mark.parametrize(("python", "architecture"), [((3, 11), "x86_64"), ((3, 12), "arm64")])
def test_the_cheaper_architecture_is_taken_where_every_wheel_exists(
    python: tuple[int, int], architecture: str
) -> None:
    assert best(python) == architecture
