"""A rosbag2 database's tables out of the pages of a damaged file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from bagmill.recordings.fields import DamagedRecordError
from bagmill.recordings.salvage.sqlite_pages import DatabasePages, Value

_CREATE: Final = re.compile(r"\s*CREATE\s+TABLE\s+[^(]*\((.*)\)", re.IGNORECASE | re.DOTALL)
_SCHEMA_PAGE: Final = 1
NamedRow = dict[str, Value]


class DamagedTables:
    """The tables of a database as far as its pages go.

    Args:
        pages: Of the file.

    Raises:
        DamagedRecordError: The list of its tables is not there, or is not a rosbag2's.
    """

    def __init__(self, pages: DatabasePages) -> None:
        self.pages = pages
        self._roots: dict[str, tuple[int, tuple[str, ...]]] = {}
        for _, values in pages.rows(_SCHEMA_PAGE):
            match values:
                case ("table", str(name), str(), int(root), str(sql)):
                    self._roots[name] = (root, _columns(sql))
        if not {"topics", "messages"} <= self._roots.keys():
            raise DamagedRecordError("the list of its tables is damaged, or not a rosbag2's")

    @property
    def names(self) -> frozenset[str]:
        """Of all tables."""
        return frozenset(self._roots)

    def columns(self, table: str) -> tuple[str, ...]:
        """Names of a table's columns."""
        return self._roots[table][1]

    def rows(self, table: str) -> Iterator[NamedRow]:
        """A table's rows by column, in the order of their ids."""
        root, columns = self._roots[table]
        for row_id, values in self.pages.rows(root):
            yield {"id": row_id, **{name: value for name, value in zip(columns, values, strict=False) if name != "id"}}

    def messages(
        self, topic_ids: Collection[int], *, after: int | None
    ) -> Iterator[tuple[int, int, int | None, bool, bytes | None]]:
        """Row id, topic id, stamp, whether there is data, data: of every message with a higher row id, by row id."""
        root, columns = self._roots["messages"]
        if not {"topic_id", "timestamp", "data"} <= set(columns):
            return
        topic, stamp, data = (columns.index(name) for name in ("topic_id", "timestamp", "data"))

        def is_message(values: tuple[Value, ...]) -> bool:
            return (
                len(values) == len(columns)
                and values[topic] in topic_ids
                and type(values[stamp]) is int
                and isinstance(values[data], bytes)
            )

        for row_id, values in self.pages.all_rows(root, is_message, after=after):
            if len(values) == len(columns) and isinstance(topic_id := values[topic], int):
                stamp_ns, content = values[stamp], values[data]
                is_blob = isinstance(content, bytes)
                yield (
                    row_id,
                    topic_id,
                    stamp_ns if isinstance(stamp_ns, int) else None,
                    is_blob,
                    content if isinstance(content, bytes) else None,
                )


def _columns(sql: str) -> tuple[str, ...]:
    """Names of the columns that a statement defines: the first word of each part between commas."""
    match = _CREATE.match(sql)
    if match is None:
        return ()
    parts, depth = [""], 0
    for character in match[1]:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    words = [part.split() for part in parts]
    return tuple(word[0].strip('"`[]').lower() for word in words if word)
