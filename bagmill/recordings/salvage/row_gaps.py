"""What a database's row numbers and size tell of what is missing in it."""

from __future__ import annotations

from bagmill.recordings.fields import DamagedRecordError
from bagmill.recordings.file_window import RecordingFile
from bagmill.recordings.losses import LossLog, seconds_between
from bagmill.recordings.salvage.sqlite_pages import DatabasePages


class RowGaps:
    """Rows that are missing between others: a recorder numbers its messages without a gap.

    Args:
        losses: Where they go.
    """

    def __init__(self, losses: LossLog) -> None:
        self._losses = losses
        self.is_kept = losses.is_kept
        self._row: int | None = None
        self._stamp_ns: int | None = None

    def reach(self, row: int, stamp_ns: int | None, *, is_damaged: bool) -> None:
        """The next row that is there, its stamp, and whether damage was met before it."""
        if is_damaged and self._row is not None and row > self._row + 1:
            self._losses.add(
                "database_damaged",
                f"rows {self._row + 1:,} to {row - 1:,}",
                num_messages=row - self._row - 1,
                seconds=seconds_between(self._stamp_ns, stamp_ns),
            )
        self._row, self._stamp_ns = row, stamp_ns


def cut_text(file: RecordingFile) -> str | None:
    """What a file lacks that is shorter than a database of its header is; None where it is as long."""
    try:
        pages = DatabasePages(file)
    except DamagedRecordError:
        return None  # SQLite says what it is
    if not pages.is_cut:
        return None
    announced = f" of {pages.num_announced}" if pages.num_announced else ""
    return f"it is cut off at byte {file.size_bytes}, behind {pages.num_pages}{announced} pages"
