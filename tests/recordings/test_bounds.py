"""Containers that ask for more than any recording costs: kilobytes that unpack to gigabytes, or hold millions of nothing."""

from __future__ import annotations

import bz2
import resource
import sqlite3
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import lz4.frame
import pytest
import zstandard

from bagmill.errors import BagmillError, LimitError, RecordingError
from bagmill.limits import Limits, limits, set_limits
from bagmill.recordings import open_recording
from bagmill.recordings.fault_log import FaultLog
from bagmill.recordings.sqlite_connection import Steps, connect
from bagmill.streams import scan
from bagmill.testing.mutation import mutated, mutated_yaml

MAGIC = b"\x89MCAP0\r\n"
PACK = {"zstd": zstandard.compress, "lz4": lz4.frame.compress, "bz2": bz2.compress}
SQL_TOPICS = "CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT, type TEXT, serialization_format TEXT)"
SQL_MESSAGES = "CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, data BLOB)"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = limits()
    yield
    set_limits(before)


def text(value: str) -> bytes:
    return struct.pack("<I", len(value)) + value.encode()


def record(opcode: int, content: bytes) -> bytes:
    return struct.pack("<BQ", opcode, len(content)) + content


def schema(number: int, *, name: str = "demo", data: bytes = b"{}") -> bytes:
    return record(3, struct.pack("<H", number) + text(name) + text("jsonschema") + struct.pack("<I", len(data)) + data)


def channel(number: int, *, topic: str = "/a", schema_id: int = 1, metadata: bytes = b"") -> bytes:
    head = struct.pack("<HH", number, schema_id) + text(topic) + text("json")
    return record(4, head + struct.pack("<I", len(metadata)) + metadata)


def message(log_ns: int = 1, data: bytes = b"{}") -> bytes:
    return record(5, struct.pack("<HIqq", 1, 0, log_ns, log_ns) + data)


def chunk(content: bytes, *, compression: str = "zstd", size: int | None = None) -> bytes:
    packed = PACK[compression](content)
    announced = len(content) if size is None else size
    head = struct.pack("<QQQI", 0, 0, announced, 0) + text(compression) + struct.pack("<Q", len(packed))
    return record(6, head + packed)


def mcap(path: Path, *records: bytes) -> Path:
    start = MAGIC + record(1, text("") + text(""))
    path.write_bytes(start + b"".join(records) + record(15, bytes(4)) + record(2, bytes(20)) + MAGIC)
    return path


def bag_record(header: dict[str, bytes], data: bytes) -> bytes:
    fields = b"".join(struct.pack("<I", len(k) + 1 + len(v)) + k.encode() + b"=" + v for k, v in header.items())
    return struct.pack("<I", len(fields)) + fields + struct.pack("<I", len(data)) + data


def bag(path: Path, *records: bytes) -> Path:
    head = {"op": b"\3", "index_pos": bytes(8), "conn_count": bytes(4), "chunk_count": bytes(4)}
    path.write_bytes(b"#ROSBAG V2.0\n" + bag_record(head, b"") + b"".join(records))
    return path


def bag_chunk(content: bytes, *, compression: str) -> bytes:
    header = {"op": b"\5", "compression": compression.encode(), "size": struct.pack("<I", len(content))}
    return bag_record(header, PACK[compression](content))


def refused(path: Path, entry: str) -> LimitError:
    started = time.thread_time()
    with pytest.raises(LimitError) as error:
        scan(path)
    assert error.value.limit == entry
    assert error.value.path is not None
    assert path == error.value.path or path in error.value.path.parents
    assert time.thread_time() - started < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2 << 20  # KiB; of the whole test process
    return error.value


# --- unpacked bytes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
def test_a_chunk_whose_size_is_true_and_too_large(tmp_path: Path, compression: str) -> None:
    set_limits(Limits(chunk_bytes=1 << 20))
    content = record(0x80, bytes(2 << 20))
    error = refused(mcap(tmp_path / "a.mcap", chunk(content, compression=compression)), "chunk_bytes")
    assert f"{len(content):,} where at most 1,048,576" in str(error)


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
def test_a_chunk_whose_size_is_damaged_costs_only_that_chunk(tmp_path: Path, compression: str) -> None:
    set_limits(Limits(chunk_bytes=1 << 20))
    whole = chunk(message(), compression=compression)
    damaged = chunk(message(2) + record(0x80, bytes(1 << 19)), compression=compression, size=3 << 20)
    index = scan(mcap(tmp_path / "a.mcap", schema(1), channel(1), damaged, whole))
    assert [stream.num_messages for stream in index.streams] == [1]
    assert "chunk_damaged" in [fault.code for fault in index.faults]


