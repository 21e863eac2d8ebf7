"""A recording's identity follows its bytes, not its place."""

from __future__ import annotations

import shutil
import threading
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xxhash import xxh3_128

from bagmill.errors import RecordingError
from bagmill.recordings import open_recording
from bagmill.streams import scan
from bagmill.streams.content_hash import Hearsay, content_hash, size_bytes


def test_of_a_file_it_is_the_plain_hash(recordings_dir):
    path = recordings_dir / "realsense_d4xx.bag"
    with open_recording(path) as recording:
        assert content_hash(recording) == "xxh3_128:" + xxh3_128(path.read_bytes()).hexdigest()
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
    expected = xxh3_128()
    for name in ["metadata.yaml", *(f"wbag_{n}.db3" for n in range(5))]:
        content = (folder / name).read_bytes()
        expected.update(name.encode() + b"\0" + len(content).to_bytes(8, "little") + content)
    assert hash_of(folder) == "xxh3_128:" + expected.hexdigest()
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


@pytest.fixture(scope="module")
def large_file(tmp_path_factory):
    """No recording, but of a name that one could have: 3 MB."""
    path = tmp_path_factory.mktemp("hash") / "large.mcap"
    path.write_bytes(b"\x89MCAP0\r\n" + np.random.default_rng(3).bytes(3_000_000))
    return path


@given(cuts=st.lists(st.integers(0, 3_000_008), max_size=12), heard_bits=st.integers(0, 2**12 - 1))
def test_what_was_heard_makes_no_difference(large_file, cuts, heard_bits):
    content = memoryview(large_file.read_bytes())
    edges = sorted(cuts)
    pieces = [(start, content[start:end]) for n, (start, end) in enumerate(pairwise(edges)) if heard_bits >> n & 1]
    with open_recording(large_file) as recording:
        assert content_hash(recording, heard=pieces) == "xxh3_128:" + xxh3_128(content).hexdigest()


@pytest.mark.parametrize(
    "name", ["realsense_d4xx.bag", "nav2_turtlebot.mcap", "slam_poses.bag", "split_db3/wbag_0.db3", "two_strings.bag"]
)
@pytest.mark.parametrize("num_threads", [1, 3])
def test_a_scan_hashes_what_stands_in_the_file(recordings_dir, name, num_threads):
    path = recordings_dir / name
    expected = "xxh3_128:" + xxh3_128(path.read_bytes()).hexdigest()
    assert scan(path, num_threads=num_threads).content_hash == expected
    with open_recording(path) as recording:
        list(recording.messages())
        assert scan(recording, num_threads=num_threads).content_hash == expected


def test_a_scan_of_damaged_copies_hashes_what_stands_in_the_file(recordings_dir, tmp_path):
    choice = np.random.default_rng(11)
    content = (recordings_dir / "message_zoo_mcap" / "test_bag_mcap.mcap").read_bytes()
    for _ in range(60):
        damaged = bytearray(content)
        damaged[choice.integers(8, len(damaged))] ^= 1 << choice.integers(8)
        (path := tmp_path / "damaged.mcap").write_bytes(damaged)
        assert scan(path).content_hash == "xxh3_128:" + xxh3_128(damaged).hexdigest()


def test_whoever_reads_need_not_wait_for_a_hash_that_failed():
    hearsay = Hearsay()
    pieces = iter(hearsay)
    hearsay.tell(0, memoryview(b"a"))
    assert next(pieces) == (0, memoryview(b"a"))
    hearsay.close()
    for offset in range(100):
        hearsay.tell(offset, memoryview(b"b"))
    assert list(pieces) == []
