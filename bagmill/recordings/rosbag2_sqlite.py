"""A rosbag2 database file (.db3) as a recording: by itself, or one split of a folder."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path

from bagmill.definitions import full_name
from bagmill.errors import RecordingError
from bagmill.recordings.blocks import one_by_one
from bagmill.recordings.channel_table import ChannelTable
from bagmill.recordings.closing import ClosedByWith
from bagmill.recordings.fault_log import FaultLog
from bagmill.recordings.file_window import RecordingFile
from bagmill.recordings.packed_messages import unpacked
from bagmill.recordings.records import Block, Channel, Container, Fault, Message, Witness

MAGIC = b"SQLite format 3\0"
_BLOCK_BYTES = 1 << 19
_ROW_COST_BYTES = 512
"""What a row counts for besides its payload."""
SERIALIZATIONS = frozenset({"cdr", "ros1", "protobuf", "json"})


class Rosbag2DatabaseRecording(ClosedByWith):
    """A rosbag2 database, read row by row in the order of recording (the messages' primary key).

    Publish times equal log times. Definitions are there from schema version 4 on; before, `schema_data` is empty.

    Args:
        path: The file.
        unpacks: Unpack messages that were compressed one by one; False where the caller knows of them and does.

    Raises:
        RecordingError: It cannot be opened, or is not a rosbag2 database.

    Source: rosbag2_storage_sqlite3, schema versions 1 to 4.
    """

    container: Container = "rosbag2"

    def __init__(self, path: Path, *, unpacks: bool = True) -> None:
        self.path = path
        self._unpacks = unpacks
        self.files: tuple[Path, ...] = (path,)
        self.num_bytes_read = 0
        self._table = ChannelTable()
        self._faults = FaultLog()
        self._ids: dict[int, int] = {}
        self._is_open = True
        file = RecordingFile(path)  # for its errors, which say more than SQLite's
        self._size_bytes = file.size_bytes
        file.close()
        try:
            with closing(connect(path)) as database:
                self._read_topics(database)
        except (sqlite3.Error, UnicodeDecodeError, OverflowError, MemoryError) as err:
            raise RecordingError(
                f"not a rosbag2 database, or a damaged one ({err})",
                path=path,
                remedy="If it is one, try `sqlite3 FILE .recover`",
            ) from err
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
        for topic_id, topic, schema_name, serialization in database.execute(
            f"SELECT id, name, type, {serialized_as} FROM topics ORDER BY id"  # noqa: S608 - one of the two above
        ):
            if serialization not in SERIALIZATIONS:
                raise unknown_serialization(self.path, topic=str(topic), serialization=str(serialization))
            encoding, data = definitions.get(full_name(str(schema_name)), ("", b""))
            self._ids[topic_id] = self._table.fold(
                str(topic),
                schema_name=str(schema_name),
                schema_encoding=encoding,
                schema_data=data,
                message_encoding=serialization,
                metadata={},
            )

    def _blocks(self, wanted: frozenset[int] | None) -> Iterator[Block]:
        counts: Counter[int] = Counter()
        lost: Counter[object] = Counter()
        num_damaged = 0
        ids, size_bytes = self._ids, self._size_bytes
        block, block_bytes = Block(), 0
        topics = [topic_id for topic_id, channel_id in ids.items() if wanted is None or channel_id in wanted]
        # Payloads of other channels stay on disk; their rows are counted, so that faults don't depend on the choice.
        marks = ", ".join("?" for _ in topics)
        query = (
            "SELECT rowid, topic_id, timestamp, typeof(data) = 'blob', "  # noqa: S608 - only ? goes in
            f"CASE WHEN topic_id IN ({marks}) THEN data END FROM messages ORDER BY rowid"
        )
        try:
            with closing(connect(self.path)) as database:
                (last_row,) = database.execute("SELECT max(rowid) FROM messages").fetchone()
                for row, topic_id, stamp_ns, has_data, data in database.execute(query, topics):
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
                                self.num_bytes_read = row * size_bytes // max(last_row, 1)
                                yield block
                                block, block_bytes = Block(), 0
        except (sqlite3.Error, UnicodeDecodeError, OverflowError, MemoryError) as err:
            self._faults.add(
                "database_damaged",
                f"The database cannot be read behind its message {counts.total() + num_damaged} ({err}); "
                "what follows is left out.",
            )
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