def test_many_chunks_that_are_harmless_one_by_one(tmp_path: Path) -> None:
    set_limits(Limits(unpacked_at_least_bytes=8 << 20, unpacked_ratio=10))
    one = chunk(record(0x80, bytes(1 << 20)))
    assert scan(mcap(tmp_path / "few.mcap", *[one] * 4)).num_messages_from_scan == 0
    refused(mcap(tmp_path / "many.mcap", *[one] * 40), "unpacked_ratio")
    damaged = chunk(record(0x80, bytes(1 << 20)), size=(1 << 20) + 10)
    refused(mcap(tmp_path / "damaged.mcap", *[damaged] * 40), "unpacked_ratio")


@pytest.mark.parametrize("compression", ["bz2", "lz4"])
def test_a_bag_that_unpacks_without_end(tmp_path: Path, compression: str) -> None:
    set_limits(Limits(chunk_bytes=4 << 20, unpacked_at_least_bytes=16 << 20, unpacked_ratio=10))
    small = bag_chunk(bag_record({}, bytes(3 << 20)), compression=compression)
    refused(bag(tmp_path / "many.bag", *[small] * 9), "unpacked_ratio")
    refused(
        bag(tmp_path / "large.bag", bag_chunk(bag_record({}, bytes(5 << 20)), compression=compression)), "chunk_bytes"
    )


@pytest.mark.slow
def test_the_default_limits_end_a_file_of_many_bombs_in_time(tmp_path: Path) -> None:
    bomb = chunk(record(0x80, bytes(250 << 20)))
    refused(mcap(tmp_path / "a.mcap", *[bomb] * 40), "unpacked_ratio")


def test_messages_that_are_bombs_themselves(tmp_path: Path) -> None:
    set_limits(Limits(chunk_bytes=1 << 20, unpacked_at_least_bytes=4 << 20, unpacked_ratio=1))
    for size_bytes, num, entry in ((2 << 20, 1, "chunk_bytes"), (1 << 20, 9, "unpacked_ratio")):
        path = database(tmp_path / f"{entry}.db3", [zstandard.compress(bytes(size_bytes))] * num)
        refused(path, entry)


def test_a_split_that_is_a_bomb(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "metadata.yaml").write_text(metadata("run_0.mcap.zstd"))
    (folder / "run_0.mcap.zstd").write_bytes(zstandard.compress(MAGIC + bytes(64 << 20)))
    set_limits(Limits(split_bytes=32 << 20))
    refused(folder, "split_bytes")
    set_limits(Limits(unpacked_at_least_bytes=32 << 20, unpacked_ratio=1))
    refused(folder, "unpacked_ratio")


def test_what_is_within_a_packed_split_is_held_against_what_lies_on_the_disk(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "metadata.yaml").write_text(metadata("run_0.mcap.zstd"))
    inner = mcap(tmp_path / "inner.mcap", schema(1), channel(1), *[chunk(record(0x80, bytes(1 << 20)))] * 4000)
    (folder / "run_0.mcap.zstd").write_bytes(zstandard.compress(inner.read_bytes()))
    set_limits(Limits(unpacked_at_least_bytes=64 << 20, unpacked_ratio=100))
    refused(folder, "unpacked_ratio")


def test_a_window_larger_than_any_memory_is_not_taken(tmp_path: Path) -> None:
    frame = b"\x28\xb5\x2f\xfd" + b"\x00\xa8" + b"\x01\x00\x00"  # a window of 2 GiB, no content size, one empty block
    head = struct.pack("<QQQI", 0, 0, 10, 0) + text("zstd") + struct.pack("<Q", len(frame))
    index = scan(mcap(tmp_path / "a.mcap", record(6, head + frame)))
    assert index.faults[0].code == "chunk_damaged"


