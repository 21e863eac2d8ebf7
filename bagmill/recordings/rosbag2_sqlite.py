"""A rosbag2 database file (.db3) as a recording: by itself, or one split of a folder."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from bagmill.definitions import full_name
from bagmill.errors import RecordingError
from bagmill.limits import limits
from bagmill.recordings.allowance import Allowance, limits_told_of
from bagmill.recordings.blocks import one_by_one
from bagmill.recordings.channel_table import ChannelTable
from bagmill.recordings.closing import ClosedByWith
from bagmill.recordings.fault_log import FaultLog
from bagmill.recordings.fields import DamagedRecordError
from bagmill.recordings.file_window import RecordingFile
from bagmill.recordings.losses import Losses, LossLog
from bagmill.recordings.packed_messages import unpacked
from bagmill.recordings.records import Block, Channel, Container, Fault, Message, Witness
from bagmill.recordings.salvage.rosbag2_tables import DamagedTables
from bagmill.recordings.salvage.row_gaps import RowGaps, cut_text
from bagmill.recordings.salvage.sqlite_pages import DatabasePages
from bagmill.recordings.sqlite_connection import Steps, TableError, columns_of, connect, tables_of
from bagmill.regular_files import is_regular

MAGIC = b"SQLite format 3\0"
_BLOCK_BYTES = 1 << 19
_ROW_COST_BYTES = 512
"""What a row counts for besides its payload."""
_LEAST_ROW_BYTES = 6
"""Of a row in a database file: its place in the page, its length, its id, and a header."""
_LEFT_OPEN = {
    "-wal": ("unmerged_write_ahead_log", "Messages in {name} are not read: the recorder did not close the database; "
             "opening it once with sqlite3 on a copy merges them."),
    "-journal": ("unfinished_transaction", "Beside it lies {name}: the recorder did not close the database, and its last "
                 "messages may be half written; opening it once with sqlite3 on a copy takes them back."),
}  # fmt: skip
_ERRORS = (sqlite3.Error, UnicodeDecodeError, OverflowError, MemoryError, TableError)
"""What reading a damaged database can raise."""
SERIALIZATIONS = frozenset({"cdr", "ros1", "protobuf", "json"})


class Rosbag2DatabaseRecording(ClosedByWith):
    """A rosbag2 database, read row by row in the order of recording (the messages' primary key).

    Publish times equal log times. Definitions are there from schema version 4 on; before, `schema_data` is empty.

    Args:
        path: The file.
        unpacks: Unpack messages that were compressed one by one; False where the caller knows of them and does.
        stored_bytes: Of the recording on the disk, where the file was unpacked from it.
        salvage: Read what SQLite refuses page by page.

    Raises:
        RecordingError: It cannot be opened, or is not a rosbag2 database.

    Source: rosbag2_storage_sqlite3, schema versions 1 to 4.
    """

    container: Container = "rosbag2"

    def __init__(
        self, path: Path, *, unpacks: bool = True, stored_bytes: int | None = None, salvage: bool = False
    ) -> None:
        self.path = path
        self._unpacks = unpacks
        self.files: tuple[Path, ...] = (path,)
        self.num_bytes_read = 0
        self._table = ChannelTable()
        self._faults = FaultLog()
        self._ids: dict[int, int] = {}
        self._last_row = 0
        self._is_open = True
        self._losses = LossLog(is_kept=salvage)
        self._file: RecordingFile | None = None
        """Open for whoever reads its pages."""
        self._tables: DamagedTables | None = None
        self._is_refused = False
        """SQLite does not open it: all of it is read page by page."""
        self._is_damaged = False
        """The pass that runs has come by damage."""
        file = RecordingFile(path)  # for its errors, which say more than SQLite's
        self._size_bytes = file.size_bytes
        self._stored_bytes = self._size_bytes if stored_bytes is None else stored_bytes
        cut = cut_text(file)
        file.close()
        try:
            if cut is not None:
                raise TableError(cut)  # SQLite itself overlooks a last page that is cut
            with limits_told_of(path), closing(connect(path)) as database:
                self._read_topics(database, Steps(database))
        except _ERRORS as err:
            if not salvage:
                raise RecordingError(
                    f"not a rosbag2 database, or a damaged one ({err})",
                    path=path,
                    remedy="If it is one, `bagmill recover` and `salvage: true` in the profile read what is whole in it",
                ) from err
            with limits_told_of(path):
                self._read_damaged_topics(err)
        for suffix, (code, sentence) in _LEFT_OPEN.items():
            log = path.with_name(path.name + suffix)
            if is_regular(log) and log.stat().st_size:
                self._faults.add(code, sentence.format(name=log.name))

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
        if not self._unpacks:
            return blocks
        allowance = Allowance(self._stored_bytes)
        return unpacked(blocks, self._table.__getitem__, faults=self._faults, allowance=allowance, path=self.path)

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

    def _read_topics(self, database: sqlite3.Connection, steps: Steps) -> None:
        tables = tables_of(steps)
        if not {"topics", "messages"} <= tables.keys():
            raise RecordingError(
                "it is a SQLite database without the tables of a rosbag2",
                path=self.path,
                remedy="Name a rosbag2 database",
            )
        columns_of(database, "messages", tables)
        definitions = self._read_definitions(database, steps, tables)
        # Crystal, the first to write such a database, knew only CDR and did not say so.
        columns = columns_of(database, "topics", tables)
        serialized_as = "serialization_format" if "serialization_format" in columns else "'cdr'"
        profiles = "offered_qos_profiles" if "offered_qos_profiles" in columns else "''"
        # By the order of the file, sorted here: no table that a damaged tree makes endless is sorted by SQLite.
        query = f"SELECT id, name, type, {serialized_as}, {profiles} FROM topics ORDER BY rowid"  # noqa: S608 - of the above
        self._take_topics(steps.rows(query), definitions)

    def _take_topics(self, found: Iterable[tuple[Any, ...]], definitions: Mapping[str, tuple[str, bytes]]) -> None:
        """Take in rows of (id, name, type, serialization, QoS profiles)."""
        rows: list[tuple[int, str, str, str, str]] = []
        num_damaged = 0
        for *row, profiles in found:
            if tuple(map(type, row)) != (int, str, str, str):
                num_damaged += 1
                continue
            limits().check("channels", len(rows) + 1, what="the number of its topics")
            rows.append((*row, profiles if isinstance(profiles, str) else ""))
        if num_damaged:
            self._faults.add(
                "record_damaged",
                f"{num_damaged} rows hold no id, name, type or serialization where a topic should; they are left out.",
            )
            self._losses.add("record_damaged", f"{num_damaged} topics that nothing describes")
        for topic_id, topic, schema_name, serialization, profiles in sorted(rows):
            if serialization not in SERIALIZATIONS:
                raise unknown_serialization(self.path, topic=topic, serialization=serialization)
            encoding, data = definitions.get(full_name(schema_name), ("", b""))
            self._ids[topic_id] = self._table.fold(
                topic,
                schema_name=schema_name,
                schema_encoding=encoding,
                schema_data=data,
                message_encoding=serialization,
                metadata={"offered_qos_profiles": profiles} if profiles else {},
            )

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
            names = ("topic_type", "encoding", "encoded_message_definition")
            definitions = self._take_definitions(
                tuple(map(row.get, names)) for row in tables.rows("message_definitions")
            )
        self._take_topics(
            (
                (
                    row["id"],
                    row.get("name"),
                    row.get("type"),
                    row.get("serialization_format", "cdr"),
                    row.get("offered_qos_profiles"),
                )
                for row in tables.rows("topics")
            ),
            definitions,
        )

    def _damaged_tables(self) -> DamagedTables:
        if self._tables is None:
            self._file = self._file or RecordingFile(self.path)
            pages = DatabasePages(self._file)
            pages.leave_out_zeros()
            self._tables = DamagedTables(pages)
        return self._tables

    def _read_definitions(
        self, database: sqlite3.Connection, steps: Steps, tables: Mapping[str, str]
    ) -> dict[str, tuple[str, bytes]]:
        if "message_definitions" not in tables:
            return {}
        columns_of(database, "message_definitions", tables)
        query = "SELECT topic_type, encoding, encoded_message_definition FROM message_definitions ORDER BY rowid"
        return self._take_definitions(steps.rows(query))

    def _take_definitions(self, rows: Iterable[tuple[Any, ...]]) -> dict[str, tuple[str, bytes]]:
        """Encoding and text by full name of the type, from rows of (type, encoding, text); of several, the first counts."""
        found: dict[str, tuple[str, bytes]] = {}
        num_bytes = num_damaged = 0
        for name, encoding, definition in rows:
            if not isinstance(name, str) or not isinstance(encoding, str) or isinstance(definition, int | float):
                num_damaged += 1
                continue
            data = definition if isinstance(definition, bytes) else (definition or "").encode()
            limits().check("schema_bytes", len(data), what="the size of a schema")
            num_bytes += len(data)
            limits().check("description_bytes", num_bytes, what="the size of all schemas together")
            limits().check("schemas", len(found) + 1, what="the number of different schemas")
            found.setdefault(full_name(name), (encoding if data else "", data))
        if num_damaged:
            self._faults.add(
                "record_damaged",
                f"{num_damaged} rows hold no type or text where a definition should; they are left out.",
            )
        return found

    def _blocks(self, wanted: frozenset[int] | None) -> Iterator[Block]:
        counts: Counter[int] = Counter()
        lost: Counter[int] = Counter()
        num_damaged = 0
        ids, size_bytes = self._ids, self._size_bytes
        block, block_bytes = Block(), 0
        topics = [topic_id for topic_id, channel_id in ids.items() if wanted is None or channel_id in wanted]
        self._is_damaged = False
        gaps = RowGaps(self._losses)
        for row, topic_id, stamp_ns, has_data, data in self._rows(topics):
            gaps.reach(row, stamp_ns, is_damaged=self._is_damaged)
            channel_id = ids.get(topic_id)
            if topic_id is None or (channel_id is not None and (stamp_ns is None or not has_data)):
                num_damaged += 1
            elif channel_id is None:
                lost[topic_id] += 1
            else:
                sequence = counts[channel_id]
                counts[channel_id] = sequence + 1
                if wanted is None or channel_id in wanted:
                    block.add(channel_id, sequence, stamp_ns, stamp_ns, data)
                    block_bytes += len(data) + _ROW_COST_BYTES
                    if block_bytes >= _BLOCK_BYTES:
                        self.num_bytes_read = min(max(row, 0) * size_bytes // max(self._last_row, 1), size_bytes)
                        yield block
                        block, block_bytes = Block(), 0
        if block.order:
            yield block
        gaps.finish(self._faults)
        for topic_id, num_lost in lost.items():
            self._losses.add(
                "unknown_channel", "all over the file", channel=f"topic id {topic_id}", num_messages=num_lost
            )
            self._faults.add(
                "unknown_channel",
                f"{num_lost} messages are on topic id {topic_id}, which no row describes; they are left out.",
            )
        if num_damaged:
            self._losses.add("record_damaged", "rows without a stamp or data", num_messages=num_damaged)
            self._faults.add(
                "record_damaged",
                f"{num_damaged} rows hold no stamp or no data where a message should; they are left out.",
            )
        self.num_bytes_read = size_bytes

    def _rows(self, topics: Sequence[int]) -> Iterator[tuple[Any, ...]]:
        """Row id, topic id, stamp, whether there is data, data: the data of some topics only.

        Raises:
            LimitError: There are more of them than are taken.
        """
        last_row: int | None = None
        num_rows = 0
        if not self._is_refused:
            try:
                for row in self._sqlite_rows(topics):
                    last_row = row[0]
                    num_rows += 1
                    yield row
            except _ERRORS as err:
                is_read = self._losses.is_kept
                following = "what is whole behind it is read page by page" if is_read else "what follows is left out"
                self._faults.add(
                    "database_damaged",
                    f"The database cannot be read behind its message {num_rows} ({err}); {following}.",
                )
            else:
                return
        if self._losses.is_kept:
            yield from self._damaged_rows(after=last_row)

    def _damaged_rows(self, *, after: int | None) -> Iterator[tuple[Any, ...]]:
        """The rows of a database that SQLite refuses, behind one that was read."""
        self._is_damaged = True
        allowance, num_bytes = Allowance(self._stored_bytes), 0
        try:
            tables = self._damaged_tables()
        except DamagedRecordError as err:
            self._losses.add("database_damaged", f"all messages behind row {after} ({err})")
            return
        with limits_told_of(self.path):
            for row in tables.messages(self._ids, after=after):
                num_bytes += len(row[4] or b"") + _LEAST_ROW_BYTES
                if num_bytes > self._size_bytes:
                    self._losses.add("database_damaged", f"rows from {row[0]:,} on, of more bytes than the file has")
                    break
                allowance.walk(1)
                yield row
        self._tell_damage(tables.pages, after=after)

    def _tell_damage(self, pages: DatabasePages, *, after: int | None) -> None:
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

    def _sqlite_rows(self, topics: Sequence[int]) -> Iterator[tuple[Any, ...]]:
        """The rows as SQLite reads them, as long as they can be what the file holds.

        Raises:
            sqlite3.Error: The file is damaged.
            TableError: Its tree names a page twice: it would be read again and again.
            LimitError: There are more of them than are taken.
        """
        # Payloads of other channels stay on disk; their rows are counted, so that faults don't depend on the choice.
        marks = ", ".join("?" for _ in topics)
        query = (
            "SELECT rowid, CASE typeof(topic_id) WHEN 'integer' THEN topic_id END, "  # noqa: S608 - only ? goes in
            "CASE typeof(timestamp) WHEN 'integer' THEN timestamp END, typeof(data) = 'blob', "
            f"CASE WHEN topic_id IN ({marks}) AND typeof(data) = 'blob' THEN data END FROM messages ORDER BY rowid"
        )
        allowance, num_bytes, before = Allowance(self._stored_bytes), 0, -(2**63) - 1
        with limits_told_of(self.path), closing(connect(self.path)) as database:
            steps = Steps(database)
            self._last_row = next(steps.rows("SELECT max(rowid) FROM messages"))[0] or 0
            for row in steps.rows(query, topics):
                if row[0] <= before:
                    raise TableError(f"row {row[0]} stands behind row {before}")
                before = row[0]
                num_bytes += len(row[4] or b"") + _LEAST_ROW_BYTES
                if num_bytes > self._size_bytes:
                    raise TableError("its rows hold more bytes than the file")
                allowance.walk(1)
                yield row


def is_rosbag2_database(path: Path) -> bool:
    """Whether a SQLite file holds a rosbag2's tables; false where it cannot be read."""
    try:
        with closing(connect(path)) as database:
            return {"topics", "messages"} <= tables_of(Steps(database)).keys()
    except (sqlite3.Error, UnicodeDecodeError, TableError):
        return False


def unknown_serialization(path: Path, *, topic: str, serialization: str) -> RecordingError:
    """The error for messages that no decoder knows."""
    return RecordingError(
        f"its messages are serialized as {serialization!r}, which is none of {', '.join(sorted(SERIALIZATIONS))}",
        path=path,
        channel=topic,
        remedy="Convert it with `ros2 bag convert` where the plugin for that serialization is installed",
    )
