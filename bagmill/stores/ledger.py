"""Which shards are on this machine, so that they stay within a bound, whatever number of processes fetches them.

The ledger is a SQLite file beside them, which any process may write to. A shard's bytes are entered before the first of them is
written, so that the files never take more than the bound, unfinished ones counted. A process that is killed in between
leaves an entry without a file, which counts until it goes as the others do.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from bagmill.errors import StorageError
from bagmill.stores.wire import Bound

_WAIT_S: Final = 60.0
"""For another process that is writing; each writes for a millisecond."""


class Ledger:
    """Enters shards and lets go those that were not used for longest; may be shared by threads, but not by processes.

    Args:
        path: Of the ledger's file; folders are made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._told():
            self._database = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS shards (path TEXT PRIMARY KEY, bytes INTEGER NOT NULL, used_ns INTEGER NOT NULL)"
            )
            self._database.execute("CREATE INDEX IF NOT EXISTS shards_by_use ON shards (used_ns)")

    def enter(self, path: str, size_bytes: int, bound: Bound) -> bool:
        """Make room for a shard and enter it.

        Args:
            path: Where its file will be.
            size_bytes: Of the file.
            bound: What all shards together may take, and which may go.

        Returns:
            Whether there is room. Where there is not, nothing that is in use has gone.

        Raises:
            StorageError: The ledger cannot be written.
        """
        if size_bytes > bound.max_bytes:
            return False
        with self._transaction() as database:
            ((held,),) = database.execute("SELECT coalesce(sum(bytes), 0) FROM shards WHERE path != ?", (path,))
            while held + size_bytes > bound.max_bytes:
                freed = self._let_one_go(database, bound)
                if freed is None:
                    return False
                held -= freed
            database.execute("INSERT OR REPLACE INTO shards VALUES (?, ?, ?)", (path, size_bytes, time.time_ns()))
        return True

    def strike(self, path: str) -> None:
        """Strike out a shard that has no file.

        Raises:
            StorageError: The ledger cannot be written.
        """
        with self._transaction() as database:
            database.execute("DELETE FROM shards WHERE path = ?", (path,))

    def _let_one_go(self, database: sqlite3.Connection, bound: Bound) -> int | None:
        """Remove the shard that was not used for longest; None: all are in use."""
        while True:
            rows = database.execute("SELECT path, bytes, used_ns FROM shards ORDER BY used_ns LIMIT 1").fetchall()
            if not rows or rows[0][2] > bound.started_ns:
                return None
            path, size_bytes, used_ns = rows[0]
            # Who uses a shard marks its file; here it is looked at when its turn comes.
            marked_ns = _time_of(Path(path))
            if marked_ns is not None and marked_ns > used_ns:
                database.execute("UPDATE shards SET used_ns = ? WHERE path = ?", (marked_ns, path))
                continue
            Path(path).unlink(missing_ok=True)
            database.execute("DELETE FROM shards WHERE path = ?", (path,))
            return int(size_bytes)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._told():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            finally:
                # What has gone by now has gone, whether there was room in the end or not.
                with suppress(sqlite3.OperationalError):
                    self._database.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as err:
            raise StorageError(
                f"the list of shards on this machine cannot be kept ({err})",
                path=self._path,
                remedy="Make room on the disk, or delete the cache's folder: all in it can be fetched again",
            ) from err


def _time_of(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return None
