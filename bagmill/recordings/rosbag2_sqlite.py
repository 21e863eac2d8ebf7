"""A rosbag2 database file (.db3) as a recording: by itself, or one split of a folder."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from bagmill.definitions import full_name
from bagmill.errors import RecordingError
from bagmill.recordings.blocks import one_by_one
from bagmill.recordings.channel_table import ChannelTable
from bagmill.recordings.closing import ClosedByWith
from bagmill.recordings.fault_log import FaultLog
from bagmill.recordings.fields import DamagedRecordError
from bagmill.recordings.file_window import RecordingFile
from bagmill.recordings.losses import Losses, LossLog, seconds_between
from bagmill.recordings.packed_messages import unpacked
from bagmill.recordings.records import Block, Channel, Container, Fault, Message, Witness
from bagmill.recordings.salvage.rosbag2_tables import DamagedTables
from bagmill.recordings.salvage.sqlite_pages import DatabasePages

MAGIC = b"SQLite format 3\0"
_BLOCK_BYTES = 1 << 19
_ROW_COST_BYTES = 512
"""What a row counts for besides its payload."""
_SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError, OverflowError, MemoryError)
SERIALIZATIONS = frozenset({"cdr", "ros1", "protobuf", "json"})


class Rosbag2DatabaseRecording(ClosedByWith):
    """A rosbag2 database, read row by row in the order of recording (the messages' primary key).

    Publish times equal log times. Definitions are there from schema version 4 on; before, `schema_data` is empty.

    Args:
        path: The file.
        unpacks: Unpack messages that were compressed one by one; False where the caller knows of them and does.
        salvage: Read what SQLite refuses page by page.

    Raises:
        RecordingError: It cannot be opened, or is not a rosbag2 database.

    Source: rosbag2_storage_sqlite3, schema versions 1 to 4.
    """

    container: Container = "rosbag2"

    def __init__(self, path: Path, *, unpacks: bool = True, salvage: bool = False) -> None:
        self.path = path
        self._losses = LossLog(is_kept=salvage)
        self._tables: DamagedTables | None = None
        self._is_refused = False
        """SQLite does not open it: all of it is read page by page."""
        self._is_damaged = False
        """The pass that runs has come by damage."""
        self._unpacks = unpacks
        self.files: tuple[Path, ...] = (path,)
        self.num_bytes_read = 0
        self._table = ChannelTable()
        self._faults = FaultLog()
        self._ids: dict[int, int] = {}
        self._last_row = 0
        self._is_open = True
        self._file: RecordingFile | None = None
        """Open for whoever reads its pages."""
        file = RecordingFile(path)  # for its errors, which say more than SQLite's
        self._size_bytes = file.size_bytes
        cut = _cut_text(file)
        file.close()
        try:
            if cut is not None:
                raise sqlite3.DatabaseError(cut)
            with closing(connect(path)) as database:
                self._read_topics(database)
        except _SQLITE_ERRORS as err:
            if not salvage:
                raise RecordingError(
                    f"not a rosbag2 database, or a damaged one ({err})",
                    path=path,
                    remedy="If it is one, `bagmill recover` and `salvage: true` in the profile read what is whole in it",
                ) from err
            self._read_damaged_topics(err)
        log = path.with_name(path.name + "-wal")
        if log.is_file() and log.stat().st_size:
            self._faults.add(
                "unmerged_write_ahead_log",
                f"Messages in {log.name} are not read: the recorder did not close the database; "
                "opening it once with sqlite3 on a copy merges them.",
            )

    @property
    def channels(self) -> tuple[Channel, ...]:
        """By id."""
        return self._table.channels

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Found so far."""
        return self._faults.faults

    @property
    def losses(self) -> Losses:
        """What is missing in a database that is salvaged."""
        return self._losses.losses

    @property
    def num_messages_from_summary(self) -> None:
        """A database keeps no count of its own."""
        return

    def blocks(
        self,
        channel_ids: Collection[int] | None = None,
        *,
        num_threads: int = 1,  # noqa: ARG002 - SQLite reads, in the caller's thread
        witness: Witness | None = None,  # noqa: ARG002 - and shows rows, not bytes of the file
    ) -> Iterator[Block]:
        """A few rows at a time; only some channels' where named."""
        if not self._is_open:
            raise RecordingError("the recording was closed", path=self.path, remedy="Open it again")
        blocks = self._blocks(None if channel_ids is None else frozenset(channel_ids))
        return unpacked(blocks, self._table.__getitem__, faults=self._faults) if self._unpacks else blocks

    def messages(
        self, channel_ids: Collection[int] | None = None, *, num_threads: int = 1, witness: Witness | None = None
    ) -> Iterator[Message]:
        """Every message in the order of recording; only some channels' where named."""
        return one_by_one(self.blocks(channel_ids, num_threads=num_threads, witness=witness))

    def close(self) -> None:
        """Refuse further reading; each pass closes its own connection."""
        self._is_open = False
        if self._file is not None:
            self._file.close()

    def _read_topics(self, database: sqlite3.Connection) -> None:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not {"topics", "messages"} <= tables:
            raise RecordingError(
                "it is a SQLite database without the tables of a rosbag2",
                path=self.path,
                remedy="Name a rosbag2 database",
            )
        definitions: dict[str, tuple[str, bytes]] = {}
        if "message_definitions" in tables:
            for name, encoding, definition in database.execute(
                "SELECT topic_type, encoding, encoded_message_definition FROM message_definitions ORDER BY id"
            ):
                data = definition if isinstance(definition, bytes) else str(definition or "").encode()
                definitions.setdefault(full_name(str(name)), (str(encoding) if data else "", data))
        columns = {column[1] for column in database.execute("PRAGMA table_info(topics)")}
        # Crystal, the first to write such a database, knew only CDR and did not say so.
        serialized_as = "serialization_format" if "serialization_format" in columns else "'cdr'"
        profiles = "offered_qos_profiles" if "offered_qos_profiles" in columns else "''"
        topics = database.execute(
            f"SELECT id, name, type, {serialized_as}, {profiles} FROM topics ORDER BY id"  # noqa: S608 - of the above
        )
        self._add_topics(topics, definitions)

    def _read_damaged_topics(self, error: Exception) -> None:
        """The topics of a database that SQLite refuses, out of its pages."""
        self._is_refused = True
        try:
            tables = self._damaged_tables()
        except DamagedRecordError as err:
            raise RecordingError(
                f"not a rosbag2 database, or one that is damaged where its tables are listed ({err})",
                path=self.path,
                remedy="Copy it again from the robot",
            ) from error
        definitions: dict[str, tuple[str, bytes]] = {}
        if "message_definitions" in tables.names:
            for row in tables.rows("message_definitions"):
                definition = row.get("encoded_message_definition")
                data = definition if isinstance(definition, bytes) else str(definition or "").encode()
                name, encoding = full_name(str(row.get("topic_type"))), str(row.get("encoding"))
                definitions.setdefault(name, (encoding if data else "", data))
        topics = (
            (
                row["id"],
                row.get("name"),
                row.get("type"),
                row.get("serialization_format", "cdr"),
                row.get("offered_qos_profiles"),
            )
            for row in tables.rows("topics")
        )
        self._add_topics(topics, definitions)

    def _damaged_tables(self) -> DamagedTables:
        if self._tables is None:
            self._file = self._file or RecordingFile(self.path)
            pages = DatabasePages(self._file)
            pages.leave_out_zeros()
            self._tables = DamagedTables(pages)
        return self._tables

    def _add_topics(self, topics: Iterable[tuple[Any, ...]], definitions: dict[str, tuple[str, bytes]]) -> None:
        """Take in rows of (id, name, type, serialization, QoS profiles)."""
        for topic_id, topic, schema_name, serialization, profiles in topics:
            if serialization not in SERIALIZATIONS:
                raise unknown_serialization(self.path, topic=str(topic), serialization=str(serialization))
            encoding, data = definitions.get(full_name(str(schema_name)), ("", b""))
            self._ids[topic_id] = self._table.fold(
                str(topic),
                schema_name=str(schema_name),
                schema_encoding=encoding,
                schema_data=data,
                message_encoding=serialization,
                metadata={"offered_qos_profiles": str(profiles)} if profiles else {},
            )

    def _rows(self, topics: list[int]) -> Iterator[tuple[int, Any, Any, Any, Any]]:
        """Row id, topic id, stamp, whether there is data, data: the data of some topics only."""
        last_row: int | None = None
        if not self._is_refused:
            # Payloads of other channels stay on disk; their rows are counted, so that faults don't depend on the choice.
            marks = ", ".join("?" for _ in topics)
            query = (
                "SELECT rowid, topic_id, timestamp, typeof(data) = 'blob', "  # noqa: S608 - only ? goes in
                f"CASE WHEN topic_id IN ({marks}) THEN data END FROM messages ORDER BY rowid"
            )
            num_rows = 0
            try:
                with closing(connect(self.path)) as database:
                    (self._last_row,) = database.execute("SELECT max(rowid) FROM messages").fetchone()
                    for row in database.execute(query, topics):
                        last_row = row[0]
                        num_rows += 1
                        yield row
            except _SQLITE_ERRORS as err:
                following = (
                    "what is whole behind it is read page by page"
                    if self._losses.is_kept
                    else "what follows is left out"
                )
                self._faults.add(
                    "database_damaged",
                    f"The database cannot be read behind its message {num_rows} ({err}); {following}.",
                )
            else:
                return
        if self._losses.is_kept:
            yield from self._damaged_rows(after=last_row)

    def _damaged_rows(self, *, after: int | None) -> Iterator[tuple[int, Any, Any, Any, Any]]:
        """The rows of a database that SQLite refuses, behind one that was read."""
        self._is_damaged = True
        try:
            tables = self._damaged_tables()
        except DamagedRecordError as err:
            self._losses.add("database_damaged", f"all messages behind row {after} ({err})")
            return
        yield from tables.messages(self._ids, after=after)
        pages = tables.pages
        if pages.is_cut:
            announced = f" of its {pages.num_announced}" if pages.num_announced else ""
            self._faults.add(
                "truncated",
                f"The database ends at byte {self._size_bytes}, with {pages.num_pages}{announced} pages whole; they are read one "
                "by one.",
            )
            missing = f"{pages.num_announced - pages.num_pages:,} pages" if pages.num_announced else "the pages"
            self._losses.add("truncated", f"{missing} behind byte {self._size_bytes:,}, where the file ends")
        elif self._is_refused:
            self._faults.add(
                "database_damaged", "SQLite cannot open the database; its whole pages are read one by one."
            )
            self._losses.add("database_damaged", "pages that are no pages of a database")
        else:
            self._losses.add("database_damaged", f"pages behind row {after}")

    def _blocks(self, wanted: frozenset[int] | None) -> Iterator[Block]:
        counts: Counter[int] = Counter()
        lost: Counter[object] = Counter()
        num_damaged = 0
        ids, size_bytes = self._ids, self._size_bytes
        block, block_bytes = Block(), 0
        topics = [topic_id for topic_id, channel_id in ids.items() if wanted is None or channel_id in wanted]
        self._is_damaged = False
        gaps = _RowGaps(self._losses)
        for row, topic_id, stamp_ns, has_data, data in self._rows(topics):
            if gaps.is_kept:
                gaps.reach(row, stamp_ns, is_damaged=self._is_damaged)
            channel_id = ids.get(topic_id)
            if channel_id is None:
                lost[topic_id] += 1
            elif type(stamp_ns) is not int or not has_data:
                num_damaged += 1
            else:
                sequence = counts[channel_id]
                counts[channel_id] = sequence + 1
                if wanted is None or channel_id in wanted:
                    block.add(channel_id, sequence, stamp_ns, stamp_ns, data)
                    block_bytes += len(data) + _ROW_COST_BYTES
                    if block_bytes >= _BLOCK_BYTES:
                        self.num_bytes_read = min(row * size_bytes // max(self._last_row, 1), size_bytes)
                        yield block
                        block, block_bytes = Block(), 0
        if block.order:
            yield block
        for topic_id, num_lost in lost.items():
            self._faults.add(
                "unknown_channel",
                f"{num_lost} messages are on topic id {topic_id}, which no row describes; they are left out.",
            )
        if num_damaged:
            self._faults.add(
                "record_damaged",
                f"{num_damaged} rows hold no stamp or no data where a message should; they are left out.",
            )
        self.num_bytes_read = size_bytes


def _cut_text(file: RecordingFile) -> str | None:
    """What a file lacks that is shorter than a database of its header is; None where it is as long."""
    try:
        pages = DatabasePages(file)
    except DamagedRecordError:
        return None  # SQLite says what it is
    if not pages.is_cut:
        return None
    announced = f" of {pages.num_announced}" if pages.num_announced else ""
    return f"it is cut off at byte {file.size_bytes}, behind {pages.num_pages}{announced} pages"


class _RowGaps:
    """Rows that are missing between others: a recorder numbers its messages without a gap."""

    def __init__(self, losses: LossLog) -> None:
        self._losses = losses
        self.is_kept = losses.is_kept
        self._row: int | None = None
        self._stamp_ns: int | None = None

    def reach(self, row: int, stamp_ns: object, *, is_damaged: bool) -> None:
        """The next row that is there, its stamp, and whether damage was met before it."""
        stamp = stamp_ns if isinstance(stamp_ns, int) else None
        if is_damaged and self._row is not None and row > self._row + 1:
            self._losses.add(
                "database_damaged",
                f"rows {self._row + 1:,} to {row - 1:,}",
                num_messages=row - self._row - 1,
                seconds=seconds_between(self._stamp_ns, stamp),
            )
        self._row, self._stamp_ns = row, stamp


def connect(path: Path) -> sqlite3.Connection:
    """A connection that never writes, takes no locks, and may be handed from thread to thread."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)


def is_rosbag2_database(path: Path) -> bool:
    """Whether a SQLite file holds a rosbag2's tables; false where it cannot be read."""
    try:
        with closing(connect(path)) as database:
            query = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('topics', 'messages')"
            return bool(database.execute(query).fetchone() == (2,))
    except sqlite3.Error:
        return False


def unknown_serialization(path: Path, *, topic: str, serialization: str) -> RecordingError:
    """The error for messages that no decoder knows."""
    return RecordingError(
        f"its messages are serialized as {serialization!r}, which is none of {', '.join(sorted(SERIALIZATIONS))}",
        path=path,
        channel=topic,
        remedy="Convert it with `ros2 bag convert` where the plugin for that serialization is installed",
    )