# --- how many ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tiny", [message(data=b""), record(0x80, b""), record(5, b""), record(3, b"")])
def test_millions_of_tiny_records(tmp_path: Path, tiny: bytes) -> None:
    set_limits(Limits(messages_at_least=10_000))
    content = tiny * 50_000
    refused(mcap(tmp_path / "a.mcap", schema(1), channel(1), chunk(content)), "messages_per_kib")


def test_millions_of_tiny_records_of_a_bag(tmp_path: Path) -> None:
    set_limits(Limits(messages_at_least=10_000))
    content = bag_record({}, b"") * 100_000
    refused(bag(tmp_path / "a.bag", bag_chunk(content, compression="bz2")), "messages_per_kib")


def test_honest_floods_of_small_messages_are_taken(tmp_path: Path) -> None:
    set_limits(Limits(messages_at_least=1))
    stamps = [10**18 + 1_000_000 * n for n in range(60_000)]
    chunks = [chunk(b"".join(map(message, stamps[n : n + 20_000]))) for n in range(0, len(stamps), 20_000)]
    with open_recording(mcap(tmp_path / "a.mcap", schema(1), channel(1), *chunks)) as recording:
        assert sum(len(block.order) for block in recording.blocks()) == len(stamps)


def test_faults_beyond_the_most_are_counted_by_kind(tmp_path: Path) -> None:
    set_limits(Limits(faults=3))
    broken = [record(3, bytes([n])) for n in range(10)]
    with open_recording(mcap(tmp_path / "a.mcap", *broken)) as recording:
        for _ in range(2):
            list(recording.messages())
        *told, rest = recording.faults
    assert len(told) == 3
    assert (rest.code, rest.num, rest.severity) == ("record_damaged", 7, "error")
    assert rest.message == "There are 7 more faults of the kind record_damaged."
    index = scan(tmp_path / "a.mcap")
    assert sum(fault.num for fault in index.faults) == 10


def test_a_log_taken_over_by_another_keeps_its_count() -> None:
    set_limits(Limits(faults=2))
    one, other = FaultLog(), FaultLog()
    for n in range(5):
        one.add("odd", f"number {n}", severity="warning")
    other.extend(one.faults, where="a.mcap")
    assert [fault.message for fault in other.faults] == [
        "a.mcap: number 0",
        "a.mcap: number 1",
        "There are 3 more faults of the kind odd.",
    ]
    assert len(other) == 5


def test_messages_that_are_too_short_are_told_together(tmp_path: Path) -> None:
    index = scan(mcap(tmp_path / "a.mcap", chunk(record(5, b"") * 500 + record(5, b"x"))))
    (fault,) = [fault for fault in index.faults if fault.code == "record_damaged"]
    assert "is only 0 bytes long, and 500 more are too short" in fault.message


# --- channels and schemas ---------------------------------------------------------------------------------------------


def test_channels_and_schemas_have_their_limits(tmp_path: Path) -> None:
    set_limits(
        Limits(channels=20, channels_of_topic=5, schemas=10, schema_bytes=1000, name_bytes=100, channel_bytes=500)
    )
    many = [channel(n, topic=f"/{n}") for n in range(30)]
    other_schemas = [schema(n, name=f"demo{n}") + channel(n, topic=f"/{n}", schema_id=n) for n in range(1, 15)]
    of_topic = [schema(n, name=f"demo{n}") + channel(n, schema_id=n) for n in range(1, 9)]
    cases = {
        "channels": [schema(1), *many],
        "schemas": other_schemas,
        "channels_of_topic": of_topic,
        "schema_bytes": [schema(1, data=b" " * 2000), channel(1)],
        "name_bytes": [schema(1), channel(1, topic="/a" * 100)],
        "channel_bytes": [schema(1), channel(1, metadata=text("a") + text("b" * 600))],
    }
    for entry, records in cases.items():
        refused(mcap(tmp_path / f"{entry}.mcap", *records), entry)
        refused(mcap(tmp_path / f"{entry}_packed.mcap", chunk(b"".join(records))), entry)


def test_ten_thousand_channels_are_read_in_seconds(tmp_path: Path) -> None:
    set_limits(Limits(channels=5000))
    records = [schema(1), *(channel(n, topic=f"/{n}") for n in range(4000))]
    messages = [record(5, struct.pack("<HIqq", n, 0, 1, 1) + b"{}") for n in range(4000)]
    started = time.thread_time()
    with open_recording(mcap(tmp_path / "a.mcap", *records, *messages)) as recording:
        assert sum(1 for _ in recording.messages()) == 4000
    assert time.thread_time() - started < 5


