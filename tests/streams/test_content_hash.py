"""A recording's identity follows its bytes, not its place."""

from __future__ import annotations

import shutil
import threading

import pytest
from blake3 import blake3

from bagmill.errors import RecordingError
from bagmill.recordings import open_recording
from bagmill.streams.content_hash import content_hash, size_bytes


def test_of_a_file_it_is_the_plain_hash(recordings_dir):
    path = recordings_dir / "realsense_d4xx.bag"
    with open_recording(path) as recording:
        assert content_hash(recording) == "blake3:" + blake3(path.read_bytes()).hexdigest()
        assert size_bytes(recording) == path.stat().st_size


@pytest.fixture
def folder(recordings_dir, tmp_path):
    shutil.copytree(recordings_dir / "split_db3", tmp_path / "one", copy_function=shutil.copyfile)
    (tmp_path / "one").chmod(0o755)
    return tmp_path / "one"


def hash_of(path):
    with open_recording(path) as recording:
        return content_hash(recording)


def test_of_a_folder_names_sizes_and_bytes_go_in(folder):
    expected = blake3()
    for name in ["metadata.yaml", *(f"wbag_{n}.db3" for n in range(5))]:
        content = (folder / name).read_bytes()
        expected.update(name.encode() + b"\0" + len(content).to_bytes(8, "little") + content)
    assert hash_of(folder) == "blake3:" + expected.hexdigest()
    with open_recording(folder) as recording:
        assert size_bytes(recording) == sum(path.stat().st_size for path in folder.iterdir())


def test_a_folder_may_move_but_not_change(folder, tmp_path):
    before = hash_of(folder)
    moved = folder.rename(tmp_path / "elsewhere")
    (moved / "notes.txt").write_text("not part of the recording")
    assert hash_of(moved) == before
    (moved / "wbag_2.db3").write_bytes((moved / "wbag_3.db3").read_bytes())
    assert hash_of(moved) != before


def test_a_file_that_goes_away(folder):
    with open_recording(folder) as recording:
        (folder / "wbag_4.db3").unlink()
        with pytest.raises(RecordingError, match=r"wbag_4\.db3: it can no longer be read"):
            content_hash(recording)
        with pytest.raises(RecordingError, match=r"wbag_4\.db3: it can no longer be read"):
            size_bytes(recording)


def test_it_can_be_called_off(recordings_dir):
    stop = threading.Event()
    stop.set()
    with open_recording(recordings_dir / "realsense_d4xx.bag") as recording:
        assert content_hash(recording, stop=stop) != content_hash(recording)
