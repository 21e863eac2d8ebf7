"""An MCAP file's data section read from front to back.

Nothing is found through the summary. It is asked only where the framing breaks: a chunk that it names, and that is one,
is where reading goes on; and a record that claims to reach over such a chunk is damaged in its length.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from zlib_ng.zlib_ng import crc32

from bagmill.limits import limits
from bagmill.recordings.allowance import Allowance, limits_told_of
from bagmill.recordings.channel_table import ChannelTable
from bagmill.recordings.compression import DecompressionError, decompress, decompress_beginning
from bagmill.recordings.fault_log import FaultLog
from bagmill.recordings.fields import DamagedRecordError
from bagmill.recordings.file_window import HEADERS_BYTES, FileWindow, RecordingFile
from bagmill.recordings.kept_chunks import KeptChunks
from bagmill.recordings.losses import LossLog, seconds_between
from bagmill.recordings.mcap_channels import UNKNOWN, PassChannels
from bagmill.recordings.mcap_comparison import compare_with_summary
from bagmill.recordings.mcap_records import (
    COMPRESSIONS,
    MAGIC,
    MESSAGE,
    RECORD,
    ChunkRecord,
    Opcode,
    count_of_index,
    is_chunk_start,
    parse_chunk,
    parse_cut_chunk,
)
from bagmill.recordings.mcap_summary import Summary, read_summary
from bagmill.recordings.read_ahead import read_ahead
from bagmill.recordings.records import Block, Buffer, Witness
from bagmill.recordings.salvage.held_blocks import without_suspects
from bagmill.recordings.salvage.mcap_scan import find_start, is_header
from bagmill.recordings.salvage.places import LostPlaces

_BLOCK_BYTES = 1 << 20
_PIECE_BYTES = 4 << 20
"""Of records walked for one block: the smallest are a hundred thousand messages."""
# Looked up for every record: of plain numbers, because an enum's members take ten times as long.
_FOLLOWED = frozenset(map(int, (Opcode.MESSAGE, Opcode.SCHEMA, Opcode.CHANNEL, Opcode.DATA_END, Opcode.FOOTER)))
_LAST = frozenset(map(int, (Opcode.DATA_END, Opcode.FOOTER)))
_CHUNK_TIMES = struct.Struct("<qq")
"""Earliest and latest log time of a chunk's messages: a chunk record's first fields."""
_CHUNK_HEAD = struct.Struct("<8x8xQI")
"""Size and checksum in a chunk record's first fields: earliest and latest log time, size and CRC-32 of the content."""


@dataclass(slots=True)
class McapState:
    """What the passes over one open file share."""

    file: RecordingFile
    summary: Summary
    stored_bytes: int
    """Of the recording on the disk: less than the file's where it was unpacked as a whole."""
    table: ChannelTable = field(default_factory=ChannelTable)
    faults: FaultLog = field(default_factory=FaultLog)
    whole_chunks: set[int] = field(default_factory=set)
    """Offsets of chunks whose CRC was found right: checked once, not at every pass."""
    damaged_chunks: set[int] = field(default_factory=set)
    """Offsets of chunks to leave out: at every pass, or the messages' sequence would not be the same."""
    kept: KeptChunks = field(default_factory=KeptChunks)
    """Contents of compressed chunks."""
    losses: LossLog = field(default_factory=lambda: LossLog(is_kept=False))
    """Kept where the file is salvaged."""
    resumes: dict[int, int | None] = field(default_factory=dict)
    """Offset of damage → where a search found that records begin again."""
    keeps_numbers: bool = False
    """Messages come with the sequence numbers that their publishers gave them."""
    is_data_crc_checked: bool = False
    num_messages_from_summary: dict[int, int] | None = None
    num_bytes_read: int = 0


class _Record(NamedTuple):
    """One record of the file, or a gap between two."""

    opcode: int
    """`INVALID` for a gap."""
    offset: int
    end: int
    resume_at: int | None = None
    """Behind a gap: where reading goes on; None: nowhere."""
    is_cut: bool = False
    """The file ends within this chunk."""


