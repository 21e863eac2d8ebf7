"""Reading the fields of a ROS message one after the other, without deserialising what is not asked for."""

from __future__ import annotations

from struct import Struct

from bagmill.errors import DecodeError
from bagmill.recordings.compression import ZSTD_MAGIC
from bagmill.recordings.records import Buffer

UINT32 = {"little": Struct("<I"), "big": Struct(">I")}
INT32 = {"little": Struct("<i"), "big": Struct(">i")}

BIG_ENDIAN, LITTLE_ENDIAN = b"\x00\x00", b"\x00\x01"
"""How a message of plain CDR begins."""

_CDR_ORDERS = {BIG_ENDIAN: "big", LITTLE_ENDIAN: "little"}


class WireReader:
    """A position in a message's bytes, moving forward field by field.

    CDR aligns every number to its own size, counted from behind the four bytes of encapsulation; ROS 1 packs everything
    and is little-endian. Strings of CDR count their closing NUL, those of ROS 1 have none.

    Args:
        data: The payload.
        message_encoding: `cdr` or `ros1`.

    Raises:
        DecodeError: A CDR encapsulation other than plain CDR.

    Source: OMG DDSI-RTPS 2.3, section 10 (encapsulation 0x0000 and 0x0001); OMG CORBA 3.0, section 15.3 (CDR).
    """

    __slots__ = ("_int32", "_uint32", "data", "is_cdr", "position")

    def __init__(self, data: Buffer, *, message_encoding: str) -> None:
        view = memoryview(data)
        self.is_cdr = message_encoding == "cdr"
        order = cdr_byte_order(view) if self.is_cdr else "little"
        self.data = view[4:] if self.is_cdr else view
        self.position = 0
        self._uint32 = UINT32[order]
        self._int32 = INT32[order]

    def skip(self, size: int, *, alignment: int = 1) -> int:
        """Step over `size` bytes and return where they begin."""
        start = self.position
        if self.is_cdr and alignment > 1:
            start += -start % alignment
        end = start + size
        if end > len(self.data):
            raise DecodeError(
                f"expected {size} more bytes at byte {start} of a message of {len(self.data)}",
                remedy="The message was cut off",
            )
        self.position = end
        return start

    def uint8(self) -> int:
        """The next `uint8`, or a `bool`."""
        return self.data[self.skip(1)]

    def uint32(self) -> int:
        """The next `uint32`."""
        return int(self._uint32.unpack_from(self.data, self.skip(4, alignment=4))[0])

    def int32(self) -> int:
        """The next `int32`."""
        return int(self._int32.unpack_from(self.data, self.skip(4, alignment=4))[0])

    def byte_sequence(self) -> memoryview:
        """A `uint8[]`, as a view."""
        size = self.uint32()
        start = self.skip(size)
        return self.data[start : start + size]

    def string(self) -> str:
        """The next string, without CDR's closing NUL."""
        raw = bytes(self.byte_sequence())
        if self.is_cdr:
            raw = raw.removesuffix(b"\x00")
        return raw.decode()

    def skip_header(self) -> None:
        """Step over a std_msgs/Header: in ROS 1 it begins with a counter."""
        if not self.is_cdr:
            self.skip(4)
        self.skip(8, alignment=4)
        self.byte_sequence()


def cdr_byte_order(data: memoryview) -> str:
    """`little` or `big`, from a CDR payload's first two bytes.

    Raises:
        DecodeError: Fewer than the four bytes of encapsulation, or a representation other than plain CDR.
    """
    if len(data) < 4:
        raise DecodeError(f"expected at least 4 bytes of CDR encapsulation, found {len(data)}")
    order = _CDR_ORDERS.get(bytes(data[:2]))
    if order is None and data[:4] == ZSTD_MAGIC:
        raise DecodeError(
            "the message is compressed by itself with zstd, and damaged", remedy="Copy the recording again"
        )
    if order is None:
        raise DecodeError(
            f"CDR representation 0x{bytes(data[:2]).hex()} is not supported",
            remedy="Supported: plain CDR, 0x0000 and 0x0001",
        )
    return order
