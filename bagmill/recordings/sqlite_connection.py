"""SQLite on a file that comes from elsewhere: opened so that nothing in the file decides what is executed, or for how long.

A database can hold a view in a table's place, a column whose value a function computes, or a tree of pages that names one
page a thousand times. What is read here are plain tables with plain columns, and every statement has its limits.

Source: https://sqlite.org/security.html, "Untrusted SQLite Database Files".
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bagmill.limits import limits

_STEPS: Final = 10_000
"""Between two looks at how far a statement is."""
_MOST_TABLES: Final = 1_000


class TableError(ValueError):
    """A table that is none, or whose pages contradict themselves; never leaves this package."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection that never writes, takes no locks, and may be handed from thread to thread.

    The caller has made sure that the path is a regular file.
    """
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, min(limits().record_bytes, 2**31 - 1))
    database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    database.setlimit(sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 1)
    for setting in ("trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0", "query_only = ON"):
        database.execute(f"PRAGMA {setting}")
    return database


class Steps:
    """The statements of a connection, each ended where it works for too long without giving a row.

    Counted are the steps of SQLite's machine, not seconds: a slow disk ends nothing, and the same file ends at the same row.

    Args:
        database: The connection.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._most = limits().sql_steps // _STEPS
        self._num = 0
        database.set_progress_handler(self._is_too_long, _STEPS)

    def rows(self, query: str, parameters: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows that a statement gives.

        Raises:
            sqlite3.Error: The file is damaged, or the statement is ended.
        """
        self._num = 0
        for row in self._database.execute(query, parameters):
            self._num = 0
            yield row

    def _is_too_long(self) -> bool:
        self._num += 1
        return self._num > self._most


def tables_of(steps: Steps) -> dict[str, str]:
    """What a database holds under each name: `table`, or what stands in the place of one.

    Raises:
        sqlite3.Error: The file is damaged.
        TableError: There are far too many.
    """
    found: dict[str, str] = {}
    for kind, name, root_page in steps.rows("SELECT type, name, rootpage FROM sqlite_master"):
        if kind in {"table", "view"} and isinstance(name, str):
            found[name] = kind if kind == "view" or root_page else "virtual table"  # what is computed has no page
        if len(found) > _MOST_TABLES:
            raise TableError(f"there are more than {_MOST_TABLES} tables")
    return found


def columns_of(database: sqlite3.Connection, table: str, tables: Mapping[str, str]) -> set[str]:
    """The columns of a table, once it is certain that it is one, with nothing but stored values.

    Raises:
        sqlite3.Error: The file is damaged.
        TableError: It is a view or a virtual table, has columns that are computed, or no row ids.
    """
    if tables[table] != "table":
        raise TableError(f"`{table}` is a {tables[table]} where a table should be")
    columns: set[str] = set()
    for _, name, _, _, _, _, hidden in database.execute(f"PRAGMA table_xinfo({table})"):
        if hidden:
            raise TableError(f"column `{name}` of `{table}` is computed where it should be stored")
        columns.add(name)
    for _, _, kind, _, is_without_rowid, _ in database.execute(f"PRAGMA table_list({table})"):
        if kind != "table" or is_without_rowid:
            raise TableError(f"`{table}` is a table of another kind than a rosbag2's")
    return columns