class _Chunk(NamedTuple):
    """A chunk as a thread has read it."""

    record: memoryview
    content: Buffer
    is_packed: bool
    expected_crc: int
    """0 where the writer left it out."""
    found_crc: int | None
    """None where it was not looked at."""


class _Short(NamedTuple):
    """Messages of a chunk that are too short to be one."""

    num: int = 0
    position: int = 0
    """Of the first."""
    length: int = 0

    def with_one(self, position: int, length: int) -> _Short:
        """With another one."""
        return self._replace(num=self.num + 1) if self.num else _Short(1, position, length)


class DataPass:
    """One pass.

    Args:
        state: Of the open file.
        channel_ids: Positions in the channel table to yield; None for all.
        witness: Told of the bytes of chunks, and of large messages outside chunks.
    """

    def __init__(
        self, state: McapState, *, channel_ids: Collection[int] | None, witness: Witness | None = None
    ) -> None:
        self._state = state
        self._faults = state.faults
        self._wanted = None if channel_ids is None else frozenset(channel_ids)
        self._witness = witness
        self._headers = FileWindow(state.file, lookahead_bytes=HEADERS_BYTES)
        self._window = FileWindow(state.file)
        self._channels = PassChannels(state.table, faults=state.faults, summary=state.summary)
        self._places = LostPlaces(state.losses, self._channels.topic_of)
        self._is_salvaged = state.losses.is_kept
        self._has_bare_messages = False
        self._bare_channel: int | None = None
        """Channel of the message outside chunks that was read last, if nothing else was read since."""
        self._followed = _FOLLOWED | {int(Opcode.MESSAGE_INDEX)} if self._is_salvaged else _FOLLOWED
        self._allowance = Allowance(state.stored_bytes)
        self._short = _Short()
        self._met_chunks: set[int] = set()
        self._crc: int | None = None if state.is_data_crc_checked else 0
        """Of all bytes so far; None once there is no need for it: a chunk's own CRC covers what is in it."""

    def blocks(self, num_threads: int) -> Iterator[Block]:
        """Every message up to the data section's end, or to where the file breaks off: a chunk's in a few blocks.

        Raises:
            LimitError: The file asks for more than is taken of one of its size.
        """
        with limits_told_of(self._state.file.path):
            blocks = self._blocks(num_threads)
            yield from without_suspects(blocks) if self._is_salvaged else filter(None, blocks)

    def _blocks(self, num_threads: int) -> Iterator[Block | None]:
        """The blocks as they are read; None where the message before is not to be trusted."""
        for record, chunk in read_ahead(self._records(), num_threads=num_threads):
            opcode, offset, end, _, is_cut = record
            self._state.num_bytes_read = offset
            if is_cut:
                yield from self._walk_cut(record, chunk)
            elif opcode == Opcode.CHUNK:
                self._met_chunks.add(offset)
                self._bare_channel = None
                content = self._state.kept.get(offset) if chunk is None else self._checked(record, chunk)
                if content is not None:
                    yield from self._walk(memoryview(content), where=f"of the chunk at byte {offset}", base=0)
                del chunk, content  # their memory is the next one's
            elif opcode == Opcode.MESSAGE_INDEX:
                self._places.count(*count_of_index(self._window.view(offset + RECORD.size, end - offset - RECORD.size)))
            elif opcode in {Opcode.MESSAGE, Opcode.SCHEMA, Opcode.CHANNEL}:
                yield from self._walk_bare(record)
            elif opcode == Opcode.INVALID:
                if self._has_suspect(record):
                    yield None
                self._tell_gap(record)
                if record.resume_at is None:
                    self._finish(None)
            elif opcode in {Opcode.DATA_END, Opcode.FOOTER}:
                self._check_data_crc(record)
                self._finish(offset if opcode == Opcode.FOOTER else end)

    def _walk_bare(self, record: _Record) -> Iterator[Block]:
        """What a record outside chunks holds."""
        data = self._window.view(record.offset, record.end - record.offset)
        if self._witness is not None and len(data) > HEADERS_BYTES:
            self._witness(record.offset, data)
        yield from self._walk(data, where="of the file", base=record.offset)
        if self._is_salvaged and record.opcode == Opcode.MESSAGE and len(data) >= RECORD.size + MESSAGE.size:
            mcap_id, _, log_time_ns, _ = MESSAGE.unpack_from(data, RECORD.size)
            self._places.reach(log_time_ns, log_time_ns)
            channel_id = self._channels.ids.get(mcap_id, UNKNOWN)
            self._bare_channel = None if channel_id == UNKNOWN else channel_id

    def others(self, opcode: int) -> Iterator[memoryview]:
        """Content of the records of a kind that hold no messages, as far as the file can be read."""
        self._crc = None
        self._followed |= {opcode}
        for record, _, _ in self._records():
            if record.opcode == opcode:
                yield self._window.view(record.offset + RECORD.size, record.end - record.offset - RECORD.size)

    def _records(self) -> Iterator[tuple[_Record, Callable[[], _Chunk | Exception] | None, int]]:
        """The file's records, told apart by their headers, up to the one that ends the data section."""
        offset = len(MAGIC)
        self._cover(0, offset)
        while True:
            try:
                opcode, length = RECORD.unpack(self._headers.view(offset, RECORD.size))
            except EOFError:
                opcode, length = Opcode.INVALID, 0
            end = offset + RECORD.size + length
            if (
                opcode == Opcode.INVALID
                or end > self._headers.size_bytes
                or self._chunk_within(offset, end) is not None
            ):
                self._crc = None
                following = self._chunk_within(offset, self._headers.size_bytes) or self._found_start(offset + 1)
                if following is None and opcode == Opcode.CHUNK and self._is_salvaged and not self._has_end():
                    cut = _Record(opcode, offset, self._headers.size_bytes, is_cut=True)
                    yield cut, partial(self._load_cut, cut), self._cut_bytes(cut)
                yield _Record(Opcode.INVALID, offset, end, following), None, 0
                if following is None:
                    return
                offset = following
                continue
            record = _Record(opcode, offset, end)
            if opcode == Opcode.CHUNK:
                is_damaged = offset in self._state.damaged_chunks
                size_bytes = crc = 0
                if length >= _CHUNK_HEAD.size:
                    size_bytes, crc = _CHUNK_HEAD.unpack(self._headers.view(end - length, _CHUNK_HEAD.size))
                load = None if is_damaged or self._is_kept(offset) else partial(self._load, record)
                yield record, load, length + size_bytes
                if crc:
                    self._crc = None
            elif opcode in self._followed:
                self._has_bare_messages |= opcode == Opcode.MESSAGE
                yield record, None, 0
            if opcode in _LAST:
                return
            self._cover(offset, end)
            offset = end

    def _load(self, record: _Record) -> _Chunk | Exception:
        """A chunk's content; in a thread, so that nothing is changed here and what is wrong is handed over."""
        start = record.offset + RECORD.size
        data = self._state.file.read_whole(start, record.end - start)
        try:
            chunk = parse_chunk(data)
            content = self._content(chunk)
        except (DamagedRecordError, DecompressionError) as err:
            return err
        is_checked = chunk.uncompressed_crc and record.offset not in self._state.whole_chunks
        found_crc = crc32(content) if is_checked else None
        return _Chunk(data, content, bool(chunk.compression), chunk.uncompressed_crc, found_crc)

    def _cut_bytes(self, cut: _Record) -> int:
        """What a cut chunk may take in memory: what is there of it, and what it says that it unpacks to."""
        length = cut.end - cut.offset - RECORD.size
        if length < _CHUNK_HEAD.size:
            return length
        size_bytes, _ = _CHUNK_HEAD.unpack(self._headers.view(cut.end - length, _CHUNK_HEAD.size))
        return length + min(int(size_bytes), limits().chunk_bytes)

    def _has_end(self) -> bool:
        """Whether the file has the end of an MCAP: then it was not cut off, and a chunk that reaches beyond it is damaged."""
        size = self._headers.size_bytes
        return self._window.view(size - len(MAGIC), len(MAGIC)) == MAGIC

    def _load_cut(self, record: _Record) -> _Chunk | Exception:
        """What the beginning of a chunk unpacks to, within which the file ends; in a thread, as `_load`."""
        start = record.offset + RECORD.size
        data = self._state.file.read_whole(start, record.end - start)
        try:
            chunk = parse_cut_chunk(data)
            if chunk.compression not in COMPRESSIONS:
                raise DecompressionError(f"no compression is called {chunk.compression!r}")  # noqa: TRY301 - as in `_content`
            content = (
                decompress_beginning(chunk.data, compression=chunk.compression, size_bytes=chunk.uncompressed_size)
                if chunk.compression
                else chunk.data
            )
        except (DamagedRecordError, DecompressionError) as err:
            return err
        return _Chunk(data, content, bool(chunk.compression), chunk.uncompressed_crc, None)

    def _is_kept(self, offset: int) -> bool:
        # Not for a witness: it wants the bytes of the file.
        return self._witness is None and self._state.kept.get(offset) is not None

    def _content(self, chunk: ChunkRecord) -> Buffer:
        if chunk.compression not in COMPRESSIONS:
            raise DecompressionError(f"no compression is called {chunk.compression!r}")
        if chunk.compression:
            return decompress(
                chunk.data,
                compression=chunk.compression,
                size_bytes=chunk.uncompressed_size,
                take=self._state.file.unpacked,
            )
        if len(chunk.data) != chunk.uncompressed_size:
            raise DecompressionError(f"it holds {len(chunk.data)} bytes where {chunk.uncompressed_size} were announced")
        return chunk.data

    def _checked(self, record: _Record, chunk: _Chunk | Exception) -> Buffer | None:
        """A chunk's content; None where it is damaged."""
        offset = record.offset
        if isinstance(chunk, DecompressionError):
            self._allowance.unpack(chunk.num_bytes)
        if isinstance(chunk, Exception):
            self._lose_chunk("chunk_damaged", record)
            self._state.damaged_chunks.add(offset)
            self._faults.add("chunk_damaged", f"The chunk at byte {offset} is left out with all its messages: {chunk}.")
            return None
        if chunk.is_packed:
            self._allowance.unpack(len(chunk.content))
        if self._witness is not None:
            self._witness(offset + RECORD.size, chunk.record)
        if chunk.found_crc is not None and chunk.found_crc != chunk.expected_crc:
            self._lose_chunk("chunk_crc_mismatch", record)
            self._state.damaged_chunks.add(offset)
            self._faults.add(
                "chunk_crc_mismatch",
                f"The chunk at byte {offset} is left out with all its messages: "
                f"its CRC-32 is {chunk.found_crc:#010x} where {chunk.expected_crc:#010x} was recorded.",
            )
            return None
        if chunk.found_crc is not None:
            self._state.whole_chunks.add(offset)
        if chunk.is_packed:
            self._state.kept.keep(offset, chunk.content)
        if self._is_salvaged:
            self._places.reach(*_CHUNK_TIMES.unpack_from(chunk.record))
        return chunk.content

    def _lose_chunk(self, kind: str, record: _Record) -> None:
        """Note what a chunk that is left out held, as far as the file tells."""
        if not self._is_salvaged:
            return
        try:
            times = _CHUNK_TIMES.unpack(self._window.view(record.offset + RECORD.size, _CHUNK_TIMES.size))
        except EOFError:
            times = (0, 0)
        self._places.lose(kind, record.offset, record.end, seconds=seconds_between(*times) if any(times) else None)

    def _walk_cut(self, record: _Record, chunk: _Chunk | Exception | None) -> Iterator[Block]:
        """The whole messages of a chunk within which the file ends."""
        if not isinstance(chunk, _Chunk):
            return
        if chunk.is_packed:
            self._allowance.unpack(len(chunk.content))
        offset, size = record.offset, self._headers.size_bytes
        read_until_ns, until_ns = _CHUNK_TIMES.unpack_from(chunk.record)
        for block in self._walk(memoryview(chunk.content), where=f"of the chunk at byte {offset}", base=0, is_cut=True):
            read_until_ns = max([read_until_ns, *(run.log_times_ns[-1] for run in block.runs.values())])
            yield block
        self._faults.add(
            "chunk_cut",
            f"The file ends inside the chunk at byte {offset}; the whole messages before are read, without a checksum to "
            "hold them against.",
            severity="warning",
        )
        self._state.losses.add(
            "truncated",
            f"the rest of the chunk at byte {offset:,}, from byte {size:,} on",
            seconds=seconds_between(read_until_ns, until_ns),
        )

    def _walk(self, data: memoryview, *, where: str, base: int, is_cut: bool = False) -> Iterator[Block]:
        """Messages of a run of whole records, a piece of it in a block; `base` is added to positions in what is said.

        Of data that is cut, those before the cut.
        """
        position, end = 0, len(data) - RECORD.size
        self._short = _Short()
        while position <= end:
            last = min(position + _PIECE_BYTES, end)
            block, position, num_others = self._piece(data, position, last=last, where=where, base=base)
            self._allowance.walk(len(block.order) + num_others)
            yield block
            if position <= last:
                break
        if self._short.num:
            more = f", and {self._short.num - 1} more are too short" if self._short.num > 1 else ""
            self._faults.add(
                "record_damaged",
                f"The message at byte {base + self._short.position} {where} is only {self._short.length} bytes long{more}.",
            )
            self._state.losses.add("record_damaged", f"messages too short {where}", num_messages=self._short.num)
        if position != len(data) and not is_cut:
            self._faults.add(
                "record_damaged",
                f"There is no whole record at byte {base + position} {where}; what follows in it is left out.",
            )
            self._state.losses.add("record_damaged", f"from byte {base + position:,} {where} to its end")

    def _piece(self, data: memoryview, position: int, *, last: int, where: str, base: int) -> tuple[Block, int, int]:
        """A block of the records that begin up to `last`, where the next one begins, and how many gave no message.

        Where no whole record begins, that is the place; it is not behind `last` then.
        """
        block = Block()
        runs, order, size, num_others = block.runs, block.order, len(data), 0
        ids, counts, wanted = self._channels.ids, self._channels.counts, self._wanted
        unpack_record, unpack_message, header_bytes = RECORD.unpack_from, MESSAGE.unpack_from, RECORD.size
        keeps_numbers = self._state.keeps_numbers
        message = int(Opcode.MESSAGE)  # looking an enum's member up costs as much as comparing it
        while position <= last:
            opcode, length = unpack_record(data, position)
            start = position + header_bytes
            end = start + length
            if end > size or opcode == Opcode.INVALID:
                break
            if opcode == message and length >= MESSAGE.size:
                mcap_id, number, log_time_ns, publish_time_ns = unpack_message(data, start)
                channel_id = ids.get(mcap_id)
                if channel_id is None:
                    channel_id = self._channels.adopt(mcap_id)
                if channel_id == UNKNOWN:
                    self._channels.lose(mcap_id)
                    num_others += 1
                else:
                    sequence = counts[channel_id]
                    counts[channel_id] = sequence + 1
                    if wanted is None or channel_id in wanted:
                        # As `Block.add`, which would cost as much as all the rest.
                        run = runs.get(channel_id) or block.open_run(channel_id, sequence)
                        order.append(channel_id)
                        run.log_times_ns.append(log_time_ns)
                        run.publish_times_ns.append(publish_time_ns)
                        run.payloads.append(data[start + 22 : end])
                        if keeps_numbers:
                            run.numbers.append(number)
                    else:
                        num_others += 1
            else:
                num_others += 1
                self._take_other(opcode, data[start:end], position, where=where, base=base)
            position = end
        return block, position, num_others

    def _take_other(self, opcode: int, data: memoryview, position: int, *, where: str, base: int) -> None:
        """Look at a record that is no whole message."""
        if opcode == Opcode.SCHEMA:
            self._channels.add_schema(data, where=f"at byte {base + position} {where}")
        elif opcode == Opcode.CHANNEL:
            self._channels.add_channel(data, where=f"at byte {base + position} {where}")
        elif opcode == Opcode.MESSAGE:
            self._short = self._short.with_one(position, len(data))

    def _found_start(self, start: int) -> int | None:
        """Where records begin again by a search for them; only in a file that is salvaged."""
        if not self._is_salvaged or start >= self._headers.size_bytes:
            return None
        resumes = self._state.resumes
        if start not in resumes:
            resumes[start] = find_start(
                self._state.file, start=start, channels=self._channels.ids, has_bare_messages=self._has_bare_messages
            )
        return resumes[start]

    def _chunk_within(self, start: int, end: int) -> int | None:
        """A chunk that the summary names, and that is one, strictly within [start, end)."""
        offsets = self._state.summary.chunk_offsets
        for index in range(bisect_right(offsets, start), len(offsets)):
            offset = offsets[index]
            if offset >= end:
                return None
            remaining = self._headers.size_bytes - offset
            if remaining >= 64 and is_chunk_start(self._headers.view(offset, 64), remaining_bytes=remaining):
                return offset
        return None

    def _has_suspect(self, gap: _Record) -> bool:
        """Whether the damage may have begun in a message outside chunks, of which no checksum tells: that is taken back."""
        channel_id, self._bare_channel = self._bare_channel, None
        if channel_id is None or (gap.resume_at is None and is_header(self._window, gap.offset)):
            return False
        self._channels.counts[channel_id] -= 1
        self._state.losses.add(
            "record_damaged",
            f"the message before byte {gap.offset:,}",
            channel=self._channels.topic(channel_id),
            num_messages=1,
        )
        return self._wanted is None or channel_id in self._wanted

    def _tell_gap(self, gap: _Record) -> None:
        """Name the damage, and say where reading goes on behind it."""
        size = self._headers.size_bytes
        if gap.resume_at is not None:
            self._faults.add(
                "record_damaged",
                f"There is no whole record at byte {gap.offset} of the file; what stands between it and the chunk at byte "
                f"{gap.resume_at} is left out.",
            )
            self._places.gap("record_damaged", gap.offset, gap.resume_at)
        elif gap.offset + RECORD.size <= size and gap.end <= size:
            self._faults.add(
                "record_damaged", f"There is no record at byte {gap.offset} of the file; what follows is left out."
            )
            self._places.gap("record_damaged", gap.offset, size)
        else:
            inside = (
                "between two records" if gap.offset == size else f"inside the record that begins at byte {gap.offset}"
            )
            self._faults.add(
                "truncated",
                f"The file breaks off at byte {size}, {inside}, without the end of the data section; "
                "what stands before is read.",
            )
            self._state.losses.add("truncated", f"behind byte {size:,}, where the file ends")

    def _cover(self, start: int, end: int) -> None:
        """Take bytes into the data section's CRC."""
        if self._crc is not None:
            for offset in range(start, end, _BLOCK_BYTES):
                self._crc = crc32(self._window.view(offset, min(_BLOCK_BYTES, end - offset)), self._crc)

    def _check_data_crc(self, record: _Record) -> None:
        start = record.offset + RECORD.size
        if record.opcode == Opcode.FOOTER or record.end - start < 4:
            self._faults.add("data_end_missing", "No whole record closes the data section.", severity="warning")
            return
        expected = int.from_bytes(self._window.view(start, 4), "little")
        if self._crc is not None and expected not in {0, self._crc}:
            self._faults.add(
                "data_crc_mismatch",
                f"The data section's CRC-32 is {self._crc:#010x} where {expected:#010x} was recorded: "
                "some of its bytes are not those that were written.",
            )
        self._state.is_data_crc_checked = True

    def _finish(self, data_end: int | None) -> None:
        """Compare what was read with what the file says of itself."""
        summary = self._state.summary
        if data_end is not None and summary == Summary():
            summary = read_summary(self._window, data_end=data_end)
        self._places.finish()
        self._state.num_messages_from_summary = compare_with_summary(
            summary,
            self._channels,
            met_chunks=self._met_chunks,
            faults=self._faults,
            losses=self._state.losses,
        )
        self._state.num_bytes_read = self._window.size_bytes
