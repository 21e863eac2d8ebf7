"""A JPEG's header, segment by segment.

Source: ITU-T T.81 annex B: a segment is a marker, its length with the two bytes that hold it, and its content.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

START = b"\xff\xd8"
END = b"\xff\xd9"
"""The marker behind a JPEG's picture: what follows it is not looked at by any decoder."""

SCAN = b"\xff\xda"
"""The marker before each scan; in entropy-coded data it cannot stand."""

_START_OF_SCAN = 0xDA
_WITHOUT_LENGTH = {0x00, 0x01, *range(0xD0, 0xDA), 0xFF}
"""Second bytes of what is a marker without a segment, or none; not to be expected before the scan."""
_METADATA = frozenset((*range(0xE1, 0xEE), 0xEF, 0xFE))
"""Markers of what cameras say beside the picture (EXIF, comments…). Not JFIF's (E0) and Adobe's (EE), which tell the colours."""
_HUFFMAN_FRAMES = (0xC0, 0xC1)
"""Frame headers of JPEGs that are coded in one go, by Huffman's codes: baseline and extended sequential."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class _Segment(NamedTuple):
    marker: int
    start: int
    end: int


def header_length(data: bytes | memoryview) -> int | None:
    """Where the header of a JPEG ends and its entropy-coded data begin.

    Returns:
        None if it is not within the bytes given, or if it is unusual.
    """
    segments = _segments(data)
    return segments[-1].end if segments else None


def without_metadata(data: bytes | memoryview) -> bytes:
    """A JPEG without what cameras say beside the picture; as it is where its header is unusual."""
    segments = _segments(data)
    if not any(segment.marker in _METADATA for segment in segments):
        return bytes(data)
    kept = (data[segment.start : segment.end] for segment in segments if segment.marker not in _METADATA)
    return b"".join((data[: len(START)], *kept, data[segments[-1].end :]))


def has_one_scan(header: bytes) -> bool:
    """Whether the picture is in the one scan that a header ends with, in Huffman's codes.

    Args:
        header: Up to `header_length`.

    Source: B.2.2 (frame header: length 2, precision 1, lines 2, samples 2, number of components 1) and B.2.3 (scan header:
    length 2, number of components 1).
    """
    segments = _segments(header)
    frames = [segment for segment in segments if segment.marker in _FRAMES]
    if len(frames) != 1 or frames[0].marker not in _HUFFMAN_FRAMES:
        return False
    in_frame, in_scan = header[frames[0].start + 9 :][:1], header[segments[-1].start + 4 :][:1]
    return in_frame == in_scan != b"\0"


def _segments(data: bytes | memoryview) -> list[_Segment]:
    """The segments up to the first scan's header; none if that is not within the bytes given, or if one is unusual."""
    segments = list(_walk(data))
    return segments if segments and segments[-1].marker == _START_OF_SCAN and segments[-1].end <= len(data) else []


def _walk(data: bytes | memoryview) -> Iterator[_Segment]:
    place = len(START)
    while place + 4 <= len(data):
        marker, size = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        if data[place] != 0xFF or marker in _WITHOUT_LENGTH or size < 2:
            return
        yield _Segment(marker, place, place + 2 + size)
        if marker == _START_OF_SCAN:
            return
        place += 2 + size
