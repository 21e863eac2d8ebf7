"""rosbag2 folders and their databases: equal to what rosbags, sqlite3 and zstandard make of them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import yaml
import zstandard
from rosbags.rosbag2 import CompressionFormat, CompressionMode, Reader, StoragePlugin, Writer

from bagmill.errors import RecordingError
from bagmill.recordings import open_recording

KEY = "rosbag2_bagfile_information"


def rows_by_sqlite(*paths: Path) -> list[tuple[str, int, bytes]]:
    rows = []
    for path in paths:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            topics = dict(database.execute("SELECT id, name FROM topics"))
            rows += [
                (topics[topic], stamp, data)
                for _, topic, stamp, data in sorted(
                    database.execute("SELECT id, topic_id, timestamp, data FROM messages")
                )
            ]
    return rows


def rows_by_rosbags(path: Path) -> list[tuple[str, int, bytes]]:
    with Reader(path) as reader:
        return [(connection.topic, stamp, bytes(data)) for connection, stamp, data in reader.messages()]


def without_publish(rows):
    return [(topic, log, data) for topic, log, _, data in rows]


@pytest.fixture
def build_folder(tmp_path):
    """A folder of two topics, written by rosbags."""

    def build(name: str, *, storage: str = "SQLITE3", mode: str = "NONE", num_messages: int = 50) -> Path:
        path = tmp_path / name
        writer = Writer(path, version=9, storage_plugin=StoragePlugin[storage])
        if mode != "NONE":
            writer.set_compression(CompressionMode[mode], CompressionFormat.ZSTD)
        with writer:
            definition = {"msgdef": "string data", "rihs01": "RIHS01_" + "0" * 64}
            first = writer.add_connection("/a", "std_msgs/msg/String", **definition)
            second = writer.add_connection("/b", "std_msgs/msg/String", **definition)
            writer.add_connection("/empty", "std_msgs/msg/String", **definition)
            for n in range(num_messages):
                writer.write([first, second][n % 2], 10**18 + n * 1000, b"\0\1\0\0" + bytes([n]) * 30)
        return path

    return build


@pytest.fixture
def edit_metadata():
    def edit(folder: Path, **changes: object) -> None:
        path = folder / "metadata.yaml"
        document = yaml.safe_load(path.read_text())
        document[KEY].update(changes)
        path.write_text(yaml.safe_dump(document))

    return edit


@pytest.mark.parametrize("name", ["aerial_arm_db3", "tf_example"])
def test_real_databases_equal_rosbags(name, recordings_dir, rows_of):
    rows, faults = rows_of(recordings_dir / name)
    assert sorted(without_publish(rows)) == sorted(rows_by_rosbags(recordings_dir / name))
    (database,) = (recordings_dir / name).glob("*.db3")
    assert without_publish(rows) == rows_by_sqlite(database)
    assert faults == []
    assert rows_of(database) == (rows, [])


@pytest.mark.parametrize("name", ["aerial_arm_mcap", "message_zoo_mcap"])
def test_real_mcap_folders_equal_rosbags(name, recordings_dir, rows_of, stock_mcap_rows):
    rows, faults = rows_of(recordings_dir / name)
    (file,) = (recordings_dir / name).glob("*.mcap")
    assert rows == stock_mcap_rows(file)
    assert sorted(without_publish(rows)) == sorted(rows_by_rosbags(recordings_dir / name))
    assert faults == []


def test_channels_of_a_database_equal_rosbags_connections(recordings_dir):
    with Reader(recordings_dir / "tf_example") as reader:
        expected = {(item.topic, item.msgtype, item.msgdef.data.encode()) for item in reader.connections}
    with open_recording(recordings_dir / "tf_example") as recording:
        assert {(item.topic, item.schema_name, item.schema_data) for item in recording.channels} == expected
        assert {item.schema_encoding for item in recording.channels} == {"ros2msg"}
        assert recording.num_messages_from_summary == {
            item.id: {"/tf": 517, "/tf_static": 1}[item.topic] for item in recording.channels
        }
        assert [path.name for path in recording.files] == ["metadata.yaml", "tf_example.db3"]


def test_databases_without_definitions_leave_the_schema_empty(recordings_dir):
    with open_recording(recordings_dir / "aerial_arm_db3") as recording:
        assert {(item.schema_encoding, item.schema_data) for item in recording.channels} == {("", b"")}
        assert "sensor_msgs/msg/JointState" in {item.schema_name for item in recording.channels}


def test_tf_as_database_and_as_bag(recordings_dir, rows_of):
    database, _ = rows_of(recordings_dir / "tf_example")
    bag, _ = rows_of(recordings_dir / "tf_example.bag")
    assert len(database) == len(bag) == 518
    assert sorted(row[:3] for row in database) == sorted(row[:3] for row in bag)


def test_splits_come_in_order(recordings_dir, rows_of):
    folder = recordings_dir / "split_db3"
    rows, faults = rows_of(folder)
    assert without_publish(rows) == rows_by_sqlite(*(folder / f"wbag_{n}.db3" for n in range(5)))
    assert len(rows) == 6074
    assert faults == []
    with open_recording(folder) as recording:
        assert len(recording.channels) == 8


def test_missing_splits_and_messages_compressed_one_by_one(recordings_dir, stock_mcap_rows):
    folder = recordings_dir / "soccer_goal"
    with open_recording(folder) as recording:
        rows = [(row.log_time_ns, bytes(row.data)) for row in recording.messages()]
        assert recording.channels[0].schema_name == "sensor_msgs/msg/Image"
        faults = {fault.code: fault for fault in recording.faults}
    stock = stock_mcap_rows(folder / "soccer_goal_12.mcap")
    assert rows == [(log, zstandard.decompress(data)) for _, log, _, data in stock]
    assert len(rows) == 2
    assert faults.keys() == {"missing_split", "duration_differs_from_metadata"}
    assert "12 of the 13 files" in faults["missing_split"].message
    assert all(fault.severity == "warning" for fault in faults.values())


def test_an_unknown_serialization_is_refused(recordings_dir):
    with pytest.raises(RecordingError, match=r"channel /array_topic: .*serialized as 'wrong_format'"):
        open_recording(recordings_dir / "wrong_serialization")


@pytest.mark.parametrize(
    ("storage", "mode"),
    [
        ("SQLITE3", "NONE"),
        ("SQLITE3", "MESSAGE"),
        ("SQLITE3", "FILE"),
        ("MCAP", "NONE"),
        ("MCAP", "MESSAGE"),
        ("MCAP", "FILE"),
        ("MCAP", "STORAGE"),
    ],
)
def test_every_compression_equals_rosbags(storage, mode, build_folder, rows_of):
    path = build_folder("a", storage=storage, mode=mode)
    rows, faults = rows_of(path)
    assert without_publish(rows) == rows_by_rosbags(path)
    assert len(rows) == 50
    assert faults == []
    with open_recording(path) as recording:
        list(recording.messages())
        assert {channel.topic for channel in recording.channels} == {"/a", "/b", "/empty"}
        assert recording.num_bytes_read == sum(file.stat().st_size for file in recording.files[1:])
        chosen = [(row.sequence, bytes(row.data)) for row in recording.messages({1})]
    assert [sequence for sequence, _ in chosen] == list(range(25))
    assert [data for _, data in chosen] == [row[3] for row in rows if row[0] == "/b"]


def test_what_was_unpacked_is_removed(build_folder, tmp_path, monkeypatch):
    path = build_folder("a", mode="FILE")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    with open_recording(path):
        assert [item.suffix for item in scratch.glob("*/*")] == [".db3"]
    assert list(scratch.iterdir()) == []


def test_splits_of_a_built_folder_fold_into_one_recording(build_folder, edit_metadata, rows_of):
    whole, other = build_folder("whole"), build_folder("other", num_messages=7)
    (other / "other.db3").rename(whole / "second.db3")
    edit_metadata(whole, relative_file_paths=["whole/whole.db3", "second.db3"], message_count=57, files=None)
    rows, faults = rows_of(whole)
    assert without_publish(rows) == rows_by_sqlite(whole / "whole.db3", whole / "second.db3")
    assert faults == []


def test_metadata_that_counts_otherwise_is_a_warning(build_folder, edit_metadata):
    path = build_folder("a")
    edit_metadata(path, message_count=49, duration={"nanoseconds": 7_000_000})
    with open_recording(path) as recording:
        assert len(list(recording.messages())) == 50
        assert sorted((fault.code, fault.severity) for fault in recording.faults) == [
            ("count_differs_from_metadata", "warning"),
            ("duration_differs_from_metadata", "warning"),
            ("duration_differs_from_metadata", "warning"),
        ]


def test_folders_that_are_refused(build_folder, edit_metadata, tmp_path):
    cases = {
        r"none of the files that metadata.yaml names is there \(gone_0\.db3, gone_1\.db3\); there is case0\.db3\. "
        r"Run `ros2 bag reindex case0`": {"relative_file_paths": ["gone_0.db3", "gone_1.db3"]},
        r"messages are compressed as 'snappy'": {"compression_mode": "MESSAGE", "compression_format": "snappy"},
        r"damaged: .*\$\.rosbag2_bagfile_information\.message_count": {"message_count": "many"},
        r"damaged: .*relative_file_paths": {"relative_file_paths": []},
        r"none of the files that metadata.yaml names is there": {"relative_file_paths": ["..", "/"]},
    }
    for number, (pattern, changes) in enumerate(cases.items()):
        path = build_folder(f"case{number}")
        edit_metadata(path, **changes)
        with pytest.raises(RecordingError, match=pattern):
            open_recording(path)
    metadata = build_folder("text") / "metadata.yaml"
    for content, pattern in (
        (b"\xff\xfe: [", "not YAML"),
        (b"other: 1", f"has no {KEY}"),
        (b"", "has no"),
        (b"[" * 5000, "YAML"),
    ):
        metadata.write_bytes(content)
        with pytest.raises(RecordingError, match=pattern):
            open_recording(metadata.parent)


def test_a_file_under_another_name_is_read_where_there_is_only_one(build_folder, edit_metadata, rows_of):
    path = build_folder("a")
    expected, _ = rows_of(path)
    next(path.glob("*.db3")).rename(path / "renamed.db3")
    assert rows_of(path) == (expected, ["renamed_split"])
    with open_recording(path) as recording:
        assert [fault.severity for fault in recording.faults] == ["warning"]
        assert "names a.db3, which is not there; renamed.db3, the only other file" in recording.faults[0].message
        assert [file.name for file in recording.files] == ["metadata.yaml", "renamed.db3"]
    (path / "another.db3").write_bytes((path / "renamed.db3").read_bytes())
    with pytest.raises(
        RecordingError, match=r"\(a\.db3\); there are another\.db3, renamed\.db3\. Run `ros2 bag reindex a`"
    ):
        open_recording(path)


def test_a_renamed_split_keeps_its_place(build_folder, edit_metadata, rows_of):
    path = build_folder("a")
    expected, _ = rows_of(path)
    (path / "b.db3").write_bytes((path / "a.db3").read_bytes())
    edit_metadata(path, relative_file_paths=["gone.db3", "b.db3"], message_count=100, files=[])
    rows, faults = rows_of(path)
    assert rows == expected + expected
    assert faults == ["renamed_split"]
    with open_recording(path) as recording:
        assert [file.name for file in recording.files] == ["metadata.yaml", "a.db3", "b.db3"]


@pytest.mark.parametrize("said", ["", None, "leveldb", "mcap"])
def test_first_bytes_say_what_a_storage_is(said, build_folder, edit_metadata, rows_of):
    path = build_folder("a")
    expected, _ = rows_of(path)
    edit_metadata(path, storage_identifier=said)
    rows, faults = rows_of(path)
    assert rows == expected
    assert faults == ["storage_differs"]


def test_a_storage_that_nothing_tells_is_refused(build_folder, edit_metadata):
    path = build_folder("a")
    edit_metadata(path, storage_identifier="leveldb")
    (path / "a.db3").write_bytes(b"other bytes")
    with pytest.raises(RecordingError, match=r"its storage is 'leveldb', .* none that is known \(mcap, sqlite3\)"):
        open_recording(path)


@pytest.mark.parametrize("storage", ["SQLITE3", "MCAP"])
def test_packed_messages_are_unpacked_without_metadata(storage, build_folder, edit_metadata, rows_of):
    expected = rows_by_rosbags(build_folder("plain", storage=storage))
    path = build_folder("packed", storage=storage, mode="MESSAGE")
    (file,) = (each for each in path.iterdir() if each.suffix != ".yaml")
    rows, faults = rows_of(file)
    assert without_publish(rows) == expected
    assert faults == ["messages_packed"] * 2  # one a channel
    edit_metadata(path, compression_mode="", compression_format="")
    rows, faults = rows_of(path)
    assert without_publish(rows) == expected
    assert faults == ["messages_packed"] * 2


def test_a_packed_message_that_is_damaged_keeps_its_place(build_folder):
    path = build_folder("packed", mode="MESSAGE")
    (file,) = path.glob("*.db3")
    with closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE messages SET data = substr(data, 1, 8) WHERE id = 5")
        database.commit()
    with open_recording(file) as recording:
        messages = list(recording.messages())
    assert len(messages) == 50
    assert [bytes(message.data[:4]) == b"\x28\xb5\x2f\xfd" for message in messages].count(True) == 1
    assert [message.sequence for message in messages if message.channel_id == 0] == list(range(25))


def test_a_database_of_the_first_version_is_cdr(tmp_path, rows_of):
    path = tmp_path / "crystal.db3"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            "CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL);"
            "CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, data BLOB);"
            "INSERT INTO topics VALUES (1, '/a', 'std_msgs/Bool'); INSERT INTO messages VALUES (1, 1, 7, x'0001000001');"
        )
    assert rows_of(path) == ([("/a", 7, 7, b"\0\1\0\0\1")], [])
    with open_recording(path) as recording:
        assert (recording.channels[0].message_encoding, recording.channels[0].schema_name) == (
            "cdr",
            "std_msgs/msg/Bool",
        )


def test_one_unreadable_split_of_two_is_told_and_left_out(build_folder, edit_metadata, rows_of):
    path = build_folder("a")
    (path / "b.db3").write_bytes(b"SQLite format 3\0" + bytes(100))
    edit_metadata(path, relative_file_paths=["b.db3", "a.db3"])
    rows, faults = rows_of(path)
    assert len(rows) == 50
    assert faults == ["split_unreadable"]
    (path / "a.db3").write_bytes(b"")
    with pytest.raises(RecordingError, match=r"b\.db3: not a rosbag2 database"):
        open_recording(path)


def test_a_message_that_is_not_zstd_is_counted(build_folder):
    path = build_folder("a", mode="MESSAGE")
    with closing(sqlite3.connect(path / "a.db3")) as database, database:
        database.execute("UPDATE messages SET data = x'00010203' WHERE id = 5")
        database.execute("UPDATE messages SET data = substr(data, 1, length(data) - 2) WHERE id = 6")
    with open_recording(path) as recording:
        assert len(list(recording.messages())) == 48
        assert [(fault.code, fault.severity, fault.message[:17]) for fault in recording.faults] == [
            ("message_damaged", "error", "1 messages on /a "),
            ("message_damaged", "error", "1 messages on /b "),
        ]


def test_rows_that_are_no_messages_are_counted(build_folder, rows_of):
    path = build_folder("a")
    with closing(sqlite3.connect(path / "a.db3")) as database, database:
        database.execute("UPDATE messages SET topic_id = 77 WHERE id IN (3, 4)")
        database.execute("UPDATE messages SET timestamp = 'noon' WHERE id = 5")
        database.execute("UPDATE messages SET data = 12 WHERE id = 6")
    rows, faults = rows_of(path / "a.db3")
    assert len(rows) == 46
    assert faults == ["unknown_channel", "record_damaged"]


def test_an_unmerged_write_ahead_log_is_told(build_folder):
    path = build_folder("a") / "a.db3"
    path.with_name("a.db3-wal").write_bytes(b"log")
    with open_recording(path) as recording:
        assert [fault.code for fault in recording.faults] == ["unmerged_write_ahead_log"]


def test_nothing_is_written_beside_a_database(build_folder, rows_of):
    folder = build_folder("a")
    with closing(sqlite3.connect(folder / "a.db3")) as database:
        database.execute("PRAGMA journal_mode = WAL")  # makes SQLite keep two more files beside it while it is open
    before = sorted(folder.iterdir())
    with open_recording(folder) as recording:
        messages = recording.messages()
        next(messages)
        assert sorted(folder.iterdir()) == before
        messages.close()
    assert sorted(folder.iterdir()) == before


def test_a_database_of_something_else_is_refused(tmp_path):
    path = tmp_path / "a.db3"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE songs (id)")
    with pytest.raises(RecordingError, match="without the tables of a rosbag2"):
        open_recording(path)


@pytest.mark.parametrize("mode", ["NONE", "MESSAGE", "FILE"])
def test_150_damaged_databases_do_not_crash(mode, build_folder, damaged_copies, read_or_refuse):
    folder = build_folder("a", mode=mode, num_messages=200)
    (path,) = folder.glob("a.db3*")
    content = path.read_bytes()
    outcomes = set()
    for what, changed in damaged_copies(content, count=150, seed=11):
        path.write_bytes(changed)
        result = read_or_refuse(folder if mode != "NONE" else path)
        outcomes.add("refused" if result is None else bool(result[1]))
        assert result is None or len(result[0]) <= 200, what
    assert len(outcomes) > 1


def test_damaged_metadata_does_not_crash(build_folder, damaged_copies):
    folder = build_folder("a")
    path = folder / "metadata.yaml"
    num_refused = 0
    for _, changed in damaged_copies(path.read_bytes(), count=150, seed=2):
        path.write_bytes(changed)
        try:
            with open_recording(folder) as recording:
                assert len(list(recording.messages())) == 50
        except RecordingError:
            num_refused += 1
    assert num_refused > 20


def test_rows_that_are_missing_between_others_are_told(build_folder, rows_of):
    path = build_folder("a") / "a.db3"
    whole, _ = rows_of(path)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM messages WHERE id IN (10, 20, 21)")
    rows, faults = rows_of(path)
    assert rows == [row for number, row in enumerate(whole, 1) if number not in (10, 20, 21)]
    assert faults == ["rows_missing"]
    for salvage in (False, True):
        with open_recording(path, salvage=salvage) as recording:
            list(recording.messages())
            (fault,) = recording.faults
            assert fault.severity == "warning"
            assert fault.message.startswith("3 rows are missing between others (first row 10)")
            assert [loss.num_messages for loss in recording.losses.entries] == ([3] if salvage else [])
