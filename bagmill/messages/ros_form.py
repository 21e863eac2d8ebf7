"""Which bytes of a ROS message its form hangs on: lengths, and the texts and numbers that name something."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rosbags.interfaces import Nodetype
from rosbags.interfaces.typing import FieldDesc
from rosbags.typesys.store import Typestore

from bagmill.errors import DecodeError
from bagmill.messages.example import MOST_NAMES, is_kept, is_number_that_names, names_something
from bagmill.messages.ros_walk import SIZES, fields_of
from bagmill.messages.wire import WireReader
from bagmill.recordings.records import Buffer

_MOST_BYTES = 1 << 16
"""A form that hangs on more bytes is told anew for every message: nobody trains on such lists of texts."""


def form_bytes(data: Buffer, store: Typestore, schema_name: str, *, message_encoding: str) -> NDArray[np.int64] | None:
    """(B,) places of the bytes in which all messages of one size and form agree, the encapsulation's among them.

    Args:
        data: A payload that its decoder accepts.
        store: Where the message's type is defined.
        schema_name: Its type.
        message_encoding: `cdr` or `ros1`.

    Returns:
        None where there are too many of them, or the message breaks off.
    """
    walk = _Walk(data, store, message_encoding=message_encoding)
    try:
        walk.message(schema_name, is_in_list=False)
    except (DecodeError, _TooManyError):
        return None
    return np.array(walk.told, np.int64)


class _TooManyError(Exception):
    """More bytes than are worth comparing."""


class _Walk:
    """A reader that goes over a message and notes what its form hangs on; lists of numbers are stepped over whole."""

    def __init__(self, data: Buffer, store: Typestore, *, message_encoding: str) -> None:
        self._reader = WireReader(data, message_encoding=message_encoding)
        self._store = store
        self._encoding = message_encoding
        self._start = 4 if self._reader.is_cdr else 0
        self.told: list[int] = [0, 1] if self._reader.is_cdr else []

    def message(self, name: str, *, is_in_list: bool) -> None:
        for field, kind in fields_of(self._store, name, message_encoding=self._encoding):
            self._field(field, kind, is_in_list=is_in_list)

    def _field(self, field: str, kind: FieldDesc, *, is_in_list: bool) -> None:
        if kind[0] == Nodetype.NAME:
            self.message(kind[1], is_in_list=is_in_list)
        elif kind[0] == Nodetype.BASE:
            is_told = is_in_list and names_something(field)
            if kind[1][0] == "string":
                self._text(is_told=is_told)
            else:
                is_told = is_in_list and is_number_that_names(field) and not kind[1][0].startswith("float")
                self._numbers(kind[1][0], count=1, is_told=is_told)
        else:
            item, length = kind[1]
            count = length if kind[0] == Nodetype.ARRAY else self._count()
            self._items(field, item, count, is_in_list=is_in_list)

    def _items(self, field: str, item: FieldDesc, count: int, *, is_in_list: bool) -> None:
        if item[0] == Nodetype.BASE and item[1][0] != "string":
            is_told = count <= MOST_NAMES and is_kept(field, is_in_list=is_in_list) and "float" not in item[1][0]
            self._numbers(item[1][0], count=count, is_told=is_told)
            return
        for _ in range(count):
            before = self._reader.position
            if item[0] == Nodetype.BASE:
                self._text(is_told=count <= MOST_NAMES)
            else:
                self._field(field, item, is_in_list=True)
            if self._reader.position == before:
                return  # items without bytes

    def _count(self) -> int:
        count = self._reader.uint32()
        end = self._start + self._reader.position
        self._tell(end - 4, end)
        return count

    def _text(self, *, is_told: bool) -> None:
        size = self._count()
        first = self._start + self._reader.skip(size)
        if is_told:
            self._tell(first, first + size)

    def _numbers(self, name: str, *, count: int, is_told: bool) -> None:
        if not count:
            return  # CDR does not align for items that are not there
        size = SIZES[name]
        first = self._start + self._reader.skip(size * count, alignment=size)
        if is_told:
            self._tell(first, first + size * count)

    def _tell(self, first: int, end: int) -> None:
        if len(self.told) > _MOST_BYTES:
            raise _TooManyError
        self.told += range(first, end)
