"""Parquet files that carry a checksum over all of their bytes, in their own metadata.

The pages' own checksums, which Parquet has, leave out the footer: names of columns, places of pages, and what we say there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from bagmill.disk import bytes_checksum

_KEY: Final = "bagmill_checksum"
_MARK: Final = b"bagmill_checksum crc32c:"
_NUM_DIGITS: Final = 8
_BLANK: Final = b"0" * _NUM_DIGITS
"""Stands for the checksum while it is taken: a value of fixed length in the footer can be put in afterwards."""


def write_sealed(table: pa.Table, *, facts: Mapping[str, str]) -> bytes:
    """A table as a Parquet file with its checksum.

    Args:
        table: With its schema's metadata.
        facts: Further keys and values of the file's metadata.
    """
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, table.schema, compression="zstd") as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({**facts, _KEY: (_MARK + _BLANK).decode("ascii")})
    data = bytearray(sink.getvalue())
    place = _place(data)
    assert place is not None, "written just now"
    data[place : place + _NUM_DIGITS] = _digits(bytes(data))
    return bytes(data)


def check_sealed(data: bytes) -> None:
    """Compare a file with its checksum; one that was written before files had any passes.

    Raises:
        ValueError: It does not match.
    """
    place = _place(data)
    if place is None:
        # The mark's first word is its key in the footer, too: one flipped bit leaves one of them legible.
        if _KEY.encode("ascii") in _footer(data):
            raise ValueError("its bytes do not match their checksum")
        return
    whole, end = memoryview(data), place + _NUM_DIGITS
    if _digits(whole[:place], _BLANK, whole[end:]) != data[place:end]:
        raise ValueError("its bytes do not match their checksum")


def has_checksum(data: bytes) -> bool:
    """Whether a file says what its bytes have to be."""
    return _place(data) is not None


def _place(data: bytes | bytearray) -> int | None:
    # The footer is at the end, so the last one is meant, whatever texts the table holds.
    place = data.rfind(_MARK)
    return None if place < 0 else place + len(_MARK)


def _footer(data: bytes) -> bytes:
    """The footer by its length, which stands before the last four bytes.

    Source: Apache Parquet, "File Format".
    """
    length = int.from_bytes(data[-8:-4], "little")
    return data[-8 - length : -8]


def _digits(*parts: bytes | memoryview) -> bytes:
    return bytes_checksum(*parts).rpartition(":")[2].encode("ascii")
