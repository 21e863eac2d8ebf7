"""A stretch of a file in blocks that overlap, for whoever looks for a pattern in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bagmill.recordings.file_window import RecordingFile

_BLOCK_BYTES = 1 << 20


def find_all(
    file: RecordingFile, pattern: re.Pattern[bytes], *, start: int, end: int, most_bytes: int
) -> Iterator[int]:
    """Offsets in [start, end) at which a pattern matches, rising.

    Args:
        file: Open.
        pattern: One that looks ahead and takes no byte, so that matches may overlap.
        start: First offset.
        end: Last offset, exclusive.
        most_bytes: How far the pattern looks ahead.
    """
    for offset in range(start, end, _BLOCK_BYTES):
        block = file.read(offset, _BLOCK_BYTES + most_bytes)
        for match in pattern.finditer(block):
            if match.start() < _BLOCK_BYTES and offset + match.start() < end:
                yield offset + match.start()
