"""What ties an episode's files to their places: which files it has, and a checksum of each, in its root metadata.

A chunk's own checksum says that its bytes are whole, not that they are this array's. The root attribute `checksums` has a text
for every array: one word a file of chunks, in their order, eight hexadecimal digits, or `-` where there was none to write. Its
`metadata` is the checksum of the root metadata's file itself, its own digits taken as zeros.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bagmill.disk.checksum import bytes_checksum

ATTRIBUTE: Final = "checksums"
_METADATA: Final = "metadata"
_ARRAYS: Final = "arrays"
_NO_FILE: Final = "-"
_ZEROS: Final = "crc32c:00000000"
_STATED: Final = re.compile(rb'"checksums": \{\s*"metadata": "(crc32c:[0-9a-f]{8})"')


def to_attribute(checksums: Mapping[str, Sequence[str | None]]) -> dict[str, Any]:
    """The attribute's value, before `seal`.

    Args:
        checksums: By array, of its files of chunks; None where there is no file.
    """
    arrays = {name: " ".join(each or _NO_FILE for each in checksums[name]) for name in sorted(checksums)}
    return {_METADATA: _ZEROS, _ARRAYS: arrays}


def of_attribute(attributes: Mapping[str, Any]) -> dict[str, list[str | None]] | None:
    """By array, as `to_attribute` took them; None for an episode from before there were any."""
    stated = attributes.get(ATTRIBUTE)
    if stated is None:
        return None
    return {
        name: [None if each == _NO_FILE else each for each in text.split()] for name, text in stated[_ARRAYS].items()
    }


def seal(text: bytes) -> bytes:
    """The root metadata's file with its checksum."""
    found = _STATED.search(text)
    assert found is not None, "it has the attribute"
    return text[: found.start(1)] + bytes_checksum(text).encode() + text[found.end(1) :]


def may_be_sealed(text: bytes) -> bool:
    """Whether the root metadata's file has the attribute, or half of it: one flipped bit leaves the other half legible."""
    return b'"checksums": {' in text or b'"metadata": "crc32c:' in text


def is_sealed_right(text: bytes) -> bool:
    """Whether the root metadata's file matches its checksum."""
    found = _STATED.search(text)
    if found is None:
        return False
    zeroed = text[: found.start(1)] + _ZEROS.encode() + text[found.end(1) :]
    return bytes_checksum(zeroed).encode() == found[1]
