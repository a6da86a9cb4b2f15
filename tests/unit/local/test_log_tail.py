"""Following logs: every whole line once, whatever is done to the file meanwhile."""

from __future__ import annotations

from pathlib import Path

from infra.local.cloudwatch.tail import LINE_BYTES_AT_MOST, Tail


def new(tail: Tail) -> list[bytes]:
    return [line for lines in tail.poll() for line in lines]


def append(path: Path, text: bytes) -> None:
    with path.open("ab") as file:
        file.write(text)


def test_what_was_there_and_what_comes_later_is_read_once(tmp_path: Path) -> None:
    log, tail = tmp_path / "a.log", Tail(tmp_path)
    append(log, b"one\ntwo\n")
    assert new(tail) == [b"one", b"two"]
    assert new(tail) == []
    append(log, b"three\n")
    assert new(tail) == [b"three"]
    tail.close()


def test_half_a_line_waits_for_its_other_half(tmp_path: Path) -> None:
    log, tail = tmp_path / "a.log", Tail(tmp_path)
    append(log, b"one\ntw")
    assert new(tail) == [b"one"]
    append(log, b"o")
    assert new(tail) == []
    append(log, b"\nthree")
    assert new(tail) == [b"two"]
    tail.close()


def test_a_file_that_was_cut_is_read_from_its_beginning(tmp_path: Path) -> None:
    log, tail = tmp_path / "a.log", Tail(tmp_path)
    append(log, b"one\ntwo\nhalf")
    new(tail)
    log.write_bytes(b"1\n")
    assert new(tail) == [b"1"]
    tail.close()


def test_of_a_file_that_was_replaced_both_are_read_to_their_ends(tmp_path: Path) -> None:
    log, tail = tmp_path / "a.log", Tail(tmp_path)
    append(log, b"one\n")
    assert new(tail) == [b"one"]
    append(log, b"two\n")
    log.rename(tmp_path / "a.log.1")
    append(log, b"three\n")
    assert new(tail) == [b"two", b"three"]
    append(log, b"four\n")
    assert new(tail) == [b"four"]
    tail.close()


def test_a_file_that_goes_and_one_that_comes_disturb_nobody(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "later")
    assert new(tail) == []
    (tmp_path / "later").mkdir()
    append(tmp_path / "later" / "a.log", b"one\n")
    assert new(tail) == [b"one"]
    (tmp_path / "later" / "a.log").unlink()
    append(tmp_path / "later" / "b.log", b"two\n")
    append(tmp_path / "later" / "b.txt", b"no log\n")
    assert new(tail) == [b"two"]
    tail.close()


def test_a_line_without_an_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    log, tail = tmp_path / "a.log", Tail(tmp_path)
    for _ in range(3):
        append(log, b"x" * LINE_BYTES_AT_MOST)
        assert new(tail) == []
    append(log, b"\ngood\n")
    assert new(tail)[-1:] == [b"good"]
    tail.close()
