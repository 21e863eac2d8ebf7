"""Where everything stands in one ROS message, so that the messages laid out like it can be read without a decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rosbags.interfaces import Nodetype
from rosbags.interfaces.typing import FieldDesc
from rosbags.typesys.store import Typestore

from bagmill.errors import DecodeError
from bagmill.messages.ros_walk import SIZES, fields_of
from bagmill.messages.wire import BIG_ENDIAN, WireReader
from bagmill.recordings.records import Buffer

_KINDS = {
    "bool": "?",
    **dict.fromkeys(("byte", "int8"), "i1"),
    **dict.fromkeys(("char", "octet", "uint8"), "u1"),
    **{f"int{8 * size}": f"i{size}" for size in (2, 4, 8)},
    **{f"uint{8 * size}": f"u{size}" for size in (2, 4, 8)},
    **{f"float{8 * size}": f"f{size}" for size in (4, 8)},
}


@dataclass(frozen=True, slots=True)
class RosLayout:
    """One message's layout. Bytes are counted from the payload's first, CDR's encapsulation included."""

    message: Any
    """The message as its decoder gives it, but with the position in `offsets` in the place of every number."""
    offsets: NDArray[np.int64]
    """(P,) where every number of the message begins, in the order of the definition."""
    dtypes: tuple[str, ...]
    """(P,) what stands there, byte order included, as NumPy writes it: `<f8`."""
    lengths: NDArray[np.int64]
    """(L,) every byte that the layout hangs on: encapsulation, lengths of texts and lists, the NULs behind CDR's texts."""
    text: NDArray[np.int64]
    """(C,) every byte of a text."""


def ros_layout(data: Buffer, store: Typestore, schema_name: str, *, message_encoding: str) -> RosLayout:
    """The layout of a message.

    Args:
        data: A payload that its decoder accepts.
        store: Where the message's type is defined.
        schema_name: Its type.
        message_encoding: `cdr` or `ros1`.

    Raises:
        DecodeError: The message breaks off, or there is a number in it that has no place in NumPy.
    """
    walk = _Walk(data, store, message_encoding=message_encoding)
    message = walk.message(schema_name)
    return RosLayout(
        message=message,
        offsets=np.array(walk.offsets, np.int64),
        dtypes=tuple(walk.dtypes),
        lengths=np.array(walk.lengths, np.int64),
        text=np.array(walk.text, np.int64),
    )


class _Walk:
    """A reader that goes over a message and notes what stands where."""

    def __init__(self, data: Buffer, store: Typestore, *, message_encoding: str) -> None:
        self._reader = WireReader(data, message_encoding=message_encoding)
        self._store = store
        self._encoding = message_encoding
        self._start = 4 if self._reader.is_cdr else 0
        self._order = ">" if self._reader.is_cdr and data[:2] == BIG_ENDIAN else "<"
        self.offsets: list[int] = []
        self.dtypes: list[str] = []
        self.lengths = [0, 1] if self._reader.is_cdr else []
        self.text: list[int] = []

    def message(self, name: str) -> Any:
        fields = fields_of(self._store, name, message_encoding=self._encoding)
        return self._store.types[name](*(self._value(kind) for _, kind in fields))

    def _value(self, kind: FieldDesc) -> Any:
        if kind[0] == Nodetype.NAME:
            return self.message(kind[1])
        if kind[0] == Nodetype.BASE:
            return self._text() if kind[1][0] == "string" else self._numbers(kind[1][0], count=1).start
        item, length = kind[1]
        count = length if kind[0] == Nodetype.ARRAY else self._count()
        if item[0] == Nodetype.BASE and item[1][0] != "string":
            return np.array(self._numbers(item[1][0], count=count), np.int64)
        return [self._value(item) for _ in range(count)]

    def _count(self) -> int:
        count = self._reader.uint32()
        end = self._start + self._reader.position
        self.lengths += range(end - 4, end)
        return count

    def _text(self) -> str:
        size = self._count()
        first = self._start + self._reader.skip(size)
        end = first + size
        if self._reader.is_cdr:
            end -= 1
            self.lengths.append(end)
        self.text += range(first, end)
        return bytes(self._reader.data[first - self._start : end - self._start]).decode()

    def _numbers(self, name: str, *, count: int) -> range:
        if name not in _KINDS:
            raise DecodeError(f"there is no reading numbers of kind {name} by their place")
        size = SIZES[name]
        if count:  # CDR does not align for items that are not there
            first = self._start + self._reader.skip(size * count, alignment=size)
            self.offsets += range(first, first + size * count, size)
            self.dtypes += [self._order + _KINDS[name]] * count
        return range(len(self.offsets) - count, len(self.offsets))
