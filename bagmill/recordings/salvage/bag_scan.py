"""Where a ROS 1 bag's chunks begin again behind damage, for bags without an index that would tell."""

from __future__ import annotations

import re
from typing import Final

from bagmill.recordings.fields import DamagedRecordError
from bagmill.recordings.file_window import HEADERS_BYTES, FileWindow, RecordingFile
from bagmill.recordings.rosbag1_records import Op, Record, number, read_record, text
from bagmill.recordings.salvage.blocks_of_file import find_all

_MOST_BYTES: Final = 112
_CHUNK: Final = re.compile(
    # A header's length, then `op`, `compression` and `size` in any order, of which only the first is looked for.
    rb"(?s)(?=[\x20-\x64]\x00{3}.{0,92}?\x04\x00{3}op=\x05)"
)
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
    candidates = find_all(file, _CHUNK, start=start, end=file.size_bytes, most_bytes=_MOST_BYTES)
    return next((offset for offset in candidates if _is_chunk(window, offset)), None)


def _is_chunk(window: FileWindow, offset: int) -> bool:
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