def test_a_connection_whose_header_is_none(tmp_path: Path) -> None:
    header = {"op": b"\7", "conn": bytes(4), "topic": b"/a"}
    fields = b"".join(struct.pack("<I", 1) + b"=" for _ in range(100_000))
    faults = scan(bag(tmp_path / "many.bag", bag_record(header, fields))).faults
    assert any("more than 64 fields" in fault.message for fault in faults)
    long = {**header, "topic": b"/" * 100_000}
    assert scan(bag(tmp_path / "long.bag", bag_record(long, b""))).num_messages_from_scan == 0
    refused(bag(tmp_path / "definition.bag", bag_record(header, bytes(6 << 20))), "schema_bytes")


# --- databases --------------------------------------------------------------------------------------------------------


def metadata(*names: str) -> str:
    return (
        "rosbag2_bagfile_information:\n  version: 5\n  storage_identifier: sqlite3\n"
        f"  relative_file_paths: [{', '.join(names)}]\n  duration: {{nanoseconds: 0}}\n  message_count: 1\n"
    )


def database(path: Path, payloads: list[object], *, statements: tuple[str, ...] = (SQL_TOPICS, SQL_MESSAGES)) -> Path:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
        connection.execute("INSERT INTO topics VALUES (1, '/a', 'std_msgs/msg/String', 'cdr')")
        for number, payload in enumerate(payloads, 1):
            connection.execute(
                "INSERT INTO messages(id, topic_id, timestamp, data) VALUES (?, 1, ?, ?)", (number, number, payload)
            )
    return path


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        (
            "CREATE VIEW messages AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) "
            "SELECT id, 1 AS topic_id, id AS timestamp, zeroblob(1000000) AS data FROM n",
            "`messages` is a view",
        ),
        (
            SQL_MESSAGES.replace("data BLOB", "data BLOB GENERATED ALWAYS AS (zeroblob(1000000000)) VIRTUAL"),
            "column `data` of `messages` is computed",
        ),
        (
            SQL_MESSAGES.replace("data BLOB", "data BLOB, more AS (hex(zeroblob(9))) STORED"),
            "column `more` of `messages` is computed",
        ),
        (SQL_MESSAGES.replace(")", ") WITHOUT ROWID", 1), "a table of another kind"),
        ("CREATE VIRTUAL TABLE messages USING fts4(topic_id, timestamp, data)", "`messages` is a virtual table"),
    ],
)
def test_what_only_looks_like_a_table_is_not_asked(tmp_path: Path, messages: str, problem: str) -> None:
    path = database(tmp_path / "a.db3", [], statements=(SQL_TOPICS, messages))
    with pytest.raises(RecordingError, match=problem):
        scan(path)


def test_a_view_of_topics_is_not_asked_either(tmp_path: Path) -> None:
    path = tmp_path / "a.db3"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(SQL_MESSAGES)
        connection.execute(
            "CREATE VIEW topics AS SELECT 1 AS id, '/a' AS name, 'a/b' AS type, 'cdr' AS serialization_format"
        )
    with pytest.raises(RecordingError, match="`topics` is a view"):
        scan(path)


def test_rows_of_odd_types_are_counted_and_left_out(tmp_path: Path) -> None:
    path = database(tmp_path / "a.db3", [b"whole", "text", None, 7, 2.5, b"whole"])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE messages SET timestamp = 'noon' WHERE id = 6")
        connection.execute("INSERT INTO messages VALUES (9, 'x', 1, x'00'), (10, NULL, 1, x'00'), (11, 5, 1, x'00')")
        connection.execute(
            "INSERT INTO topics VALUES (2, NULL, 'a/b', 'cdr'), (3, x'00', 'a/b', 'cdr'), (4, '/b', 7, 'cdr')"
        )
    index = scan(path)
    assert index.num_messages_from_scan == 1
    said = " ".join(fault.message for fault in index.faults)
    assert "7 rows hold no stamp or no data" in said
    assert "1 messages are on topic id 5" in said
    assert [stream.channel.topic for stream in index.streams] == ["/a", "/b"] or "3 rows hold no id" in said


