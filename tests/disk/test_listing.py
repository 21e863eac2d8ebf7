"""Listings that tell what they cannot see, where `glob` and `os.walk` leave it out."""

import errno
import os
from pathlib import Path

import pytest

from bagmill.disk import disk_error, files_below, folders_from, is_absent, tells_of_disk
from bagmill.errors import StorageError


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "b/c").mkdir(parents=True)
    for name in ("a", "b/d", "b/c/e"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.fixture
def no_look_into_c(monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def refuse(path):
        if os.fspath(path).endswith("/c"):
            raise PermissionError(errno.EACCES, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)


def test_everything_below_a_folder(tree: Path) -> None:
    assert files_below(tree) == [tree / "a", tree / "b/c/e", tree / "b/d"]
    assert folders_from(tree) == [tree, tree / "b", tree / "b/c"]


@pytest.mark.usefixtures("no_look_into_c")
def test_a_folder_that_cannot_be_listed_is_not_left_out(tree: Path) -> None:
    for listing in (files_below, folders_from):
        with pytest.raises(PermissionError):
            listing(tree)


def test_absent_is_only_what_is_certainly_not_there(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_absent(tree / "no")
    assert is_absent(tree / "a/no")
    assert not is_absent(tree / "a")

    def fail(self: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "stat", fail)
    assert not is_absent(tree / "no")


def test_what_the_disk_answers_is_told_in_our_words() -> None:
    @tells_of_disk
    def work() -> None:
        raise OSError(errno.EIO, "Input/output error", "/data/x")

    with pytest.raises(StorageError, match=r"/data/x: cannot be read or written \(Input/output error\)"):
        work()
    assert disk_error(OSError("odd")).problem == "cannot be read or written (odd)"
