"""Checksums of what lies on the disk for years: `crc32c:` and eight hexadecimal digits."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import google_crc32c

_PREFIX: Final = "crc32c:"
_BLOCK_BYTES: Final = 1 << 20


def bytes_checksum(data: bytes) -> str:
    """CRC-32C of some bytes (about a millisecond for ten mebibytes)."""
    return f"{_PREFIX}{google_crc32c.value(data):08x}"


def file_checksum(path: Path) -> str:
    """CRC-32C of a file's bytes, a mebibyte at a time.

    Raises:
        OSError: It cannot be read.
    """
    value = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            value = google_crc32c.extend(value, block)
    return f"{_PREFIX}{value:08x}"
