"""A SQLite database's tables read page by page, for files that SQLite refuses: cut off, or with pages that are none.

SQLite opens no file that is shorter than its header says, and its own recovery is compiled into neither Python's library nor
any package that this one depends on. What is read here is less: rows of tables, from whole leaf pages.

Source: SQLite database file format, https://sqlite.org/fileformat2.html, sections 1.3 to 1.6 and 2.1
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Final

from bagmill.limits import limits
from bagmill.recordings.fields import DamagedRecordError
from bagmill.recordings.file_window import FileWindow, RecordingFile

Value = int | float | bytes | str | None
Row = tuple[int, tuple[Value, ...]]
"""Row id and values; the column that is the row id itself is None."""

_HEADER_BYTES: Final = 100
_LEAF, _INTERIOR = 0x0D, 0x05
_MOST_DEPTH: Final = 24
_INTEGER_BYTES: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
"""Serial type → bytes of a whole number."""
_ENCODINGS: Final = {1: "utf-8", 2: "utf-16-le", 3: "utf-16-be"}


class DatabasePages:
    """The whole pages of a database file; one page, and one row with its overflow, is in memory at a time.

    Args:
        file: Open.

    Raises:
        DamagedRecordError: The file's first page is not there, or its header is not one.
    """

    def __init__(self, file: RecordingFile) -> None:
        self._window = FileWindow(file, lookahead_bytes=0)
        try:
            header = bytes(self._window.view(0, _HEADER_BYTES))
        except EOFError as err:
            raise DamagedRecordError("the file ends within its header") from err
        (size,) = struct.unpack_from(">H", header, 16)
        self._page_bytes = 65_536 if size == 1 else size
        self._usable_bytes = self._page_bytes - header[20]
        if self._page_bytes < 512 or self._page_bytes & (self._page_bytes - 1) or self._usable_bytes < 480:
            raise DamagedRecordError(f"its pages cannot be of {self._page_bytes} bytes")
        self._encoding = _ENCODINGS.get(int.from_bytes(header[56:60], "big"), "utf-8")
        self._has_pointer_maps = any(header[52:56])
        self._first_free = int.from_bytes(header[32:36], "big")
        self.num_pages = self._window.size_bytes // self._page_bytes
        """Whole pages that it has."""
        if self.num_pages < 1:
            raise DamagedRecordError("the file ends within its first page")
        is_count_valid = header[24:28] == header[92:96]  # old writers change a database without counting its pages anew
        self.num_announced = int.from_bytes(header[28:32], "big") if is_count_valid else 0
        """Pages that the file should have, by its header; 0 where that does not tell."""

    @property
    def is_cut(self) -> bool:
        """Whether the file is shorter than its header says, or ends within a page; SQLite would read that one as if filled up."""
        is_whole = self._window.size_bytes % self._page_bytes == 0
        return not is_whole or self._window.size_bytes < self.num_announced * self._page_bytes

    def leave_out_zeros(self) -> None:
        """Leave out pages at the end that were never written, with the one before them, which may be half written."""
        number = self.num_pages
        while number > 1 and not any(self._page(number)):
            number -= 1
        if number < self.num_pages:
            self.num_pages = max(number - 1, 1)

    def rows(self, root: int) -> Iterator[Row]:
        """Rows of a table as far as its tree reaches them, in the order of the tree."""
        for number in self._leaves(root, visited=set()):
            yield from self._rows_of(number, taken=set())

    def all_rows(self, root: int, is_row: Callable[[tuple[Value, ...]], bool], *, after: int | None) -> Iterator[Row]:
        """Rows of a table by rising row id: those that its tree reaches, and those of leaves that the tree has lost.

        Args:
            root: First page of the table.
            is_row: Whether values can be a row of this table: asked of leaves that the tree does not reach.
            after: Only rows with a higher id; None: all.
        """
        visited: set[int] = set()
        leaves = [
            (first, 0, number) for number in self._leaves(root, visited=visited) for first in self._first_id(number)
        ]
        free = self._free_pages()
        for number in range(2, self.num_pages + 1):
            if number not in visited and number not in free and self._kind(number) == _LEAF:
                found = [values for _, values in self._rows_of(number, taken=set(), most_overflow_bytes=0)]
                if found and all(map(is_row, found)):
                    leaves += [(first, 1, number) for first in self._first_id(number)]
        last, taken = after, set[int]()
        for _, is_lost, number in sorted(leaves):
            for row_id, values in self._rows_of(number, taken=taken):
                # Of a leaf that was replaced by others and stands in the file still, nothing is read twice.
                if (last is None or row_id > last) and (not is_lost or is_row(values)):
                    last = row_id
                    yield row_id, values

    def _page(self, number: int) -> memoryview:
        return self._window.view((number - 1) * self._page_bytes, self._page_bytes)

    def _kind(self, number: int) -> int:
        if not 1 <= number <= self.num_pages or self._is_pointer_map(number):
            return 0
        return self._page(number)[_HEADER_BYTES if number == 1 else 0]

    def _is_pointer_map(self, number: int) -> bool:
        return self._has_pointer_maps and (number - 2) % (self._usable_bytes // 5 + 1) == 0 and number > 1

    def _free_pages(self) -> set[int]:
        """Pages that hold nothing any more, as far as their list can be read."""
        free: set[int] = set()
        trunk = self._first_free
        while 1 < trunk <= self.num_pages and trunk not in free:
            free.add(trunk)
            following, count = struct.unpack_from(">II", self._page(trunk))
            count = min(count, self._usable_bytes // 4 - 2)
            free.update(struct.unpack_from(f">{count}I", self._page(trunk), 8))
            trunk = following
        return free

    def _leaves(self, number: int, *, visited: set[int], depth: int = 0) -> Iterator[int]:
        """Leaf pages below a page, from left to right."""
        if number in visited or depth > _MOST_DEPTH:
            return
        kind = self._kind(number)
        if kind not in {_LEAF, _INTERIOR}:
            return
        visited.add(number)
        if kind == _LEAF:
            yield number
            return
        page, start = bytes(self._page(number)), _HEADER_BYTES if number == 1 else 0
        for cell in self._cells(page, start, header_bytes=12):
            if cell + 4 <= len(page):
                yield from self._leaves(int.from_bytes(page[cell : cell + 4], "big"), visited=visited, depth=depth + 1)
        rightmost = int.from_bytes(page[start + 8 : start + 12], "big")
        yield from self._leaves(rightmost, visited=visited, depth=depth + 1)

    def _cells(self, page: bytes, start: int, *, header_bytes: int) -> list[int]:
        """Offsets of a page's cells, in the order of their keys."""
        count = int.from_bytes(page[start + 3 : start + 5], "big")
        first = start + header_bytes
        count = min(count, (self._usable_bytes - first) // 2)
        return list(struct.unpack_from(f">{count}H", page, first))

    def _first_id(self, number: int) -> list[int]:
        """The first row id of a leaf, or nothing where it holds no row."""
        for row_id, _ in self._rows_of(number, taken=set(), most_overflow_bytes=0):
            return [row_id]
        return []

    def _rows_of(self, number: int, *, taken: set[int], most_overflow_bytes: int | None = None) -> Iterator[Row]:
        """The whole rows of a leaf page.

        Args:
            number: Of the page.
            taken: Overflow pages that rows have used: none belongs to two.
            most_overflow_bytes: 0: a row's values without what stands on other pages, to look at.
        """
        page, start = bytes(self._page(number)), _HEADER_BYTES if number == 1 else 0
        for cell in self._cells(page, start, header_bytes=8):
            try:
                length, position = _varint(page, cell)
                row_id, position = _varint(page, position)
                row_id = row_id - (1 << 64) if row_id >= 1 << 63 else row_id
                local = self._local_bytes(length)
                if position + local + (4 if local < length else 0) > self._usable_bytes or not length:
                    raise DamagedRecordError("a cell runs past its page")  # noqa: TRY301 - told like every damaged cell
                payload = page[position : position + local]
                if local < length and most_overflow_bytes is None:
                    following = int.from_bytes(page[position + local : position + local + 4], "big")
                    payload += self._overflow(following, length - local, taken=taken)
                yield row_id, _values(payload, length, encoding=self._encoding)
            except DamagedRecordError:
                continue

    def _local_bytes(self, length: int) -> int:
        """How much of a row of that many bytes stands in its leaf page."""
        most = self._usable_bytes - 35
        if length <= most:
            return length
        least = (self._usable_bytes - 12) * 32 // 255 - 23
        fitting = least + (length - least) % (self._usable_bytes - 4)
        return fitting if fitting <= most else least

    def _overflow(self, number: int, length: int, *, taken: set[int]) -> bytes:
        if length > min(limits().record_bytes, self._window.size_bytes):
            raise DamagedRecordError("a row is larger than the file")
        parts: list[bytes] = []
        room = self._usable_bytes - 4
        while length > 0:
            if not 1 < number <= self.num_pages or number in taken or self._is_pointer_map(number):
                raise DamagedRecordError("a row's overflow is not there")
            taken.add(number)
            page = self._page(number)
            parts.append(bytes(page[4 : 4 + min(room, length)]))
            length -= room
            number = int.from_bytes(page[:4], "big")
        if number:
            raise DamagedRecordError("a row's overflow goes on behind its end")
        return b"".join(parts)


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for n in range(9):
        if position >= len(data):
            raise DamagedRecordError("a number runs past its page")
        byte = data[position]
        position += 1
        if n == 8:
            return (value << 8) | byte, position
        value = (value << 7) | (byte & 0x7F)
        if byte < 0x80:
            break
    return value, position


def _values(payload: bytes, length: int, *, encoding: str) -> tuple[Value, ...]:
    """A record's values; what stands behind the payload's end (looked at without its overflow) is cut off.

    Raises:
        DamagedRecordError: Its fields do not add up to its length.
    """
    header_bytes, position = _varint(payload, 0)
    if not position <= header_bytes <= len(payload):
        raise DamagedRecordError("a row's header runs past the row")
    kinds: list[int] = []
    while position < header_bytes:
        kind, position = _varint(payload, position)
        kinds.append(kind)
    sizes = [_size_of(kind) for kind in kinds]
    if position != header_bytes or header_bytes + sum(sizes) != length:
        raise DamagedRecordError("a row's fields do not add up to its length")
    values: list[Value] = []
    for kind, size in zip(kinds, sizes, strict=True):
        values.append(_value(kind, payload[position : position + size], encoding=encoding))
        position += size
    return tuple(values)


def _size_of(kind: int) -> int:
    if kind >= 12:
        return (kind - 12) // 2
    if kind in {10, 11}:
        raise DamagedRecordError("a row's field is of no known type")
    return 8 if kind == 7 else _INTEGER_BYTES.get(kind, 0)


def _value(kind: int, data: bytes, *, encoding: str) -> Value:
    if kind >= 12:
        return data if kind % 2 == 0 else data.decode(encoding, errors="replace")
    if kind == 7:
        return float(struct.unpack(">d", data)[0]) if len(data) == 8 else None
    if kind in {8, 9}:
        return kind - 8
    return int.from_bytes(data, "big", signed=True) if kind else None
