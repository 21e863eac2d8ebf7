"""Where an MCAP's records begin again behind damage, for files whose summary does not tell."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final

from bagmill.recordings.file_window import FileWindow, RecordingFile
from bagmill.recordings.mcap_records import MESSAGE, RECORD, Opcode, is_chunk_start
from bagmill.recordings.salvage.blocks_of_file import find_all

_CHUNK: Final = re.compile(
    # Opcode; a length below 2⁴⁰; times, size and checksum; the compression's name.
    rb"(?s)(?=\x06.{5}\x00{3}.{28}(?:\x00{4}|\x04\x00{3}zstd|\x03\x00{3}lz4))"
)
_BARE: Final = re.compile(rb"(?s)(?=[\x03-\x06].{4}\x00{4})")
_START_BYTES: Final = 64
_CHAIN: Final = 3
"""Records that must follow one another before they are believed."""
_KNOWN: Final = frozenset(map(int, Opcode)) | {0x07, 0x09, 0x0A, 0x0C, 0x0D, 0x0E}


def find_start(file: RecordingFile, *, start: int, channels: Container[int], has_bare_messages: bool) -> int | None:
    """The offset of the first record that is surely one.

    A chunk must have fields that agree with each other, and a record or the file's end behind it. Messages outside chunks have
    nothing of the kind to go by: several records must follow one another, the messages on known channels.

    Args:
        file: The recording.
        start: Where to begin to look.
        channels: Ids of known channels.
        has_bare_messages: Whether messages stand outside chunks in this file.

    Returns:
        None where there is none.
    """
    window = FileWindow(file, lookahead_bytes=_START_BYTES)
    pattern = _BARE if has_bare_messages else _CHUNK
    for offset in find_all(file, pattern, start=start, end=file.size_bytes, most_bytes=_START_BYTES):
        if _is_chunk(window, offset) or (has_bare_messages and _is_chain(window, offset, channels)):
            return offset
    return None


def _is_chunk(window: FileWindow, offset: int) -> bool:
    remaining = window.size_bytes - offset
    if remaining < _START_BYTES or not is_chunk_start(window.view(offset, _START_BYTES), remaining_bytes=remaining):
        return False
    end = _end_of(window, offset)
    return end == window.size_bytes or (end is not None and _end_of(window, end) is not None)


def _is_chain(window: FileWindow, offset: int, channels: Container[int]) -> bool:
    has_message = False
    for _ in range(_CHAIN):
        end = _end_of(window, offset)
        if end is None:
            return False
        opcode, length = RECORD.unpack(window.view(offset, RECORD.size))
        if opcode == Opcode.MESSAGE:
            if (
                length < MESSAGE.size
                or MESSAGE.unpack(window.view(offset + RECORD.size, MESSAGE.size))[0] not in channels
            ):
                return False
            has_message = True
        elif opcode in {Opcode.DATA_END, Opcode.FOOTER}:
            break
        offset = end
    return has_message


def _end_of(window: FileWindow, offset: int) -> int | None:
    """Where a record ends that can be one; None for what can be none."""
    try:
        opcode, length = RECORD.unpack(window.view(offset, RECORD.size))
    except EOFError:
        return None
    end = offset + RECORD.size + int(length)
    return end if opcode in _KNOWN and end <= window.size_bytes else None


def is_header(window: FileWindow, offset: int) -> bool:
    """Whether the bytes at an offset can be a record's beginning, as those of a record that is cut off are."""
    try:
        opcode, _ = RECORD.unpack(window.view(offset, RECORD.size))
    except EOFError:
        return True
    return opcode in _KNOWN
