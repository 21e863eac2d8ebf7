import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bagmill.dataset import write_whole
from bagmill.dataset.whole_file import write_new
from bagmill.errors import StorageError


def test_folders_are_made_and_nothing_is_left_beside(tmp_path: Path):
    path = tmp_path / "a" / "b" / "file.json"

    write_whole(path, b"one")
    write_whole(path, b"two")

    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def test_only_what_is_not_there_is_new(tmp_path: Path):
    path = tmp_path / "a" / "file.json"

    assert write_new(path, b"one")
    assert not write_new(path, b"two")

    assert path.read_bytes() == b"one"
    assert list(path.parent.iterdir()) == [path]


def test_of_many_that_write_at_once_one_is_told_that_it_is_new(tmp_path: Path):
    path = tmp_path / "file.json"
    contents = [str(number).encode() * 10_000 for number in range(8)]

    with ThreadPoolExecutor(len(contents)) as pool:
        is_new = list(pool.map(lambda content: write_new(path, content), contents))

    assert [content for content, new in zip(contents, is_new, strict=True) if new] == [path.read_bytes()]
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_earlier_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "file.json"
    write_whole(path, b"one")

    def is_full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", is_full)
    with pytest.raises(StorageError, match="cannot be written \\(No space left on device\\)") as caught:
        write_whole(path, b"two")

    assert caught.value.path == path
    assert path.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")

    for write in (write_whole, write_new):
        with pytest.raises(StorageError, match="cannot be written"):
            write(tmp_path / "file" / "below.json", b"")
