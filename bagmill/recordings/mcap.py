"""An MCAP file as a recording."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from bagmill.errors import RecordingError
from bagmill.recordings.allowance import Allowance, limits_told_of
from bagmill.recordings.blocks import one_by_one
from bagmill.recordings.closing import ClosedByWith
from bagmill.recordings.file_window import FileWindow, RecordingFile
from bagmill.recordings.mcap_data import DataPass, McapState
from bagmill.recordings.mcap_records import MAGIC
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
        stored_bytes: Of the recording on the disk, where the file was unpacked from it.

    Raises:
        RecordingError: It cannot be opened, or is not an MCAP file.

    Source: MCAP format specification, https://mcap.dev/spec
    """

    container: Container = "mcap"

    def __init__(self, path: Path, *, unpacks: bool = True, stored_bytes: int | None = None) -> None:
        self.path = path
        self._unpacks = unpacks
        self.files: tuple[Path, ...] = (path,)
        self._file = RecordingFile(path)
        self._stored_bytes = self._file.size_bytes if stored_bytes is None else stored_bytes
        try:
            _check_magic(self._file)
            with limits_told_of(path):
                summary = read_summary(FileWindow(self._file))
            self._state = McapState(self._file, summary, self._stored_bytes)
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
