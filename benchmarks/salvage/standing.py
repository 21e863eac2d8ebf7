"""Which messages stand wholly before a cut, told without bagmill: by walking the formats, or by SQLite's account of its pages.

Of a compressed chunk within which the cut falls, those count that its compression's own library gives from the bytes before.
"""

from __future__ import annotations

import bz2
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import lz4.frame  # type: ignore[import-untyped]
import zstandard

Key = tuple[str, int, int, bytes]
"""Topic, log time, publish time, digest of the payload."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Compressed bytes of a file and the messages in them."""

    start: int
    end: int
    """Of the compressed bytes."""
    compression: str
    ends: list[int] = field(default_factory=list)
    """Where every message's record ends in the unpacked bytes."""


@dataclass(slots=True)
class Standing:
    """The messages of a whole recording in its own order, and what each needs of the file."""

    content: bytes
    messages: list[Key] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    """Their messages in order make up `messages`, where there are chunks."""
    needed: list[int] = field(default_factory=list)
    """Where there are none: for every message, the end of the last byte that it needs."""

    def before(self, cut: int) -> int:
        """How many messages stand wholly before a cut."""
        if not self.chunks:
            return sum(end <= cut for end in self.needed)
        count = 0
        for chunk in self.chunks:
            if chunk.end <= cut:
                count += len(chunk.ends)
            elif chunk.start < cut:
                unpacked = len(unpack(self.content[chunk.start : cut], chunk.compression))
                count += sum(end <= unpacked for end in chunk.ends)
        return count


def key(topic: str, log_ns: int, publish_ns: int, data: bytes) -> Key:
    """A message as it is compared."""
    return topic, log_ns, publish_ns, blake2b(data, digest_size=16).digest()


def unpack(data: bytes, compression: str) -> bytes:
    """What the beginning of a chunk's bytes gives."""
    match compression:
        case "zstd":
            return zstandard.ZstdDecompressor().decompressobj().decompress(data)
        case "lz4":
            return bytes(lz4.frame.LZ4FrameDecompressor().decompress(data))
        case "bz2":
            return bz2.BZ2Decompressor().decompress(data)
    return data


def standing_of(path: Path) -> Standing:
    """The account of an MCAP file, a ROS 1 bag or a rosbag2 database."""
    content = path.read_bytes()
    if content.startswith(b"\x89MCAP"):
        return _of_mcap(content)
    return _of_bag(content) if content.startswith(b"#ROSBAG") else _of_database(path, content)


def _of_mcap(content: bytes) -> Standing:
    found = Standing(content)
    topics: dict[int, str] = {}
    bare: list[int] = []
    for opcode, start, end in _mcap_records(content, 8):
        if opcode == 0x06:
            name_length = struct.unpack_from("<I", content, start + 28)[0]
            compression = content[start + 32 : start + 32 + name_length].decode()
            data_start = start + 32 + name_length + 8
            chunk = Chunk(data_start, end, compression)
            found.chunks.append(chunk)
            unpacked = unpack(content[data_start:end], compression)
            for inner, first, last in _mcap_records(unpacked, 0):
                if _mcap_record(unpacked, inner, first, last, topics=topics, messages=found.messages):
                    chunk.ends.append(last)
        elif _mcap_record(content, opcode, start, end, topics=topics, messages=found.messages):
            bare.append(end)
        if opcode == 0x0F:
            break
    assert not (bare and found.chunks), "messages in chunks, or outside of them"
    found.needed = bare
    return found


def _mcap_records(content: bytes, position: int) -> Iterator[tuple[int, int, int]]:
    while position + 9 <= len(content):
        opcode, length = struct.unpack_from("<BQ", content, position)
        yield opcode, position + 9, position + 9 + length
        position += 9 + length


def _mcap_record(
    content: bytes, opcode: int, start: int, end: int, *, topics: dict[int, str], messages: list[Key]
) -> bool:
    if opcode == 0x04:
        channel, _, length = struct.unpack_from("<HHI", content, start)
        topics[channel] = content[start + 8 : start + 8 + length].decode()
    if opcode != 0x05:
        return False
    channel, _, log_ns, publish_ns = struct.unpack_from("<HIQQ", content, start)
    messages.append(key(topics[channel], log_ns, publish_ns, content[start + 22 : end]))
    return True


def _of_bag(content: bytes) -> Standing:
    found = Standing(content)
    topics: dict[bytes, str] = {}
    for header, start, end in _bag_records(content, 13):
        if header[b"op"] != b"\x05":
            continue
        chunk = Chunk(start, end, header[b"compression"].decode())
        found.chunks.append(chunk)
        unpacked = unpack(content[start:end], chunk.compression)
        for inner, first, last in _bag_records(unpacked, 0):
            if inner[b"op"] == b"\x07":
                topics[inner[b"conn"]] = inner[b"topic"].decode()
            elif inner[b"op"] == b"\x02":
                seconds, nanoseconds = struct.unpack("<II", inner[b"time"])
                stamp_ns = seconds * 1_000_000_000 + nanoseconds
                found.messages.append(key(topics[inner[b"conn"]], stamp_ns, stamp_ns, unpacked[first:last]))
                chunk.ends.append(last)
    return found


def _bag_records(content: bytes, position: int) -> Iterator[tuple[dict[bytes, bytes], int, int]]:
    while position + 4 <= len(content):
        length = struct.unpack_from("<I", content, position)[0]
        header, at, end = {}, position + 4, position + 4 + length
        while at < end:
            field_length = struct.unpack_from("<I", content, at)[0]
            name, _, value = content[at + 4 : at + 4 + field_length].partition(b"=")
            header[name] = value
            at += 4 + field_length
        data_length = struct.unpack_from("<I", content, end)[0]
        yield header, end + 4, end + 4 + data_length
        position = end + 4 + data_length


def _of_database(path: Path, content: bytes) -> Standing:
    found = Standing(content)
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        rows = database.execute(
            "SELECT name, timestamp, data FROM messages JOIN topics ON topics.id = topic_id ORDER BY messages.id"
        )
        found.messages = [key(topic, stamp_ns, stamp_ns, data) for topic, stamp_ns, data in rows]
        (page_bytes,) = database.execute("PRAGMA page_size").fetchone()
        pages = database.execute(
            "SELECT path, pagetype, pageno, ncell FROM dbstat WHERE name = 'messages' ORDER BY path"
        ).fetchall()
    # A leaf's cells are rows in order; what a row has on other pages is filed under the leaf's path and the cell's number.
    overflow: dict[str, int] = {}
    for where, kind, number, _ in pages:
        if kind == "overflow":
            cell = where.partition("+")[0]
            overflow[cell] = max(overflow.get(cell, 0), number)
    for where, kind, number, num_cells in pages:
        if kind == "leaf":
            cells = (f"{where}{cell:03x}" for cell in range(num_cells))
            found.needed += [max(number, overflow.get(cell, 0)) * page_bytes for cell in cells]
    assert len(found.needed) == len(found.messages), "SQLite counts as many cells as rows"
    return found
