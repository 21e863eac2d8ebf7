"""MCAP's records: their bytes as named fields, bounds-checked.

Source: MCAP format specification, section Records. Bytes behind a record's last known field are padding, to be ignored.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from zlib_ng.zlib_ng import crc32

from bagmill.limits import limits
from bagmill.recordings.fields import DamagedRecordError, Fields

MAGIC = b"\x89MCAP0\r\n"
RECORD = struct.Struct("<BQ")
"""What stands before every record: opcode and length of what follows."""
MESSAGE = struct.Struct("<HIqq")
"""Channel id, sequence, log time, publish time; the payload follows. Times are unsigned in the specification: read as
signed, one after the year 2262, which only damage makes, turns negative instead of overflowing an int64 array later."""
COMPRESSIONS = frozenset({"", "lz4", "zstd"})


class Opcode(IntEnum):
    """Records that are looked at; others are skipped by their length."""

    INVALID = 0x00
    HEADER = 0x01
    FOOTER = 0x02
    SCHEMA = 0x03
    CHANNEL = 0x04
    MESSAGE = 0x05
    CHUNK = 0x06
    MESSAGE_INDEX = 0x07
    CHUNK_INDEX = 0x08
    ATTACHMENT = 0x09
    STATISTICS = 0x0B
    METADATA = 0x0C
    DATA_END = 0x0F


class SchemaRecord(NamedTuple):
    """A message definition."""

    id: int
    name: str
    encoding: str
    data: bytes


class ChannelRecord(NamedTuple):
    """A topic's publisher."""

    id: int
    schema_id: int
    topic: str
    message_encoding: str
    metadata: Mapping[str, str]


class ChunkRecord(NamedTuple):
    """Compressed records, still packed."""

    uncompressed_size: int
    uncompressed_crc: int
    """0 where the writer left it out."""
    compression: str
    data: memoryview


class AttachmentRecord(NamedTuple):
    """A file beside the messages."""

    log_time_ns: int
    create_time_ns: int
    name: str
    media_type: str
    data: memoryview


class MetadataRecord(NamedTuple):
    """Named pairs of texts about the recording."""

    name: str
    content: Mapping[str, str]


class StatisticsRecord(NamedTuple):
    """What the writer counted."""

    message_count: int
    channel_message_counts: Mapping[int, int]


class FooterRecord(NamedTuple):
    """Where the summary stands."""

    summary_start: int
    summary_crc: int


def parse_schema(data: memoryview) -> SchemaRecord:
    """Schema record (opcode 0x03).

    Raises:
        LimitError: It is longer than any schema may be.
    """
    fields = Fields(data)
    limits().check("schema_bytes", len(data), what="the size of a schema")
    return SchemaRecord(id=fields.u16(), name=fields.text(), encoding=fields.text(), data=fields.data())


def parse_channel(data: memoryview) -> ChannelRecord:
    """Channel record (opcode 0x04).

    Raises:
        LimitError: It says more of itself than any recording may.
    """
    fields = Fields(data)
    limits().check("channel_bytes", len(data), what="the size of what a channel says of itself")
    channel_id, schema_id, topic, message_encoding = fields.u16(), fields.u16(), fields.text(), fields.text()
    return ChannelRecord(
        id=channel_id,
        schema_id=schema_id,
        topic=topic,
        message_encoding=message_encoding,
        metadata={entry.text(): entry.text() for entry in fields.entries()},
    )


def parse_chunk(data: memoryview) -> ChunkRecord:
    """Chunk record (opcode 0x06)."""
    fields = Fields(data)
    fields.view(16)  # earliest and latest log time inside: the messages tell
    size, crc, compression = fields.u64(), fields.u32(), fields.text()
    return ChunkRecord(size, crc, compression, fields.view(fields.u64()))


def parse_attachment(data: memoryview) -> AttachmentRecord:
    """Attachment record (opcode 0x09).

    Raises:
        DamagedRecordError: Its fields do not fit into it, or its bytes are not those of its checksum.
    """
    fields = Fields(data)
    record = AttachmentRecord(fields.u64(), fields.u64(), fields.text(), fields.text(), fields.view(fields.u64()))
    found = crc32(data[: fields.position])
    if (expected := fields.u32()) not in {0, found}:
        raise DamagedRecordError(f"its CRC-32 is {found:#010x} where {expected:#010x} was recorded")
    return record


def parse_metadata(data: memoryview) -> MetadataRecord:
    """Metadata record (opcode 0x0C)."""
    fields = Fields(data)
    return MetadataRecord(fields.text(), {entry.text(): entry.text() for entry in fields.entries()})


def parse_profile(data: memoryview) -> str:
    """Header record (opcode 0x01): the profile by which the file is written; empty where it has none."""
    return Fields(data).text()


def parse_cut_chunk(data: memoryview) -> ChunkRecord:
    """Chunk record within which the file ends, with as much of its data as there is."""
    fields = Fields(data)
    fields.view(16)
    size, crc, compression = fields.u64(), fields.u32(), fields.text()
    length = fields.u64()
    return ChunkRecord(size, crc, compression, data[fields.position : fields.position + length])


def count_of_index(data: memoryview) -> tuple[int, int]:
    """Message index record (opcode 0x07): channel id, and how many of its messages the chunk before it holds.

    Zero for a record that is damaged: it is asked for what is lost, nothing else.
    """
    try:
        fields = Fields(data)
        return fields.u16(), fields.u32() // 16
    except DamagedRecordError:
        return 0, 0


def parse_chunk_index(data: memoryview) -> int:
    """Chunk index record (opcode 0x08): the offset of the chunk in the file, which is all that is used of it."""
    fields = Fields(data)
    fields.view(16)
    return fields.u64()


def parse_statistics(data: memoryview) -> StatisticsRecord:
    """Statistics record (opcode 0x0B)."""
    fields = Fields(data)
    message_count = fields.u64()
    fields.view(2 + 4 * 4 + 2 * 8)  # other counts, first and last log time
    return StatisticsRecord(message_count, {entry.u16(): entry.u64() for entry in fields.entries()})


def parse_footer(data: memoryview) -> FooterRecord:
    """Footer record (opcode 0x02)."""
    fields = Fields(data)
    summary_start = fields.u64()
    fields.view(8)  # where the summary's offsets stand
    return FooterRecord(summary_start, fields.u32())


def is_chunk_start(data: memoryview, *, remaining_bytes: int) -> bool:
    """Whether a whole chunk record can begin with these bytes: asked before a summary's word for it is taken.

    Args:
        data: The file from that place on, 64 bytes of it.
        remaining_bytes: From that place to the end of the file.
    """
    try:
        opcode, length = RECORD.unpack_from(data)
        fields = Fields(data[RECORD.size :])
        fields.view(8 + 8 + 8 + 4)
        compression = fields.text()
        data_bytes = fields.u64()
    except (struct.error, DamagedRecordError):
        return False
    fits = fields.position + data_bytes <= length <= remaining_bytes - RECORD.size
    return bool(opcode == Opcode.CHUNK and compression in COMPRESSIONS and fits)
