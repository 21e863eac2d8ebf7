"""A ROS 1 bag's chunks read from front to back.

The index at the file's end is asked for the topics, for what to compare with, and for where reading goes on behind
damage. Its entries per message are not used: ordering by them decompresses chunks again and again where publishers
overlap, and one damaged chunk would end everything.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from bagmill.recordings.allowance import Allowance, limits_told_of
from bagmill.recordings.channel_table import ChannelTable
from bagmill.recordings.compression import DecompressionError, decompress, decompress_beginning
from bagmill.recordings.fault_log import FaultLog
from bagmill.recordings.fields import DamagedRecordError
from bagmill.recordings.file_window import HEADERS_BYTES, FileWindow, RecordingFile
from bagmill.recordings.kept_chunks import KeptChunks
from bagmill.recordings.losses import LossLog, seconds_between
from bagmill.recordings.read_ahead import read_ahead
from bagmill.recordings.records import Block, Buffer, Witness
from bagmill.recordings.rosbag1_records import (
    U32,
    BagHeader,
    ChunkInfo,
    ConnectionRecord,
    Op,
    Record,
    count_of_index,
    number,
    parse_connection,
    parse_header,
    read_record,
    text,
    time_ns,
)
from bagmill.recordings.salvage.bag_scan import find_chunk
from bagmill.recordings.salvage.held_blocks import without_suspects
from bagmill.recordings.salvage.places import LostPlaces

_COSTS = {"lz4": 1, "bz2": 8}
"""What an unpacked byte counts for: bz2 takes as much longer."""
_PIECE_BYTES = 4 << 20
"""Of records walked for one block."""


@dataclass(slots=True)
class BagState:
    """What the passes over one open bag share."""

    file: RecordingFile
    header: BagHeader
    data_start: int
    data_end: int
    """Where the index begins; the end of the file where that is not to be trusted."""
    chunk_infos: tuple[ChunkInfo, ...] = ()
    """By rising offset."""
    index_problem: str | None = None
    """Why the index is not used."""
    table: ChannelTable = field(default_factory=ChannelTable)
    faults: FaultLog = field(default_factory=FaultLog)
    ids: dict[int, int] = field(default_factory=dict)
    """Connection id → channel id, by the index."""
    kept: KeptChunks = field(default_factory=KeptChunks)
    """Contents of compressed chunks."""
    losses: LossLog = field(default_factory=lambda: LossLog(is_kept=False))
    """Kept where the bag is salvaged."""
    resumes: dict[int, int | None] = field(default_factory=dict)
    """Offset of damage → where a search found that chunks begin again."""
    num_bytes_read: int = 0

    def fold(self, connection: ConnectionRecord) -> int:
        """Id of the channel that a connection belongs to."""
        return self.table.fold(
            connection.topic,
            schema_name=connection.message_type,
            schema_encoding="ros1msg",
            schema_data=connection.definition,
            message_encoding="ros1",
            metadata=connection.metadata,
        )

    def counts_from_index(self) -> Counter[int]:
        """Messages by channel id, as the index has them; -1 for connections that it does not describe."""
        counts: Counter[int] = Counter(dict.fromkeys(range(len(self.table)), 0))
        for info in self.chunk_infos:
            for connection_id, count in info.counts.items():
                counts[self.ids.get(connection_id, -1)] += count
        return counts


class _Piece(NamedTuple):
    """One record of the file, or a gap between two."""

    offset: int
    record: Record | None
    """None: a gap."""
    resume_at: int | None = None
    """Behind a gap: where reading goes on; None: at the index."""
    is_cut: bool = False
    """The file ends within this chunk."""


class _Chunk(NamedTuple):
    """A chunk as a thread has read it."""

    data: memoryview
    content: Buffer
    cost_bytes: int
    """What it cost to unpack; 0 for one that is bare."""


class BagPass:
    """One pass.

    Args:
        state: Of the open bag.
        channel_ids: Channels to yield; None for all.
        witness: Told of the chunks' bytes.
    """

    def __init__(self, state: BagState, *, channel_ids: Collection[int] | None, witness: Witness | None = None) -> None:
        self._state = state
        self._witness = witness
        self._faults = state.faults
        self._wanted = None if channel_ids is None else frozenset(channel_ids)
        self._headers = FileWindow(state.file, lookahead_bytes=HEADERS_BYTES)
        self._window = FileWindow(state.file)
        self._allowance = Allowance(state.file.size_bytes)
        self._offsets = sorted({info.offset for info in state.chunk_infos})
        self._ids = dict(state.ids)
        self._counts: list[int] = [0] * len(state.table)
        self._num_lost: Counter[int] = Counter()
        self._num_chunks = 0
        self._last_channel: int | None = None
        """Channel of the message that was read last, if nothing else was read since."""
        self._is_salvaged = state.losses.is_kept
        self._places = LostPlaces(state.losses, self._topic_of)
        self._broken_at: int | None = None
        """Without an index: where the file breaks off."""

    def blocks(self, num_threads: int) -> Iterator[Block]:
        """Every message up to the index, a chunk's in a few blocks.

        Raises:
            LimitError: The bag asks for more than is taken of one of its size.
        """
        with limits_told_of(self._state.file.path):
            blocks = self._blocks(num_threads)
            yield from without_suspects(blocks) if self._is_salvaged else filter(None, blocks)

    def _blocks(self, num_threads: int) -> Iterator[Block | None]:
        """The blocks as they are read; None where the message before is not to be trusted."""
        for piece, chunk in read_ahead(self._pieces(), num_threads=num_threads):
            offset, record = piece.offset, piece.record
            self._state.num_bytes_read = offset
            if record is None:
                if self._has_suspect(piece):
                    yield None
                self._tell_gap(piece)
            elif record.op == Op.CHUNK:
                self._num_chunks += not piece.is_cut
                content = self._state.kept.get(offset) if chunk is None else self._opened(piece, chunk)
                if content is not None:
                    where = f"the chunk at byte {offset}"
                    yield from self._walk(memoryview(content), where=where, is_cut=piece.is_cut)
                del chunk, content  # their memory is the next one's
            elif record.op == Op.INDEX_DATA:
                self._places.count(*count_of_index(record.header))
                self._last_channel = None
            elif record.op in {Op.MESSAGE, Op.CONNECTION}:
                yield from self._walk(self._window.view(offset, record.end - offset), where=f"byte {offset}")
        self._finish()

    def _pieces(self) -> Iterator[tuple[_Piece, Callable[[], _Chunk | Exception] | None, int]]:
        """The file's records up to the index, told apart by their headers."""
        offset = self._state.data_start
        while offset < self._state.data_end:
            try:
                record = read_record(self._headers, offset)
            except (EOFError, DamagedRecordError):
                record = None
            if (
                record is None
                or (record.op < 0 and self._state.index_problem is not None)  # zeros behind what was written
                or record.end > self._state.data_end
                or self._chunk_within(offset, record.end) is not None
            ):
                following = self._chunk_within(offset, self._state.data_end) or self._found_chunk(offset + 1)
                if (
                    following is None
                    and self._state.index_problem is not None
                    and (cut := self._cut_chunk(offset)) is not None
                ):
                    yield _Piece(offset, cut, is_cut=True), partial(self._load_cut, cut), _memory_bytes(cut)
                yield _Piece(offset, None, following), None, 0
                offset = self._state.data_end if following is None else following
                continue
            # What is kept is no use to a witness: it wants the bytes of the file.
            is_kept = self._witness is None and self._state.kept.get(offset) is not None
            load = partial(self._load, record) if record.op == Op.CHUNK and not is_kept else None
            yield _Piece(offset, record), load, 0 if load is None else _memory_bytes(record)
            offset = record.end

    def _cut_chunk(self, offset: int) -> Record | None:
        """A chunk within which the file ends, as far as it goes; a compressed one only in a bag that is salvaged."""
        try:
            record = read_record(self._headers, offset, is_cut=True)
        except (EOFError, DamagedRecordError):
            return None
        is_readable = self._is_salvaged or record.header.get(b"compression") == b"none"
        return record if record.op == Op.CHUNK and is_readable and record.end == self._headers.size_bytes else None

    def _load(self, record: Record) -> _Chunk | Exception:
        """A chunk's content; in a thread, so that nothing is changed here and what is wrong is handed over."""
        data = self._state.file.read_whole(record.data_start, record.data_length)
        try:
            compression, size_bytes = text(record.header, b"compression"), number(record.header, b"size")
            if compression in _COSTS:
                content = decompress(data, compression=compression, size_bytes=size_bytes)
                return _Chunk(data, content, len(content) * _COSTS[compression])
        except DecompressionError as err:
            err.num_bytes *= _COSTS[compression]
            return err
        except DamagedRecordError as err:
            return err
        if compression != "none":
            return DecompressionError(f"no compression is called {compression!r}")
        return _Chunk(data, data, 0)

    def _load_cut(self, record: Record) -> _Chunk | Exception:
        """What the beginning of a chunk unpacks to, within which the file ends; in a thread, as `_load`."""
        data = self._state.file.read_whole(record.data_start, record.data_length)
        try:
            compression, size_bytes = text(record.header, b"compression"), number(record.header, b"size")
            if compression in _COSTS:
                content = decompress_beginning(data, compression=compression, size_bytes=size_bytes)
                return _Chunk(data, content, len(content) * _COSTS[compression])
        except (DamagedRecordError, DecompressionError) as err:
            return err
        if compression != "none":
            return DecompressionError(f"no compression is called {compression!r}")
        return _Chunk(data, data, 0)

    def _opened(self, piece: _Piece, chunk: _Chunk | Exception) -> Buffer | None:
        """A chunk's content; None where it is damaged."""
        if isinstance(chunk, DecompressionError):
            self._allowance.unpack(chunk.num_bytes)
        if isinstance(chunk, Exception):
            self._faults.add(
                "chunk_damaged", f"The chunk at byte {piece.offset} is left out with all its messages: {chunk}."
            )
            self._lose_chunk(piece)
            return None
        self._allowance.unpack(chunk.cost_bytes)
        if self._witness is not None and piece.record is not None:
            self._witness(piece.record.data_start, chunk.data)
        if chunk.cost_bytes and not piece.is_cut:
            self._state.kept.keep(piece.offset, chunk.content)
        return chunk.content

    def _lose_chunk(self, piece: _Piece) -> None:
        """Note what a chunk that is left out held, as far as the bag tells: its index, or the records behind the chunk."""
        if not self._is_salvaged or piece.record is None:
            return
        info = next((info for info in self._state.chunk_infos if info.offset == piece.offset), None)
        seconds = None if info is None else seconds_between(info.start_ns, info.end_ns)
        self._places.lose("chunk_damaged", piece.offset, piece.record.end, seconds=seconds)

    def _reach(self, block: Block) -> None:
        """Note the log times that a chunk's messages reach over."""
        if self._is_salvaged and block.runs:
            runs = block.runs.values()
            self._places.reach(min(run.log_times_ns[0] for run in runs), max(run.log_times_ns[-1] for run in runs))

    def _topic_of(self, connection_id: int) -> str:
        channel_id = self._ids.get(connection_id)
        return f"connection {connection_id}" if channel_id is None else self._state.table[channel_id].topic

    def _found_chunk(self, start: int) -> int | None:
        """Where chunks begin again by a search for them; only in a bag that is salvaged and has no index."""
        if not self._is_salvaged or self._state.index_problem is None or start >= self._state.data_end:
            return None
        resumes = self._state.resumes
        if start not in resumes:
            resumes[start] = find_chunk(self._state.file, start=start)
        return resumes[start]

    def _has_suspect(self, gap: _Piece) -> bool:
        """Whether the damage may have begun in the chunk before, of which no checksum tells: its last message is taken back."""
        if gap.resume_at is None and self._is_cut_at(gap.offset):
            self._last_channel = None
            return False
        return self._take_back(f"the message before byte {gap.offset:,}")

    def _take_back(self, where: str) -> bool:
        """Count the message that was read last as lost, in a bag that is salvaged; whether it was handed on."""
        channel_id, self._last_channel = self._last_channel, None
        if not self._is_salvaged or channel_id is None:
            return False
        self._counts[channel_id] -= 1
        topic = self._state.table[channel_id].topic
        self._state.losses.add("record_damaged", where, channel=topic, num_messages=1)
        return self._wanted is None or channel_id in self._wanted

    def _is_cut_at(self, offset: int) -> bool:
        """Whether what stands at an offset can be a record within which the file ends."""
        try:
            return read_record(self._headers, offset, is_cut=True).op in frozenset(map(int, Op))
        except EOFError:
            return True
        except DamagedRecordError:
            return False

    def _tell_gap(self, piece: _Piece) -> None:
        if self._state.index_problem is not None and piece.resume_at is None:
            self._broken_at = piece.offset  # told once it is known what is missing
            return
        self._places.gap("record_damaged", piece.offset, piece.resume_at or self._state.data_end)
        following = "the index" if piece.resume_at is None else f"the chunk at byte {piece.resume_at}"
        self._faults.add(
            "record_damaged",
            f"There is no whole record at byte {piece.offset} of the file; what stands between it and {following} is "
            "left out.",
        )

    def _walk(self, data: memoryview, *, where: str, is_cut: bool = False) -> Iterator[Block | None]:
        """Messages of a run of whole records, a piece of it in a block; of one that is cut, those before the cut."""
        position, size = 0, len(data)
        damage: DamagedRecordError | None = None
        self._last_channel = None
        while position + 8 <= size and damage is None:
            last = min(position + _PIECE_BYTES, size - 8)
            block = Block()
            position, num_records, damage = self._piece(block, data, position, last=last)
            self._allowance.walk(num_records)
            self._reach(block)
            yield block
            if position <= last:
                break
        is_broken = damage is not None or (position != size and not is_cut)
        if not is_broken:
            return
        if self._take_back(f"the message before byte {position:,} of {where}"):
            yield None
        self._state.losses.add("record_damaged", f"from byte {position:,} of {where} to its end")
        self._faults.add(
            "record_damaged",
            f"There is no whole record at byte {position} of {where}; what follows in it is left out."
            if damage is None
            else f"The record at byte {position} of {where} is damaged, what follows is left out: {damage}.",
        )

    def _piece(
        self, block: Block, data: memoryview, position: int, *, last: int
    ) -> tuple[int, int, DamagedRecordError | None]:
        """Fill a block with the records that begin up to `last`: where the next one begins, how many there were, and damage.

        Where no whole record begins, that is the place; it is not behind `last` then.
        """
        size, num_records, last_channel = len(data), 0, self._last_channel
        ids, counts, wanted, length_of = self._ids, self._counts, self._wanted, U32.unpack_from
        damage: DamagedRecordError | None = None
        try:
            while position <= last:
                header_end = position + 4 + length_of(data, position)[0]
                if header_end + 4 > size:
                    break
                header = parse_header(data[position + 4 : header_end])
                start = header_end + 4
                end = start + length_of(data, header_end)[0]
                if end > size:
                    break
                num_records += 1
                op = header.get(b"op")
                if op == b"\2":
                    connection_id, stamp_ns = number(header, b"conn"), time_ns(header)
                    channel_id = last_channel = ids.get(connection_id)
                    if channel_id is None:
                        self._num_lost[connection_id] += 1
                    else:
                        sequence = counts[channel_id]
                        counts[channel_id] = sequence + 1
                        if wanted is None or channel_id in wanted:
                            block.add(channel_id, sequence, stamp_ns, stamp_ns, data[start:end])
                elif op == b"\7" and number(header, b"conn") not in ids:
                    self._add_connection(parse_connection(header, data[start:end]))
                position = end
        except DamagedRecordError as err:
            damage = err
        self._last_channel = last_channel
        return position, num_records, damage

    def _add_connection(self, connection: ConnectionRecord) -> None:
        self._ids[connection.id] = self._state.fold(connection)
        self._counts.extend([0] * (len(self._state.table) - len(self._counts)))
        if self._state.index_problem is not None:
            return
        self._faults.add(
            "connection_not_in_index",
            f"The index does not describe connection {connection.id}, {connection.topic}; its record in the data does.",
            severity="warning",
        )

    def _chunk_within(self, start: int, end: int) -> int | None:
        """A chunk that the index names, and that is one, strictly within [start, end)."""
        for index in range(bisect_right(self._offsets, start), len(self._offsets)):
            offset = self._offsets[index]
            if offset >= end:
                return None
            try:
                record = read_record(self._headers, offset)
            except (EOFError, DamagedRecordError):
                continue
            if record.op == Op.CHUNK and record.end <= self._state.data_end:
                return offset
        return None

    def _finish(self) -> None:
        """Compare what was read with what the index says."""
        self._state.num_bytes_read = self._window.size_bytes
        self._places.finish()
        for connection_id, num_lost in self._num_lost.items():
            self._state.losses.add(
                "unknown_channel", "all over the file", channel=f"connection {connection_id}", num_messages=num_lost
            )
            self._faults.add(
                "unknown_channel",
                f"{num_lost} messages are on connection {connection_id}, which no record describes; they are left out.",
            )
        if self._state.index_problem is not None:
            self._tell_without_index(self._state.index_problem)
            return
        self._state.losses.count(self._missing())
        for channel_id, expected in self._state.counts_from_index().items():
            found = 0 if channel_id < 0 else self._counts[channel_id]
            if found != expected:
                topic = "connections that nothing describes" if channel_id < 0 else self._state.table[channel_id].topic
                self._faults.add(
                    "count_differs_from_summary",
                    f"There are {found} messages on {topic} where the index counts {expected}.",
                    severity="error" if found < expected else "warning",
                )

    def _missing(self) -> dict[str, int]:
        """Messages by topic that the index counts and that were not found."""
        missing: Counter[str] = Counter()
        for channel_id, expected in self._state.counts_from_index().items():
            if channel_id >= 0 and expected > self._counts[channel_id]:
                missing[self._state.table[channel_id].topic] += expected - self._counts[channel_id]
        return dict(missing)

    def _tell_without_index(self, problem: str) -> None:
        """Say that there was no index, and what is missing besides it."""
        header, size, broken_at = self._state.header, self._window.size_bytes, self._broken_at
        has_all_chunks = header.index_pos == 0 or self._num_chunks >= header.num_chunks
        is_data_whole = has_all_chunks and (broken_at is None or 0 < header.index_pos <= broken_at)
        self._faults.add(
            "index_missing" if header.index_pos == 0 else "index_damaged",
            f"The bag is read without its index ({problem}).",
            severity="warning",
        )
        if is_data_whole:
            return
        chunks = f", and {self._num_chunks} of its {header.num_chunks} chunks are whole" if header.num_chunks else ""
        inside = "" if broken_at is None else f", inside the record that begins at byte {broken_at}"
        self._faults.add(
            "truncated", f"The file breaks off at byte {size}{inside}{chunks}; what is whole before is read."
        )
        missing = f", with {header.num_chunks - self._num_chunks} chunks or more" if chunks else ""
        at = size if broken_at is None else broken_at
        self._state.losses.add("truncated", f"from byte {at:,} on, the file ends at byte {size:,}{missing}")


def _memory_bytes(chunk: Record) -> int:
    """What a chunk says it will hold, with what it holds packed."""
    try:
        return chunk.data_length + number(chunk.header, b"size")
    except DamagedRecordError:
        return chunk.data_length
