"""Which JPEGs of a recording may become frames, and which of their bytes.

A frame is what libjpeg makes a whole picture of, as Pillow, OpenCV and zarr's JPEG codec do: bytes between the picture and
its end, damaged blocks that libjpeg warns of, and anything behind the end marker are no reason to lose it. Its bytes are
stored as they were recorded. A file of one scan whose picture is whole and whose end marker is missing is stored with one,
because Pillow and OpenCV refuse it without. A file that breaks off inside its picture is none.

To decode every frame would cost many times what copying it does. libjpeg can fail for good at a marker or in a header, never
at entropy-coded data: those it only warns of. So a header is tried out once, with no data behind it, and of every frame
the data are searched for markers. What is built in any other way is decoded.
"""

from __future__ import annotations

import re

import numpy as np
import simplejpeg

from bagmill.codecs.jpeg import refuse_cmyk, refuse_many_scans
from bagmill.codecs.jpeg_header import jpeg_info, reason_of
from bagmill.codecs.jpeg_segments import END, START, has_one_scan, header_length, without_metadata
from bagmill.codecs.pillow_jpeg import decode_by_pillow
from bagmill.errors import CodecError

_MARKER = re.compile(rb"(?<!\xff)\xff++[^\x00\xd0-\xd7\xff]")
"""In entropy-coded data, 0xFF is followed by a zero or a restart marker's number; anything else ends them. Before a marker's
number, any number of 0xFF may stand."""
_MAX_HEADERS = 8
_MAX_HEADER_BYTES = 2048
"""Of a header that is remembered."""
_BYTES_MORE = re.compile(r"extraneous bytes before marker 0xd9")
"""What libjpeg says of bytes between the picture, which is whole, and its end."""

_WARNING = re.compile(
    "Corrupt JPEG data|Corrupt data in arithmetic|Inconsistent progression|Invalid SOS parameters|Unknown Adobe|Warning:"
)
"""What libjpeg says of a picture that it decodes nevertheless. `Premature end of JPEG file` is none: Pillow refuses that.
Asked for, because TurboJPEG takes an error for a warning where a warning came before it."""
_BREAKS_OFF = "a JPEG that breaks off before its end"

_sound_headers: list[bytes] = []
"""Headers that have been tried out, the latest first. Threads share it: the worst is that one is tried again."""


def whole_jpeg(data: bytes | memoryview) -> bytes | memoryview:
    """The bytes to store of a JPEG: these, or these and the end marker that they lack.

    Args:
        data: A file's bytes, with anything behind its end.

    Raises:
        CodecError: It breaks off, or libjpeg cannot decode it.
    """
    view = memoryview(data)
    length = _sound_header_length(view)
    marker = None if length is None else _first_marker(view, length)
    if marker == END[1]:
        return data
    file = bytes(view)
    if length is not None and marker is None:
        return _completed(file)
    if file.find(END, header_length(file) or len(START)) < 0:
        # Of several scans, the last may be missing and every block be there all the same, only coarser.
        raise CodecError(_BREAKS_OFF)
    _check_decodable(file)
    return data


def _sound_header_length(view: memoryview) -> int | None:
    """Where the data of a JPEG with one scan begin, whose header libjpeg accepts; None for all others."""
    for header in _sound_headers:
        if view[: len(header)] == header:
            return len(header)
    length = header_length(view)
    if length is None:
        return None
    header = bytes(view[:length])
    bare = without_metadata(header)
    if bare not in _sound_headers:
        if not has_one_scan(bare):
            return None
        try:
            # Decoded without any data: all that it is refused for is the header.
            _check_decodable(bare + END)
        except CodecError:
            return None
    for sound in {bare, header}:
        if len(sound) <= _MAX_HEADER_BYTES:
            _sound_headers.insert(0, sound)
    del _sound_headers[_MAX_HEADERS:]
    return length


def _first_marker(view: memoryview, start: int) -> int | None:
    """The first marker behind `start` that is not part of entropy-coded data; None if there is none."""
    values = np.frombuffer(view, np.uint8)[start:]
    if len(values) < 2:
        return None
    # Most JPEGs have no restart markers: the first 0xFF without a zero is their end.
    first = int(((values[:-1] == 0xFF) & (values[1:] != 0)).argmax())
    if values[first] == 0xFF and values[first + 1] == END[1]:
        return END[1]
    found = _MARKER.search(view[start:])
    return None if found is None else found[0][-1]


def _check_decodable(file: bytes) -> None:
    """Refuse what our decoder or Pillow refuses: at an eighth of the size, which they refuse for the same reasons.

    Raises:
        CodecError: One of them does.
    """
    info = jpeg_info(file)
    refuse_cmyk(info)
    refuse_many_scans(file)
    if info.is_usual:
        problem = jpeg_problem(file)
        if problem is not None and not _WARNING.match(problem):
            raise CodecError(f"a damaged JPEG ({problem})")
    height, width, _ = decode_by_pillow(file, divisor=8).shape
    if (height, width) != (-(-info.height // 8), -(-info.width // 8)):
        raise CodecError(f"a JPEG that says {info.width}×{info.height} and holds another size")


def jpeg_problem(file: bytes) -> str | None:
    """What libjpeg says of a JPEG when all of it is decoded, a warning or worse; None where nothing is wrong.

    Of a picture that `whole_jpeg` lets pass, it is a warning: parts of the picture may be gray or of wrong colours.
    """
    try:
        simplejpeg.decode_jpeg(file, colorspace="RGB", min_height=1, min_width=1)
    except (ValueError, TypeError) as err:
        return reason_of(err)
    return None


def _completed(file: bytes) -> bytes:
    """A file without an end marker, with one.

    Raises:
        CodecError: Not all of its picture is there.
    """
    completed = file.rstrip(b"\0") + END
    problem = jpeg_problem(completed)
    if problem is not None and not _BYTES_MORE.search(problem):
        raise CodecError(_BREAKS_OFF)
    return completed
