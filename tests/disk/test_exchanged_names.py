"""Two folders exchanged, and where that cannot be, nothing changed."""

import ctypes
import errno
from pathlib import Path

import pytest

import bagmill.disk.exchanged_names as module
from bagmill.disk import exchange


def test_folders_change_places(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "said").write_text(name)
    if not exchange(tmp_path / "a", tmp_path / "b"):
        pytest.skip("the file system of the temporary folder cannot exchange names")
    assert (tmp_path / "a/said").read_text() == "b"
    assert (tmp_path / "b/said").read_text() == "a"


def test_one_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(FileNotFoundError):
        exchange(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a").is_dir()


def test_where_it_cannot_be_done_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        ctypes.set_errno(errno.EINVAL)
        return -1

    for function in (None, refuse):
        monkeypatch.setattr(module, "_renameat2", lambda function=function: function)
        assert not exchange(tmp_path / "a", tmp_path / "b")