def test_a_row_larger_than_a_record_may_be(tmp_path: Path) -> None:
    set_limits(Limits(record_bytes=1 << 20))
    path = database(tmp_path / "a.db3", [b"small", b"small", bytes(2 << 20)])
    index = scan(path)
    assert 1 <= index.num_messages_from_scan <= 2
    assert "database_damaged" in [fault.code for fault in index.faults]


def test_a_tree_that_names_a_page_again_and_again(tmp_path: Path) -> None:
    path = tmp_path / "a.db3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA page_size = 512")
    database(path, [bytes(200)] * 400)
    content = bytearray(path.read_bytes())
    with closing(sqlite3.connect(path)) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'messages'").fetchone()
    at = (root - 1) * size
    assert content[at] == 5  # an interior page: its cells name other pages
    first = struct.unpack_from(">H", content, at + 12)[0]
    for cell in range(struct.unpack_from(">H", content, at + 3)[0]):
        place = struct.unpack_from(">H", content, at + 12 + 2 * cell)[0]
        content[at + place : at + place + 4] = content[at + first : at + first + 4]
    path.write_bytes(content)
    index = scan(path)
    assert index.num_messages_from_scan < 400
    assert "database_damaged" in [fault.code for fault in index.faults]


def test_a_statement_that_gives_no_row_is_ended(tmp_path: Path) -> None:
    set_limits(Limits(sql_steps=100_000))
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0"
    with closing(connect(database(tmp_path / "a.db3", []))) as connection:
        rows = Steps(connection).rows(endless)
        with pytest.raises(sqlite3.OperationalError):
            next(rows)


def test_a_journal_beside_a_database_is_told(tmp_path: Path) -> None:
    path = database(tmp_path / "a.db3", [b"whole"])
    (tmp_path / "a.db3-journal").write_bytes(b"half")
    assert [fault.code for fault in scan(path).faults] == ["unfinished_transaction"]


def test_a_folder_that_names_too_many_splits(tmp_path: Path) -> None:
    set_limits(Limits(splits=5))
    (tmp_path / "metadata.yaml").write_text(metadata(*(f"a_{n}.db3" for n in range(9))))
    with pytest.raises(LimitError, match="number of files"):
        open_recording(tmp_path)


# --- at random --------------------------------------------------------------------------------------------------------


def whole_files(folder: Path) -> dict[str, bytes]:
    content = message() * 5 + schema(2) + channel(2, topic="/b", schema_id=2)
    bare = {"op": b"\5", "compression": b"none", "size": struct.pack("<I", 0)}
    connection = bag_record({"op": b"\7", "conn": bytes(4), "topic": b"/a"}, text("type=a/B")[0:])
    return {
        "zstd.mcap": mcap(folder / "z", schema(1), channel(1), chunk(content), chunk(content), message()).read_bytes(),
        "lz4.mcap": mcap(folder / "l", schema(1), channel(1), chunk(content, compression="lz4")).read_bytes(),
        "bare.bag": bag(folder / "b", bag_record(bare, connection)).read_bytes(),
        "bz2.bag": bag(folder / "c", bag_chunk(connection, compression="bz2")).read_bytes(),
        "a.db3": database(folder / "d", [bytes(50)] * 60).read_bytes(),
    }


@pytest.mark.parametrize("name", ["zstd.mcap", "lz4.mcap", "bare.bag", "bz2.bag", "a.db3"])
def test_whatever_is_changed_is_read_or_refused(tmp_path: Path, name: str) -> None:
    whole, path = whole_files(tmp_path), tmp_path / name
    outcomes: set[str] = set()
    for seed in range(150):
        path.write_bytes(mutated(whole[name], Random(seed), others=list(whole.values())))
        outcomes.add(_outcome(lambda: scan(path)))
    assert {"read", "refused"} <= outcomes


def test_whatever_is_changed_in_metadata_is_read_or_refused(tmp_path: Path) -> None:
    database(tmp_path / "a_0.db3", [bytes(50)])
    for seed in range(150):
        (tmp_path / "metadata.yaml").write_bytes(mutated_yaml(metadata("a_0.db3").encode(), Random(seed)))
        _outcome(lambda: scan(tmp_path))


def _outcome(read: Callable[[], object]) -> str:
    try:
        read()
    except BagmillError as err:
        assert str(err)
        return "refused"
    return "read"
