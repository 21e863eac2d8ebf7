"""What an MCAP file says of itself behind its data: counted against, never read through.

A flipped bit in a summary silently loses messages in readers that go by it. Here it says what to compare with, where
reading can go on behind damage, and which channels had their records lost, or none written as nothing was sent on them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from zlib_ng.zlib_ng import crc32

from bagmill.recordings.fields import DamagedRecordError
from bagmill.recordings.file_window import FileWindow
from bagmill.recordings.mcap_records import (
    MAGIC,
    RECORD,
    ChannelRecord,
    FooterRecord,
    Opcode,
    SchemaRecord,
    StatisticsRecord,
    parse_channel,
    parse_chunk_index,
    parse_footer,
    parse_schema,
    parse_statistics,
)

_FOOTER_BYTES = RECORD.size + 20
_BLOCK_BYTES = 1 << 20
_TOLD = frozenset(map(int, (Opcode.SCHEMA, Opcode.CHANNEL, Opcode.STATISTICS, Opcode.CHUNK_INDEX)))


@dataclass(frozen=True, slots=True)
class Summary:
    """The summary section as far as it can be read."""

    schemas: Mapping[int, SchemaRecord] = field(default_factory=dict)
    channels: Mapping[int, ChannelRecord] = field(default_factory=dict)
    statistics: StatisticsRecord | None = None
    chunk_offsets: tuple[int, ...] = ()
    """Rising."""
    problem: str | None = None
    """Why it is not to be believed; everything else is empty then."""


def read_summary(window: FileWindow, *, data_end: int | None = None) -> Summary:
    """The summary of a file.

    Args:
        window: The file.
        data_end: Offset behind the data section, once a pass has found it: for files whose footer cannot be found from
            their end.

    Returns:
        An empty one where the file has none, or where its end is missing.

    Raises:
        LimitError: A schema or a channel in it says more than is taken.
    """
    start = data_end
    crc = 0
    footer = _footer_at_end(window)
    if footer is not None:
        start, crc = footer.summary_start or data_end, footer.summary_crc
    if start is None:
        return Summary()
    if start > window.size_bytes:
        return Summary(problem=f"it should begin at byte {start}, the file ends at {window.size_bytes}")
    if crc and crc != (found := _crc(window, start)):
        return Summary(problem=f"its CRC-32 is {found:#010x} where {crc:#010x} was recorded")
    try:
        return _parse(window, start)
    except (EOFError, DamagedRecordError, struct.error) as err:
        return Summary(problem=f"it cannot be parsed ({str(err) or 'it runs past the end of the file'})")


def _footer_at_end(window: FileWindow) -> FooterRecord | None:
    try:
        end = window.view(window.size_bytes - len(MAGIC) - _FOOTER_BYTES, _FOOTER_BYTES + len(MAGIC))
    except EOFError:
        return None
    opcode, length = RECORD.unpack_from(end)
    if end[_FOOTER_BYTES:] != MAGIC or opcode != Opcode.FOOTER or length != _FOOTER_BYTES - RECORD.size:
        return None  # a padded footer is found from the front instead
    return parse_footer(end[RECORD.size : _FOOTER_BYTES])


def _crc(window: FileWindow, start: int) -> int:
    """CRC-32 from the summary's first byte to the footer's last field but the CRC itself."""
    crc, end = 0, window.size_bytes - len(MAGIC) - 4
    for offset in range(start, end, _BLOCK_BYTES):
        crc = crc32(window.view(offset, min(_BLOCK_BYTES, end - offset)), crc)
    return crc


def _records(window: FileWindow, start: int) -> Iterator[tuple[int, memoryview]]:
    """The records that say something of the file; others are passed over, however long they are."""
    offset = start
    while True:
        opcode, length = RECORD.unpack(window.view(offset, RECORD.size))
        if opcode == Opcode.INVALID:
            raise DamagedRecordError(f"there is no record at byte {offset}")
        end = offset + RECORD.size + length
        if end > window.size_bytes:
            raise EOFError
        if opcode in _TOLD:
            yield opcode, window.view(offset + RECORD.size, length)
        if opcode == Opcode.FOOTER:
            return
        offset = end


def _parse(window: FileWindow, start: int) -> Summary:
    schemas: dict[int, SchemaRecord] = {}
    channels: dict[int, ChannelRecord] = {}
    statistics: StatisticsRecord | None = None
    chunk_offsets: set[int] = set()
    for opcode, data in _records(window, start):
        match opcode:
            case Opcode.SCHEMA:
                schema = parse_schema(data)
                schemas[schema.id] = schema
            case Opcode.CHANNEL:
                channel = parse_channel(data)
                channels[channel.id] = channel
            case Opcode.STATISTICS:
                statistics = parse_statistics(data)
            case Opcode.CHUNK_INDEX:
                chunk_offsets.add(parse_chunk_index(data))
    return Summary(schemas, channels, statistics, tuple(sorted(chunk_offsets)))
