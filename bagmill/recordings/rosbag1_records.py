"""The records of a ROS 1 bag, version 2.0: a header of named fields, then data.

Source: http://wiki.ros.org/Bags/Format/2.0
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from bagmill.limits import limits
from bagmill.recordings.fields import DamagedRecordError, Fields
from bagmill.recordings.file_window import FileWindow

MAGIC = b"#ROSBAG V2.0\n"
_MOST_HEADER_BYTES = 64 * 1024
"""Of a record's header: a few numbers and a topic."""
_MOST_FIELDS = 64
"""Of a header: the format knows seven, of a connection six."""
U32 = struct.Struct("<I")
U64 = struct.Struct("<Q")


class Op(IntEnum):
    """What a record is."""

    MESSAGE = 2
    BAG_HEADER = 3
    INDEX_DATA = 4
    CHUNK = 5
    CHUNK_INFO = 6
    CONNECTION = 7


class Record(NamedTuple):
    """One record's place: headers are small, data is read only by who wants it."""

    header: Mapping[bytes, bytes]
    data_start: int
    data_length: int

    @property
    def end(self) -> int:
        """Offset of what follows."""
        return self.data_start + self.data_length

    @property
    def op(self) -> int:
        """As in `Op`; -1 where the header does not tell."""
        value = self.header.get(b"op", b"")
        return value[0] if len(value) == 1 else -1


class BagHeader(NamedTuple):
    """The first record: where the index stands."""

    index_pos: int
    num_connections: int
    num_chunks: int
    encryptor: str


class ConnectionRecord(NamedTuple):
    """A topic's publisher."""

    id: int
    topic: str
    message_type: str
    definition: bytes
    metadata: Mapping[str, str]


class ChunkInfo(NamedTuple):
    """What the index says of a chunk."""

    offset: int
    counts: Mapping[int, int]
    """Messages by connection id."""
    start_ns: int | None = None
    """Earliest log time of its messages; None where it is not told."""
    end_ns: int | None = None


def parse_header(data: memoryview, *, most_bytes: int = _MOST_HEADER_BYTES) -> dict[bytes, bytes]:
    """A record header's fields by name.

    Raises:
        DamagedRecordError: A field runs past the header, or has no name, or there is more than any header has.
    """
    if len(data) > most_bytes:
        raise DamagedRecordError(f"a header of {len(data)} bytes is more than any record has")
    content = bytes(data)
    fields: dict[bytes, bytes] = {}
    position, size, num_fields = 0, len(content), 0
    while position < size:
        num_fields += 1
        if position + 4 > size:
            raise DamagedRecordError("a header field's length runs past the header")
        start = position + 4
        position = start + U32.unpack_from(content, position)[0]
        equals = content.find(b"=", start, position)
        if position > size or equals < 0:
            raise DamagedRecordError("a header field runs past the header or has no name")
        fields[content[start:equals]] = content[equals + 1 : position]
        if num_fields > _MOST_FIELDS:
            raise DamagedRecordError(f"a header of more than {_MOST_FIELDS} fields is more than any record has")
    return fields


def read_record(window: FileWindow, offset: int, *, is_cut: bool = False) -> Record:
    """The record at an offset of a file, its data not yet read.

    Args:
        window: The file.
        offset: Of the record.
        is_cut: Give a record within whose data the file ends, with the data that there is.

    Raises:
        EOFError: It runs past the end of the file.
        DamagedRecordError: Its header is not one.
    """
    header_length = U32.unpack(window.view(offset, 4))[0]
    if offset + 8 + header_length > window.size_bytes:
        raise EOFError
    if header_length > _MOST_HEADER_BYTES:
        raise DamagedRecordError(f"a header of {header_length} bytes is more than any record has")
    header = parse_header(window.view(offset + 4, header_length))
    data_start = offset + 4 + header_length + 4
    data_length = U32.unpack(window.view(data_start - 4, 4))[0]
    if data_start + data_length > window.size_bytes:
        if not is_cut:
            raise EOFError
        data_length = window.size_bytes - data_start
    return Record(header, data_start, data_length)


def number(header: Mapping[bytes, bytes], name: bytes, layout: struct.Struct = U32) -> int:
    """A header field that is a number.

    Raises:
        DamagedRecordError: It is missing or has another width.
    """
    try:
        value: int = layout.unpack(header[name])[0]
    except (KeyError, struct.error) as err:
        raise DamagedRecordError(f"the header field {name.decode(errors='replace')} is missing or damaged") from err
    return value


def text(header: Mapping[bytes, bytes], name: bytes) -> str:
    """A header field that is UTF-8.

    Raises:
        DamagedRecordError: It is missing or not UTF-8.
    """
    try:
        return header[name].decode()
    except (KeyError, UnicodeDecodeError) as err:
        raise DamagedRecordError(f"the header field {name.decode(errors='replace')} is missing or damaged") from err


def time_ns(header: Mapping[bytes, bytes], name: bytes = b"time") -> int:
    """A time in nanoseconds: seconds in the low half of the field, nanoseconds in the high one.

    Raises:
        DamagedRecordError: It is missing or has another width.
    """
    value = number(header, name, U64)
    return (value & 0xFFFFFFFF) * 1_000_000_000 + (value >> 32)


def parse_bag_header(header: Mapping[bytes, bytes]) -> BagHeader:
    """Bag header record."""
    return BagHeader(
        index_pos=number(header, b"index_pos", U64),
        num_connections=number(header, b"conn_count"),
        num_chunks=number(header, b"chunk_count"),
        encryptor=text(header, b"encryptor") if header.get(b"encryptor") else "",
    )


def parse_connection(header: Mapping[bytes, bytes], data: memoryview) -> ConnectionRecord:
    """Connection record: its data is a header of its own.

    Raises:
        DamagedRecordError: A field is missing or damaged.
        LimitError: It says more of itself than any recording may.
    """
    table = limits()
    most_bytes = table.schema_bytes + table.channel_bytes
    if len(data) > most_bytes:
        table.check("schema_bytes", len(data), what="the size of a connection's definition")
    inner = parse_header(data, most_bytes=most_bytes)
    return ConnectionRecord(
        id=number(header, b"conn"),
        topic=text(header, b"topic"),
        message_type=text(inner, b"type"),
        definition=inner.get(b"message_definition", b""),
        metadata={
            name: inner[name.encode()].decode(errors="replace")
            for name in ("md5sum", "callerid", "latching")
            if name.encode() in inner
        },
    )


def parse_chunk_info(header: Mapping[bytes, bytes], data: memoryview) -> ChunkInfo:
    """Chunk info record, version 1."""
    if (version := number(header, b"ver")) != 1:
        raise DamagedRecordError(f"a chunk info is of version {version}")
    fields = Fields(data)
    counts = {fields.u32(): fields.u32() for _ in range(number(header, b"count"))}
    return ChunkInfo(
        number(header, b"chunk_pos", U64),
        counts,
        _time_or_none(header, b"start_time"),
        _time_or_none(header, b"end_time"),
    )


def count_of_index(header: Mapping[bytes, bytes]) -> tuple[int, int]:
    """Index data record: connection id, and how many of its messages the chunk before it holds.

    Zero for a record that is damaged: it is asked for what is lost, nothing else.
    """
    try:
        return number(header, b"conn"), number(header, b"count")
    except DamagedRecordError:
        return 0, 0


def _time_or_none(header: Mapping[bytes, bytes], name: bytes) -> int | None:
    try:
        return time_ns(header, name)
    except DamagedRecordError:
        return None
