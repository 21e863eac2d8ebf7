"""ROS 1 bags that are cut or torn."""

from __future__ import annotations

import random
import struct
from pathlib import Path
from typing import Any

import pytest
from rosbags.rosbag1 import Writer

from bagmill.recordings import open_recording
from bagmill.testing import Settings, healthy_messages
from bagmill.testing.containers import _ROSBAG1, Compression
from bagmill.testing.messages import serialise, typestore

Row = tuple[str, int, int, bytes]


def _bag(path: Path, compression: Compression) -> list[Row]:
    """A bag of small chunks."""
    writer = Writer(path)
    writer.chunk_threshold = 20_000
    if (kind := _ROSBAG1[compression]) is not None:
        writer.set_compression(kind)
    connections: dict[str, Any] = {}
    rows = []
    with writer:
        for message in healthy_messages(Settings(num_frames=12)):
            if message.topic not in connections:
                connections[message.topic] = writer.add_connection(
                    message.topic, message.schema_name, typestore=typestore("ros1")
                )
            data = serialise(message, dialect="ros1")
            writer.write(connections[message.topic], message.log_ns, data)
            rows.append((message.topic, message.log_ns, message.log_ns, data))
    return rows


def chunks_of(content: bytes) -> list[tuple[int, int, int]]:
    """Every chunk record: its start, where its data starts, its end."""
    found, at = [], 13
    while at + 8 <= len(content):
        header = struct.unpack_from("<I", content, at)[0]
        data = at + 4 + header + 4
        end = data + struct.unpack_from("<I", content, data - 4)[0]
        if b"op=\x05" in content[at:data]:
            found.append((at, data, end))
        at = end
    return found


@pytest.mark.parametrize("compression", ["none", "lz4", "bz2"])
def test_a_torn_bag_without_index_is_read_on_at_the_next_chunk(
    tmp_path: Path, salvage: Any, compression: Compression
) -> None:
    path = tmp_path / "torn.bag"
    rows = _bag(path, compression)
    content = bytearray(path.read_bytes())
    chunks = chunks_of(content)
    assert len(chunks) > 6
    del content[chunks[-1][0] :]
    content[chunks[3][0] : chunks[3][0] + 30] = random.Random(1).randbytes(30)
    path.write_bytes(content)
    with open_recording(path) as recording:
        num_default = sum(1 for _ in recording.messages())

    found = salvage(path)

    assert num_default < len(found.rows)
    assert [row for row in rows if row in found.rows] == found.rows
    assert {"record_damaged", "truncated"} <= set(found.codes)
    assert found.losses.num_messages is None
    gap = next(loss for loss in found.losses.entries if loss.kind == "record_damaged" and loss.channel is None)
    assert gap.seconds is not None
    assert 0 < gap.seconds < 0.5


def test_a_damaged_chunk_of_a_bag_with_an_index_is_counted_exactly(tmp_path: Path, salvage: Any) -> None:
    path = tmp_path / "bad.bag"
    rows = _bag(path, "bz2")
    content = bytearray(path.read_bytes())
    _, start, end = chunks_of(content)[3]
    content[start + 20 : end] = random.Random(2).randbytes(end - start - 20)
    path.write_bytes(content)

    found = salvage(path)

    lost = [row for row in rows if row not in found.rows]
    assert found.rows == [row for row in rows if row not in lost]
    assert found.losses.num_messages == len(lost) > 0
    by_topic = {loss.channel: loss.num_messages for loss in found.losses.entries}
    assert by_topic == {topic: sum(row[0] == topic for row in lost) for topic in {row[0] for row in lost}}
    assert found.losses.seconds == pytest.approx((max(row[1] for row in lost) - min(row[1] for row in lost)) / 1e9)


def test_the_indexes_behind_a_lost_chunk_count_it_where_there_is_no_other(tmp_path: Path, salvage: Any) -> None:
    path = tmp_path / "bad.bag"
    rows = _bag(path, "bz2")
    content = bytearray(path.read_bytes())
    chunks = chunks_of(content)
    _, start, end = chunks[3]
    content[start + 20 : end] = random.Random(2).randbytes(end - start - 20)
    del content[chunks[-1][0] :]
    path.write_bytes(content)

    found = salvage(path)

    counted = {loss.channel: loss.num_messages for loss in found.losses.entries if loss.kind == "chunk_damaged"}
    until = max(row[1] for row in found.rows)
    lost = [row for row in rows if row not in found.rows and row[1] < until]
    assert counted == {topic: sum(row[0] == topic for row in lost) for topic in {row[0] for row in lost}}


@pytest.mark.parametrize("compression", ["none", "lz4", "bz2"])
def test_the_beginning_of_a_cut_chunk_is_read(tmp_path: Path, salvage: Any, compression: Compression) -> None:
    path = tmp_path / "cut.bag"
    rows = _bag(path, compression)
    content = path.read_bytes()
    _, _start, end = chunks_of(content)[4]
    path.write_bytes(content[: end - 1])

    found = salvage(path)

    assert found.rows == rows[: len(found.rows)]
    assert "truncated" in found.codes
