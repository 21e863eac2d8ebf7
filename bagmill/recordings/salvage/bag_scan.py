"""Where a ROS 1 bag's chunks begin again behind damage, for bags without an index that would tell."""

from __future__ import annotations

import re
from typing import Final

from bagmill.recordings.fields import DamagedRecordError
from bagmill.recordings.file_window import HEADERS_BYTES, FileWindow, RecordingFile
from bagmill.recordings.rosbag1_records import Op, Record, number, read_record, text
from bagmill.recordings.salvage.blocks_of_file import find_all

_CHUNK_OP: Final = re.compile(rb"(?s)(?=\x04\x00{3}op=\x05)")
_MOST_HEADER_BYTES: Final = 80
"""A chunk's header holds `op`, `compression` and `size`, in any order."""
_COMPRESSIONS: Final = frozenset({"none", "bz2", "lz4"})


def find_chunk(file: RecordingFile, *, start: int) -> int | None:
    """The offset of the first chunk that is surely one: a whole header, and a record or the file's end behind its data.

    Args:
        file: The recording.
        start: Where to begin to look.

    Returns:
        None where there is none.
    """
    window = FileWindow(file, lookahead_bytes=HEADERS_BYTES)
    for found in find_all(file, _CHUNK_OP, start=start, end=file.size_bytes, most_bytes=8):
        for offset in range(max(start, found - _MOST_HEADER_BYTES), found - 3):
            if _is_chunk(window, offset, field_at=found):
                return offset
    return None


def _is_chunk(window: FileWindow, offset: int, *, field_at: int) -> bool:
    header_bytes = int.from_bytes(window.view(offset, 4), "little")
    if not field_at + 8 <= offset + 4 + header_bytes <= field_at + _MOST_HEADER_BYTES:
        return False
    record = _record_at(window, offset)
    if record is None or record.op != Op.CHUNK:
        return False
    try:
        compression, size_bytes = text(record.header, b"compression"), number(record.header, b"size")
    except DamagedRecordError:
        return False
    if compression not in _COMPRESSIONS or (compression == "none" and size_bytes != record.data_length):
        return False
    return record.end == window.size_bytes or _record_at(window, record.end) is not None


def _record_at(window: FileWindow, offset: int) -> Record | None:
    try:
        record = read_record(window, offset)
    except (EOFError, DamagedRecordError):
        return None
    return record if record.op in frozenset(map(int, Op)) else None
