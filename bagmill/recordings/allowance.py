"""What one pass over a recording may cost, by the size of its files: bytes unpacked, and records walked through.

A chunk is held to a size of its own. But a file of a few megabytes can hold ten thousand of the largest chunks that are
taken, or ten million records of nothing: each harmless, all of them hours. So both are counted over the whole pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bagmill.errors import LimitError
from bagmill.limits import limits


class Allowance:
    """Counts what a pass costs, and refuses to go on where that is out of all proportion to what it reads.

    Args:
        size_bytes: Of the recording's files as they lie on the disk.
    """

    def __init__(self, size_bytes: int) -> None:
        table = limits()
        self._size_bytes = size_bytes
        self._most_unpacked = table.unpacked_at_least_bytes + table.unpacked_ratio * size_bytes
        self._most_records = table.messages_at_least + table.messages_per_kib * size_bytes // 1024
        self.num_unpacked = 0
        """Bytes so far."""
        self.num_records = 0
        """So far."""

    def expect(self, num_bytes: int) -> None:
        """Look ahead to bytes that something says it unpacks to.

        Raises:
            LimitError: There would be too many for the recording's size.
        """
        before = self.num_unpacked
        self.unpack(num_bytes)
        self.num_unpacked = before

    def unpack(self, num_bytes: int) -> None:
        """Count bytes that were unpacked.

        Raises:
            LimitError: There are too many for the recording's size.
        """
        self.num_unpacked += num_bytes
        if self.num_unpacked > self._most_unpacked:
            raise LimitError(
                "unpacked_ratio",
                f"its {self._size_bytes:,} bytes unpack to more than {self._most_unpacked:,}, the most that is taken of "
                "a recording of this size",
            )

    def walk(self, num_records: int) -> None:
        """Count messages and other records.

        Raises:
            LimitError: There are too many for the recording's size.
        """
        self.num_records += num_records
        if self.num_records > self._most_records:
            raise LimitError(
                "messages_per_kib",
                f"its {self._size_bytes:,} bytes hold more than {self._most_records:,} records, the most that is taken "
                "of a recording of this size",
            )


@contextmanager
def limits_told_of(path: Path, *, unpacked: Path | None = None) -> Iterator[None]:
    """Whatever is above a limit within the block is told of a file.

    Args:
        path: The file.
        unpacked: What it was unpacked to, which nobody knows of.
    """
    try:
        yield
    except LimitError as err:
        if err.path is None or err.path == unpacked:
            err.path = path
        raise
