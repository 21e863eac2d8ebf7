"""What a database's row numbers and size tell of what is missing in it."""

from __future__ import annotations

from bagmill.recordings.fault_log import FaultLog
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
        self._row: int | None = None
        self._stamp_ns: int | None = None
        self._num_missing = 0
        self._seconds: float | None = 0.0
        self._first = ""

    def reach(self, row: int, stamp_ns: int | None, *, is_damaged: bool) -> None:
        """Take note of the next row that is there.

        Args:
            row: Its number.
            stamp_ns: Its stamp.
            is_damaged: Damage was met before it, and told.
        """
        if self._row is not None and row > self._row + 1:
            num_missing, seconds = row - self._row - 1, seconds_between(self._stamp_ns, stamp_ns)
            where = f"row {row - 1:,}" if num_missing == 1 else f"rows {self._row + 1:,} to {row - 1:,}"
            if is_damaged:
                self._losses.add("database_damaged", where, num_messages=num_missing, seconds=seconds)
            else:
                self._num_missing += num_missing
                self._seconds = None if self._seconds is None or seconds is None else self._seconds + seconds
                self._first = self._first or where
        self._row, self._stamp_ns = row, stamp_ns

    def finish(self, faults: FaultLog) -> None:
        """Tell of the rows that are missing where no damage was met: someone deleted them, or a page has lost them."""
        if not self._num_missing:
            return
        faults.add(
            "rows_missing",
            f"{self._num_missing:,} rows are missing between others (first {self._first}): recorders number messages without a "
            "gap, so they were deleted, or are lost in a damaged page.",
            severity="warning",
        )
        self._losses.add("rows_missing", f"first {self._first}", num_messages=self._num_missing, seconds=self._seconds)


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
