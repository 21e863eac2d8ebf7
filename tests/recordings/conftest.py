"""Recordings built with the stock writers, and what the stock readers make of them."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mcap.stream_reader import StreamReader
from mcap.writer import CompressionType, Writer

from bagmill.errors import RecordingError
from bagmill.recordings import open_recording

Row = tuple[str, int, int, bytes]
"""Topic, log time, publish time, payload."""


@pytest.fixture(scope="session")
def build_mcap() -> Callable[..., bytes]:
    """A small MCAP of three channels in several chunks; channel /b comes from two publishers."""

    def build(*, num_messages: int = 40, payload_bytes: int = 60, chunk_size: int = 512, **options: object) -> bytes:
        options.setdefault("compression", CompressionType.ZSTD)
        buffer = io.BytesIO()
        writer = Writer(buffer, chunk_size=chunk_size, **options)  # type: ignore[arg-type]
        writer.start("bagmill-test", "tests")
        image = writer.register_schema("sensor_msgs/Image", "ros2msg", b"uint32 height")
        point = writer.register_schema("demo.Point", "jsonschema", b"{}")
        first = writer.register_channel("/a", "cdr", image, {"qos": "x"})
        second = writer.register_channel("/b", "json", point)
        third = writer.register_channel("/b", "json", point, {"publisher": "two"})
        bare = writer.register_channel("bare", "raw", 0)
        writer.add_metadata("about", {"robot": "none"})
        writer.add_attachment(1, 2, "note.txt", "text/plain", b"attached")
        channels = [first, second, third, bare]
        random_bytes = random.Random(7)
        for n in range(num_messages):
            payload = n.to_bytes(2, "little") + random_bytes.randbytes(payload_bytes // 2).ljust(
                payload_bytes - 2, b"z"
            )
            writer.add_message(channels[n % 4], 10**18 + n * 1000, payload, 10**18 + n * 1000 - 7, sequence=999)
        writer.finish()
        return buffer.getvalue()

    return build


@pytest.fixture(scope="session")
def stock_mcap_rows() -> Callable[[bytes | Path], list[Row]]:
    """Messages of an MCAP by the official reader, front to back, without its index."""

    def read(source: bytes | Path) -> list[Row]:
        content = source if isinstance(source, bytes) else source.read_bytes()
        topics: dict[int, str] = {}
        rows: list[Row] = []
        for record in StreamReader(io.BytesIO(content)).records:
            kind = type(record).__name__
            if kind == "Channel":
                topics[record.id] = record.topic
            elif kind == "Message":
                rows.append((topics[record.channel_id], record.log_time, record.publish_time, record.data))
        return rows

    return read


@pytest.fixture(scope="session")
def rows_of() -> Callable[..., tuple[list[Row], list[str]]]:
    """Rows and fault codes of a recording by bagmill, with what must hold of every recording checked on the way."""

    def read(path: Path) -> tuple[list[Row], list[str]]:
        rows: list[Row] = []
        counts: dict[int, int] = {}
        with open_recording(path) as recording:
            for message in recording.messages():
                channel = recording.channels[message.channel_id]
                assert channel.id == message.channel_id
                assert message.sequence == counts.get(channel.id, 0)
                counts[channel.id] = message.sequence + 1
                rows.append((channel.topic, message.log_time_ns, message.publish_time_ns, bytes(message.data)))
            return rows, [fault.code for fault in recording.faults]

    return read


@pytest.fixture(scope="session")
def damaged_copies() -> Callable[..., Iterator[tuple[str, bytes]]]:
    """Copies of some bytes, each damaged once: a bit flipped, the end cut off, or a block zeroed."""

    def damage(content: bytes, *, count: int, seed: int, start: int = 0) -> Iterator[tuple[str, bytes]]:
        choice = random.Random(seed)
        for n in range(count):
            copy = bytearray(content)
            position = choice.randrange(start, len(copy))
            match n % 3:
                case 0:
                    bit = choice.randrange(8)
                    copy[position] ^= 1 << bit
                    yield f"bit {bit} of byte {position} flipped", bytes(copy)
                case 1:
                    yield f"cut at byte {position}", bytes(copy[:position])
                case _:
                    length = choice.choice([8, 64, 512])
                    copy[position : position + length] = bytes(len(copy[position : position + length]))
                    yield f"{length} bytes zeroed at byte {position}", bytes(copy)

    return damage


@pytest.fixture(scope="session")
def read_or_refuse(
    rows_of: Callable[..., tuple[list[Row], list[str]]],
) -> Callable[[Path], tuple[list[Row], list[str]] | None]:
    """Rows and faults, or None where the recording is refused; nothing else may happen."""

    def read(path: Path) -> tuple[list[Row], list[str]] | None:
        try:
            return rows_of(path)
        except RecordingError:
            return None

    return read
