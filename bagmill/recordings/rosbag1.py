"""A ROS 1 bag as a recording."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NoReturn

from bagmill.errors import RecordingError
from bagmill.recordings.allowance import limits_told_of
from bagmill.recordings.blocks import one_by_one
from bagmill.recordings.closing import ClosedByWith
from bagmill.recordings.fields import DamagedRecordError
from bagmill.recordings.file_window import FileWindow, RecordingFile, zeros_text
from bagmill.recordings.losses import Losses, LossLog
from bagmill.recordings.records import Block, Channel, Container, Fault, Message, Witness
from bagmill.recordings.rosbag1_data import BagPass, BagState
from bagmill.recordings.rosbag1_records import (
    MAGIC,
    BagHeader,
    ChunkInfo,
    ConnectionRecord,
    Op,
    parse_bag_header,
    parse_chunk_info,
    parse_connection,
    read_record,
)

_REMEDY = "Copy it again from the robot"


class Rosbag1Recording(ClosedByWith):
    """A ROS 1 bag of version 2.0, its chunks bare, lz4 or bz2; one chunk a thread is in memory at a time.

    Order is that of the file. Publish times equal log times: a bag knows only one. A bag without a whole index, because its
    recorder was killed or the file was cut off, is read up to where it breaks off, without the index.

    Args:
        path: The file.
        salvage: Read on where chunks begin again behind damage, and the beginning of a chunk that is cut.

    Raises:
        RecordingError: It cannot be opened, or is not such a bag.

    Source: http://wiki.ros.org/Bags/Format/2.0
    """

    container: Container = "rosbag1"

    def __init__(self, path: Path, *, salvage: bool = False) -> None:
        self.path = path
        self._losses = LossLog(is_kept=salvage)
        self.files: tuple[Path, ...] = (path,)
        self._file = RecordingFile(path)
        try:
            with limits_told_of(path):
                self._state = self._open()
        except BaseException:
            self._file.close()
            raise

    @property
    def channels(self) -> tuple[Channel, ...]:
        """By id."""
        return self._state.table.channels

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Found so far."""
        return self._state.faults.faults

    @property
    def losses(self) -> Losses:
        """What is missing in a bag that is salvaged."""
        return self._losses.losses

    @property
    def num_messages_from_summary(self) -> Mapping[int, int] | None:
        """What the index counts; None where there is none to trust."""
        if self._state.index_problem is not None:
            return None
        counts = self._state.counts_from_index()
        del counts[-1]
        return counts

    @property
    def num_bytes_read(self) -> int:
        """Bytes of the file that the latest pass has behind it."""
        return self._state.num_bytes_read

    def blocks(
        self, channel_ids: Collection[int] | None = None, *, num_threads: int = 1, witness: Witness | None = None
    ) -> Iterator[Block]:
        """Every chunk's messages; only some channels' where named."""
        return BagPass(self._state, channel_ids=channel_ids, witness=witness).blocks(num_threads)

    def messages(
        self, channel_ids: Collection[int] | None = None, *, num_threads: int = 1, witness: Witness | None = None
    ) -> Iterator[Message]:
        """Every message in the file's order; only some channels' where named."""
        return one_by_one(self.blocks(channel_ids, num_threads=num_threads, witness=witness))

    def close(self) -> None:
        """Close the file."""
        self._state.kept.clear()
        self._file.close()

    def _open(self) -> BagState:
        magic = bytes(self._file.read(0, len(MAGIC)))
        if magic != MAGIC:
            self._refuse(
                f"not a ROS 1 bag of version 2.0: it begins with {magic!r}",
                remedy="Bags of older versions: run `rosbag fix` on a copy",
            )
        window = FileWindow(self._file)
        header, data_start = self._bag_header(window)
        try:
            connections, chunk_infos = _read_index(window, header)
        except _NoIndexError as err:
            zeros_at = self._file.leave_out_zeros() if self._losses.is_kept else None
            state = BagState(
                self._file,
                header=header,
                data_start=data_start,
                data_end=self._file.size_bytes,
                index_problem=str(err),
                losses=self._losses,
            )
            if zeros_at is not None:
                state.faults.add("zeros_at_end", zeros_text(zeros_at), severity="warning")
            return state
        state = BagState(
            self._file,
            header=header,
            data_start=data_start,
            data_end=header.index_pos,
            losses=self._losses,
            chunk_infos=tuple(sorted(chunk_infos, key=lambda info: info.offset)),
        )
        for connection in connections:
            state.ids[connection.id] = state.fold(connection)
        return state

    def _bag_header(self, window: FileWindow) -> tuple[BagHeader, int]:
        try:
            record = read_record(window, len(MAGIC))
            header = parse_bag_header(record.header)
        except (EOFError, DamagedRecordError) as err:
            self._refuse(f"the bag's first record is damaged ({str(err) or 'the file ends inside it'})", cause=err)
        if record.op != Op.BAG_HEADER:
            self._refuse(f"the bag's first record is of kind {record.op}, a bag header is of kind {int(Op.BAG_HEADER)}")
        if header.encryptor:
            self._refuse(f"the bag is encrypted ({header.encryptor})", remedy="Decrypt it with ROS first")
        return header, record.end

    def _refuse(self, problem: str, *, remedy: str | None = None, cause: Exception | None = None) -> NoReturn:
        raise RecordingError(problem, path=self.path, remedy=remedy or _REMEDY) from cause


class _NoIndexError(Exception):
    """The index is missing or damaged; says in what."""


def _read_index(window: FileWindow, header: BagHeader) -> tuple[list[ConnectionRecord], list[ChunkInfo]]:
    if header.index_pos == 0:
        raise _NoIndexError("its recording was not closed")
    if header.index_pos > window.size_bytes:
        raise _NoIndexError(f"it is due at byte {header.index_pos}, the file ends at {window.size_bytes}")
    connections: list[ConnectionRecord] = []
    chunk_infos: list[ChunkInfo] = []
    offset = header.index_pos
    for number in range(header.num_connections + header.num_chunks):
        expected = Op.CONNECTION if number < header.num_connections else Op.CHUNK_INFO
        try:
            record = read_record(window, offset)
            data = window.view(record.data_start, record.data_length)
            if record.op != expected:
                raise DamagedRecordError(f"it is of kind {record.op}, {int(expected)} is due")  # noqa: TRY301 - as below
            if expected == Op.CONNECTION:
                connections.append(parse_connection(record.header, data))
            else:
                chunk_infos.append(parse_chunk_info(record.header, data))
        except (EOFError, DamagedRecordError) as err:
            reason = str(err) or "the file ends inside it"
            raise _NoIndexError(f"its record at byte {offset} is damaged ({reason})") from err
        offset = record.end
    return connections, chunk_infos
