"""Little-endian fields of a record, bounds-checked."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")


class DamagedRecordError(ValueError):
    """A record whose fields do not fit into it; never leaves this package."""


class Fields:
    """Reads one record's fields in turn.

    Args:
        data: The record without its opcode and length.
    """

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self.position = 0

    def _take(self, length: int) -> int:
        start, self.position = self.position, self.position + length
        if self.position > len(self._data):
            raise DamagedRecordError(f"a field of {length} bytes runs past the record's {len(self._data)}")
        return start

    def u16(self) -> int:
        """Unsigned, 16 bits."""
        value: int = _U16.unpack_from(self._data, self._take(2))[0]
        return value

    def u32(self) -> int:
        """Unsigned, 32 bits."""
        value: int = _U32.unpack_from(self._data, self._take(4))[0]
        return value

    def u64(self) -> int:
        """Unsigned, 64 bits."""
        value: int = _U64.unpack_from(self._data, self._take(8))[0]
        return value

    def view(self, length: int) -> memoryview:
        """The next `length` bytes without a copy."""
        start = self._take(length)
        return self._data[start : start + length]

    def data(self) -> bytes:
        """Bytes behind a 32-bit length."""
        return bytes(self.view(self.u32()))

    def text(self) -> str:
        """UTF-8 behind a 32-bit length."""
        try:
            return self.data().decode()
        except UnicodeDecodeError as err:
            raise DamagedRecordError("a text is not UTF-8") from err

    def entries(self) -> Iterator[Fields]:
        """These fields again and again until an array, whose 32-bit length in bytes comes first, is used up."""
        length = self.u32()
        end = self._take(length) + length
        self.position = end - length
        while self.position < end:
            yield self
            if self.position > end:
                raise DamagedRecordError("an array's last element runs past its end")
