"""An MCAP file as a recording."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from bagmill.errors import RecordingError
from bagmill.recordings.allowance import Allowance, limits_told_of
from bagmill.recordings.blocks import one_by_one
from bagmill.recordings.closing import ClosedByWith
from bagmill.recordings.fields import DamagedRecordError
from bagmill.recordings.file_window import FileWindow, RecordingFile, zeros_text
from bagmill.recordings.losses import Losses, LossLog
from bagmill.recordings.mcap_data import DataPass, McapState
from bagmill.recordings.mcap_records import (
    MAGIC,
    RECORD,
    AttachmentRecord,
    MetadataRecord,
    Opcode,
    parse_attachment,
    parse_metadata,
    parse_profile,
)
from bagmill.recordings.mcap_summary import read_summary
from bagmill.recordings.packed_messages import unpacked
from bagmill.recordings.records import Block, Channel, Container, Fault, Message, Witness


class McapRecording(ClosedByWith):
    """An MCAP file, read linearly; one chunk a thread is in memory at a time.

    Order is that of the file. A chunk with a wrong CRC is left out whole, and so is one within which the file breaks
    off: what cannot be checked is not passed on. Channels appear as their records do, all of them by the end of a pass.

    Args:
        path: The file.
        unpacks: Unpack messages that were compressed one by one; False where the caller knows of them and does.
        salvage: Read on where records begin again behind damage, and the beginning of a chunk that is cut.
        keeps_numbers: Give messages with the sequence numbers of their publishers.
        stored_bytes: Of the recording on the disk, where the file was unpacked from it.

    Raises:
        RecordingError: It cannot be opened, or is not an MCAP file.

    Source: MCAP format specification, https://mcap.dev/spec
    """

    container: Container = "mcap"

    def __init__(
        self,
        path: Path,
        *,
        unpacks: bool = True,
        stored_bytes: int | None = None,
        salvage: bool = False,
        keeps_numbers: bool = False,
    ) -> None:
        self.path = path
        self._unpacks = unpacks
        self.files: tuple[Path, ...] = (path,)
        self._file = RecordingFile(path)
        self._stored_bytes = self._file.size_bytes if stored_bytes is None else stored_bytes
        try:
            _check_magic(self._file)
            zeros_at = self._file.leave_out_zeros() if salvage else None
            with limits_told_of(path):
                summary = read_summary(FileWindow(self._file))
            self._state = McapState(
                self._file,
                summary,
                self._stored_bytes,
                losses=LossLog(is_kept=salvage),
                keeps_numbers=keeps_numbers,
            )
            if zeros_at is not None:
                self._state.faults.add("zeros_at_end", zeros_text(zeros_at), severity="warning")
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
        """What is missing in a file that is salvaged."""
        return self._state.losses.losses

    @property
    def num_messages_from_summary(self) -> Mapping[int, int] | None:
        """Known after a whole pass: only then is it certain which channel the summary means."""
        return self._state.num_messages_from_summary

    @property
    def num_bytes_read(self) -> int:
        """Bytes of the file that the latest pass has behind it."""
        return self._state.num_bytes_read

    def blocks(
        self, channel_ids: Collection[int] | None = None, *, num_threads: int = 1, witness: Witness | None = None
    ) -> Iterator[Block]:
        """Every chunk's messages; only some channels' where named."""
        blocks = DataPass(self._state, channel_ids=channel_ids, witness=witness).blocks(num_threads)
        table, faults = self._state.table, self._state.faults
        if not self._unpacks:
            return blocks
        allowance = Allowance(self._stored_bytes)
        return unpacked(blocks, table.__getitem__, faults=faults, allowance=allowance, path=self.path)

    def messages(
        self, channel_ids: Collection[int] | None = None, *, num_threads: int = 1, witness: Witness | None = None
    ) -> Iterator[Message]:
        """Every message in the file's order; only some channels' where named."""
        return one_by_one(self.blocks(channel_ids, num_threads=num_threads, witness=witness))

    @property
    def profile(self) -> str:
        """Name of the conventions that the file follows, by its header: `ros1`, `ros2`; empty where it tells none."""
        window = FileWindow(self._file)
        try:
            opcode, length = RECORD.unpack(window.view(len(MAGIC), RECORD.size))
            return parse_profile(window.view(len(MAGIC) + RECORD.size, length)) if opcode == Opcode.HEADER else ""
        except (EOFError, DamagedRecordError):
            return ""

    def metadata(self) -> Iterator[MetadataRecord]:
        """What the file says of itself in pairs of texts; damaged records are told and left out."""
        for data in DataPass(self._state, channel_ids=()).others(Opcode.METADATA):
            try:
                yield parse_metadata(data)
            except DamagedRecordError as err:
                self._state.faults.add("metadata_damaged", f"A metadata record is left out: {err}.")

    def attachments(self) -> Iterator[AttachmentRecord]:
        """The files in the file, one in memory at a time; damaged ones are told and left out."""
        for data in DataPass(self._state, channel_ids=()).others(Opcode.ATTACHMENT):
            try:
                yield parse_attachment(data)
            except DamagedRecordError as err:
                self._state.faults.add("attachment_damaged", f"An attachment is left out: {err}.")

    def close(self) -> None:
        """Close the file."""
        self._state.kept.clear()
        self._file.close()


def _check_magic(file: RecordingFile) -> None:
    magic = bytes(file.read(0, len(MAGIC)))
    if magic == MAGIC:
        return
    remedy = "Check that it is an MCAP recording and was copied whole"
    if magic.startswith(MAGIC.replace(b"\r", b"")):
        remedy = "A transfer that converts line endings took out its carriage returns: copy it again in binary mode"
    found = f"its first bytes are {magic.hex(' ')}" if magic else "it is empty"
    raise RecordingError(f"not an MCAP file: {found}, where {MAGIC.hex(' ')} is due", path=file.path, remedy=remedy)
