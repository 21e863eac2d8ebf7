"""Damaged copies of every container: messages and named losses, or a RecordingError; never another error, never silence."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from bagmill.errors import RecordingError
from bagmill.recordings import open_recording
from bagmill.testing import Settings, healthy
from benchmarks.salvage.__main__ import num_in_order
from benchmarks.salvage.standing import key, standing_of

_NUM_COPIES = 40


def _damaged(content: bytes, seed: int) -> Iterator[tuple[str, bytes]]:
    choice = random.Random(seed)
    for n in range(_NUM_COPIES):
        copy = bytearray(content)
        at = choice.randrange(1, len(copy))
        length = min(choice.choice([1, 9, 64, 4096, 40_000]), len(copy) - at)
        kind = ("cut", "garbage", "zeros", "missing", "added", "zeros to the end")[n % 6]
        match kind:
            case "cut":
                del copy[at:]
            case "garbage":
                copy[at : at + length] = choice.randbytes(length)
            case "zeros":
                copy[at : at + length] = bytes(length)
            case "missing":
                del copy[at : at + length]
            case "added":
                copy[at:at] = choice.randbytes(length)
            case _:
                copy[at:] = bytes(len(copy) - at)
        yield kind, bytes(copy)


@pytest.mark.parametrize(
    ("container", "compression"),
    [("mcap", "none"), ("mcap", "zstd"), ("mcap", "lz4"), ("rosbag1", "none"), ("rosbag1", "lz4"), ("rosbag1", "bz2"),
     ("rosbag2", "none")],
)  # fmt: skip
def test_damage_gives_messages_and_losses_or_is_refused(tmp_path: Path, container: str, compression: str) -> None:
    suffix = {"mcap": ".mcap", "rosbag1": ".bag", "rosbag2": ""}[container]
    settings = Settings(container=container, compression=compression, num_frames=10)  # type: ignore[arg-type]
    source = healthy(tmp_path / f"source{suffix}", settings=settings)
    source = next(source.glob("*.db3")) if source.is_dir() else source
    recorded = standing_of(source).messages
    content = source.read_bytes()
    copy = tmp_path / f"copy{source.suffix}"
    num_read = 0
    for place, (kind, damaged) in enumerate(_damaged(content, seed=11)):
        copy.write_bytes(damaged)
        try:
            with open_recording(copy, salvage=True) as recording:
                found = [
                    key(recording.channels[m.channel_id].topic, m.log_time_ns, m.publish_time_ns, bytes(m.data))
                    for m in recording.messages()
                ]
        except RecordingError:
            continue
        num_read += 1
        where = f"copy {place}: {kind}"
        is_told = bool(recording.losses) or any(fault.severity == "error" for fault in recording.faults)
        assert is_told or len(found) == len(recorded), where
        # Bags and databases have no checksums: there, damage inside a payload cannot be told.
        if container == "mcap" or kind in {"cut", "zeros to the end"}:
            assert num_in_order(found, recorded) == len(found), where
    assert num_read > _NUM_COPIES / 2
