"""Files that are damaged, empty, or not recordings at all."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

from bagmill.testing.containers import write_mcap
from bagmill.testing.messages import image_schema
from bagmill.testing.robot import (
    COMMANDS,
    DEFAULT,
    DEPTH,
    HIGH,
    STATE,
    WRIST,
    Settings,
    healthy,
    healthy_messages,
    write,
)

_CHUNK = 0x06


def truncated(path: Path, *, share: float = 0.6, settings: Settings = DEFAULT) -> Path:
    """The file ends in the middle of a chunk, without summary or index: the robot's power failed.

    Args:
        path: The MCAP file or ROS 1 bag to write.
        share: How much of the whole file's bytes is left.
        settings: Of the recording before it was cut.
    """
    whole = healthy(path, settings=settings).read_bytes()
    path.write_bytes(whole[: round(len(whole) * share)])
    return path


def with_bad_chunk_crc(path: Path, *, chunk: int = 1, settings: Settings = DEFAULT) -> Path:
    """The checksum of one MCAP chunk does not fit its bytes; the bytes themselves are whole."""
    if settings.container != "mcap":
        raise ValueError("only MCAP has checksums of chunks")
    content = bytearray(healthy(path, settings=settings).read_bytes())
    # A chunk: start time, end time, uncompressed size (u64 each), then the checksum (u32).
    crc_at = _chunk_offsets(content)[chunk] + 3 * 8
    content[crc_at : crc_at + 4] = bytes(byte ^ 0xFF for byte in content[crc_at : crc_at + 4])
    path.write_bytes(content)
    return path


def empty(path: Path, *, settings: Settings = DEFAULT) -> Path:
    """A whole MCAP file that names every channel and holds no message."""
    joints = "sensor_msgs/msg/JointState"
    topics = [
        (HIGH, image_schema(settings.high_encoding)),
        (WRIST, image_schema(settings.wrist_encoding)),
        (DEPTH, "sensor_msgs/msg/Image"),
        (STATE, joints),
        (COMMANDS, joints),
    ]
    return write_mcap(path, [], topics=topics)


def foreign_file(path: Path) -> Path:
    """Not a recording, whatever its name says: a text file."""
    path.write_text("time,shoulder,elbow,wrist\n0.00,0.1,-0.6,0.2\n0.01,0.1,-0.6,0.2\n" * 50, encoding="utf-8")
    return path


def with_message_at_time_zero(path: Path, *, settings: Settings = DEFAULT) -> Path:
    """The first message was logged at time 0, before the recorder knew the time: a duration of decades."""
    first, *others = healthy_messages(settings)
    return write(path, [replace(first, log_ns=0, publish_ns=0), *others], settings=settings)


def _chunk_offsets(content: bytes | bytearray) -> list[int]:
    """Where the contents of every chunk record begin."""
    offsets = []
    at = 8  # behind the magic; every record is an opcode (u8) and a length (u64)
    while at + 9 <= len(content) - 8:
        opcode, length = struct.unpack_from("<BQ", content, at)
        if opcode == _CHUNK:
            offsets.append(at + 9)
        at += 9 + length
    return offsets
