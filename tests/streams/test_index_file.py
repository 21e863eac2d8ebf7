"""The index as a file: equal after a round trip, whole or refused, never half written."""

from __future__ import annotations

import dataclasses
import os
import random

import numpy as np
import pytest

from bagmill.errors import StorageError
from bagmill.messages.content import ChannelContent
from bagmill.recordings import Channel, Fault
from bagmill.streams import NO_STAMP, RecordingIndex, Stream, load_index, save_index

COLUMNS = ("log_time_ns", "publish_time_ns", "header_time_ns", "size_bytes")


def stream(number: int, *, num_messages: int, content: ChannelContent, schema_data: bytes = b"") -> Stream:
    random_stamps = np.random.default_rng(number).integers(-(2**62), 2**63 - 1, (4, num_messages), dtype=np.int64)
    random_stamps[2, : num_messages // 2] = NO_STAMP
    channel = Channel(
        id=number,
        topic=f"/topic \u00e9 {number}",
        schema_name="a/msg/B",
        schema_encoding="ros2msg",
        schema_data=schema_data,
        message_encoding="cdr",
        metadata={"qos": "x: 1\n"},
    )
    return Stream(channel, content, *random_stamps)


@pytest.fixture
def index() -> RecordingIndex:
    return RecordingIndex(
        path="/data/caf\udce9.mcap",
        container="mcap",
        content_hash="xxh3_128:" + "0f" * 16,
        size_bytes=123,
        streams=(
            stream(
                0, num_messages=50, content=ChannelContent("image", "rgb8", 480, 640), schema_data=bytes(range(256))
            ),
            stream(1, num_messages=0, content=ChannelContent("none")),
            stream(
                2,
                num_messages=7,
                content=ChannelContent.of_numbers(
                    {"position": [0.0] * 14, "name": ["a", "b"]}, types={"position": "float64[]"}
                ),
                schema_data=b"float64 x",
            ),
            stream(3, num_messages=1, content=ChannelContent("none", problem="It is broken.")),
        ),
        faults=(Fault("truncated", "The file breaks off."), Fault("missing_split", "One is gone.", "warning")),
    )


def assert_equal(found: RecordingIndex, expected: RecordingIndex) -> None:
    for name in ("path", "container", "content_hash", "size_bytes", "faults"):
        assert getattr(found, name) == getattr(expected, name)
    assert len(found.streams) == len(expected.streams)
    for a, b in zip(found.streams, expected.streams, strict=True):
        assert a.channel == b.channel
        assert a.content == b.content
        assert a.contents == b.contents
        np.testing.assert_array_equal(a.form, b.form)
        for column in COLUMNS:
            assert getattr(a, column).dtype == np.int64
            np.testing.assert_array_equal(getattr(a, column), getattr(b, column))


def test_a_round_trip_is_exact(index, tmp_path):
    save_index(index, tmp_path / "a.npz")
    assert_equal(load_index(str(tmp_path / "a.npz")), index)
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_an_empty_index(tmp_path):
    empty = RecordingIndex("a.bag", "rosbag1", "xxh3_128:" + "0" * 32, 0, (), ())
    save_index(empty, tmp_path / "a.npz")
    assert_equal(load_index(tmp_path / "a.npz"), empty)


def test_a_missing_folder_is_made(index, tmp_path):
    save_index(index, tmp_path / "new" / "er" / "a.npz")
    assert_equal(load_index(tmp_path / "new" / "er" / "a.npz"), index)


def test_stock_numpy_opens_it(index, tmp_path):
    save_index(index, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as arrays:
        np.testing.assert_array_equal(
            arrays["log_time_ns"], np.concatenate([stream.log_time_ns for stream in index.streams])
        )
        assert arrays["schemas"].tobytes() == bytes(range(256)) + b"float64 x"


def test_the_same_index_gives_the_same_bytes(index, tmp_path):
    save_index(index, tmp_path / "a.npz")
    save_index(load_index(tmp_path / "a.npz"), tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(index, tmp_path):
    save_index(index, tmp_path / "a.npz")
    before = (tmp_path / "a.npz").read_bytes()
    with pytest.raises(StorageError, match="cannot be written"):
        save_index(index, tmp_path / "a.npz" / "b.npz")
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(StorageError, match="cannot be written"):
        save_index(index, tmp_path / "folder.npz")
    assert (tmp_path / "a.npz").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"a.npz", "folder.npz"}


def test_a_missing_file(tmp_path):
    with pytest.raises(StorageError, match=r"there is no such index\. Scan the recording again\."):
        load_index(tmp_path / "a.npz")


def test_damage_is_refused_or_harmless(index, tmp_path):
    save_index(index, tmp_path / "a.npz")
    content = (tmp_path / "a.npz").read_bytes()
    choice = random.Random(4)
    path = tmp_path / "b.npz"
    num_refused = 0
    for n in range(400):
        changed = bytearray(content)
        position = choice.randrange(len(content))
        if n % 2:
            changed[position] ^= 1 << choice.randrange(8)
        else:
            del changed[position:]
        path.write_bytes(changed)
        try:
            loaded = load_index(path)
        except StorageError:
            num_refused += 1
        else:
            assert_equal(loaded, index)  # the bit is one that a ZIP archive does not use
    assert num_refused > 350


def test_other_archives_are_refused(index, tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, description=np.frombuffer(b'{"format": "bagmill index 99"}', np.uint8))
    with pytest.raises(StorageError, match="'bagmill index 99', not 'bagmill index 2'"):
        load_index(path)
    np.savez(path, description=np.array([{"a": 1}], dtype=object))
    with pytest.raises(StorageError, match="damaged"):
        load_index(path)
    path.write_bytes(b"not an archive")
    with pytest.raises(StorageError, match="damaged"):
        load_index(path)


def test_a_pipe_or_a_bomb_in_its_place_is_refused(index, tmp_path):
    path = tmp_path / "index.npz"
    os.mkfifo(path)
    with pytest.raises(StorageError, match="named pipe"):
        load_index(path)
    path.unlink()
    np.savez_compressed(path, description=np.zeros(50_000_000, np.uint8))
    with pytest.raises(StorageError, match="compressed"):
        load_index(path)
    path.write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(StorageError, match="damaged"):
        load_index(path)


def test_faults_in_place_of_others_come_back_with_their_number(index, tmp_path):
    several = dataclasses.replace(index, faults=(Fault("odd", "There are 7 more.", "error", 7),))
    save_index(several, tmp_path / "index.npz")
    assert load_index(tmp_path / "index.npz").faults == several.faults
