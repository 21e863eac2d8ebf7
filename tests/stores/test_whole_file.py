"""Files that several processes fetch at once."""

import fcntl
import threading
from pathlib import Path
from typing import BinaryIO

import pytest

from bagmill.stores.whole_file import write_once


def writes(data: bytes, *, is_kept: bool = True):
    def write(file: BinaryIO) -> bool:
        file.write(data)
        return is_kept

    return write


def test_a_file_has_its_name_when_it_is_whole(tmp_path: Path):
    path = tmp_path / "folder" / "file"

    def write(file: BinaryIO) -> bool:
        file.write(b"half")
        assert not path.exists()
        file.write(b" and half")
        return True

    assert write_once(path, write)
    assert path.read_bytes() == b"half and half"
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def test_what_is_there_is_not_written_again_unless_asked(tmp_path: Path):
    path = tmp_path / "file"
    assert write_once(path, writes(b"first"))
    assert write_once(path, writes(b"second"))
    assert path.read_bytes() == b"first"
    assert write_once(path, writes(b"third"), is_replacing=True)
    assert path.read_bytes() == b"third"


def test_nothing_is_left_of_what_was_not_to_stand_or_went_wrong(tmp_path: Path):
    assert not write_once(tmp_path / "file", writes(b"some", is_kept=False))

    def fails(file: BinaryIO) -> bool:
        file.write(b"some")
        raise RuntimeError("the line is cut")

    with pytest.raises(RuntimeError, match="the line is cut"):
        write_once(tmp_path / "file", fails)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_begun_anew(tmp_path: Path):
    (tmp_path / ".file.partial").write_bytes(b"longer than what follows")
    assert write_once(tmp_path / "file", writes(b"whole"))
    assert (tmp_path / "file").read_bytes() == b"whole"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_of_several_one_writes_and_the_others_wait(tmp_path: Path):
    path, written = tmp_path / "file", []
    # The lock is held, as by another process: all of them wait.
    partial = (tmp_path / ".file.partial").open("ab")
    fcntl.flock(partial, fcntl.LOCK_EX)

    def write(file: BinaryIO) -> bool:
        written.append(1)
        file.write(b"whole")
        return True

    threads = [threading.Thread(target=write_once, args=(path, write)) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert written == []
    partial.close()
    for thread in threads:
        thread.join()
    assert written == [1]
    assert path.read_bytes() == b"whole"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
