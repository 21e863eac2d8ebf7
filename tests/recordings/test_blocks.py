"""Blocks hold what `messages` gives one by one, channel by channel and without a gap, in every container."""

from __future__ import annotations

from pathlib import Path

import pytest

from bagmill.recordings import open_recording
from bagmill.recordings.blocks import one_by_one
from bagmill.recordings.records import Block
from bagmill.testing import SampleMessage, write_mcap, write_rosbag1, write_rosbag2

NUM = 600
STRING = "std_msgs/msg/String"


def _messages() -> list[SampleMessage]:
    """Three topics in an order that repeats nowhere, one of them silent at first; some 500 bytes each."""
    topics = ["/a" if n % 7 % 2 else "/b" if n % 11 % 3 else "/late" if n > 300 else "/a" for n in range(NUM)]
    return [
        SampleMessage(topic, STRING, {"data": f"{n} " + "x" * (500 + n % 5)}, log_ns=10**18 + n)
        for n, topic in enumerate(topics)
    ]


@pytest.fixture(params=["mcap", "mcap zstd", "bag", "bag lz4", "db3", "db3 zstd", "folder of mcap"])
def recorded(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    kind, path, messages = request.param, tmp_path / "recording", _messages()
    if kind.startswith("mcap"):
        compression = "zstd" if "zstd" in kind else "none"
        return write_mcap(path, messages, compression=compression, chunk_size_bytes=10_000)
    if kind.startswith("bag"):
        return write_rosbag1(path, messages, compression="lz4" if "lz4" in kind else "none")
    return write_rosbag2(
        path,
        messages,
        compression="zstd" if "zstd" in kind else "none",
        storage="mcap" if "mcap" in kind else "sqlite3",
    )


def _rows(block: Block) -> list[tuple[int, int, int, int, bytes]]:
    return [(*row[:4], bytes(row.data)) for row in one_by_one([block])]


def test_blocks_hold_every_message_in_order(recorded: Path) -> None:
    with open_recording(recorded) as recording:
        rows = [row for block in recording.blocks(num_threads=2) for row in _rows(block)]
        assert rows == [(*row[:4], bytes(row.data)) for row in recording.messages()]
        topics = [recording.channels[row[0]].topic for row in rows]
    assert topics == [message.topic for message in _messages()]
    assert [row[2] for row in rows] == [message.log_ns for message in _messages()]
    assert all(f"{n} x".encode() in row[4] for n, row in enumerate(rows))


def test_runs_of_a_channel_follow_each_other_without_a_gap(recorded: Path) -> None:
    with open_recording(recorded) as recording:
        counts: dict[int, int] = {}
        for block in recording.blocks():
            assert sorted(block.order) == sorted(id_ for id_, run in block.runs.items() for _ in run.payloads)
            for channel_id, run in block.runs.items():
                assert (run.channel_id, run.first_sequence) == (channel_id, counts.get(channel_id, 0))
                assert len(run.payloads) == len(run.log_times_ns) == len(run.publish_times_ns) > 0
                counts[channel_id] = run.first_sequence + len(run.payloads)
    assert sum(counts.values()) == NUM


def test_some_channels_have_the_sequences_that_they_have_among_all(recorded: Path) -> None:
    with open_recording(recorded) as recording:
        everything = [row for block in recording.blocks() for row in _rows(block)]
        chosen = [row for block in recording.blocks({2, 0}) for row in _rows(block)]
    assert chosen == [row for row in everything if row[0] in {0, 2}]
    assert 0 < len(chosen) < NUM


def test_large_messages_of_a_database_come_a_few_at_a_time(tmp_path: Path) -> None:
    messages = [SampleMessage("/a", STRING, {"data": "x" * 300_000}, log_ns=n) for n in range(20)]
    for compression in ("none", "zstd"):  # packed, all of them are smaller than one block
        path = write_rosbag2(tmp_path / compression, messages, compression=compression)
        with open_recording(path) as recording:
            sizes = [len(block.order) for block in recording.blocks()]
        assert sum(sizes) == 20
        assert max(sizes) <= 4
