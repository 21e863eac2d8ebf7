"""rosbag2 databases whose pages are missing or none, and folders whose files or metadata are."""

from __future__ import annotations

import random
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import yaml

from bagmill.errors import RecordingError
from bagmill.recordings import discover, open_recording
from bagmill.testing import Settings, healthy

Row = tuple[str, int, int, bytes]
_PAGE = 4096


def rows_of(database: Path) -> list[Row]:
    connection = sqlite3.connect(database)
    found = connection.execute(
        "SELECT name, timestamp, timestamp, data FROM messages JOIN topics ON topics.id = topic_id ORDER BY messages.id"
    ).fetchall()
    connection.close()
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return healthy(tmp_path / "run", settings=Settings(container="rosbag2", num_frames=20))


@pytest.fixture
def database(folder: Path) -> Path:
    return next(folder.glob("*.db3"))


def test_what_a_database_that_was_cut_still_holds(database: Path, salvage: Any) -> None:
    rows = rows_of(database)
    content = database.read_bytes()
    database.write_bytes(content[: len(content) * 2 // 3 + 77])

    found = salvage(database)

    assert found.rows == [row for row in rows if row in found.rows]
    assert len(rows) / 2 < len(found.rows) < len(rows)
    assert found.codes == ["truncated"]
    assert found.losses.num_messages is None
    with pytest.raises(RecordingError, match=r"cut off at byte .*bagmill recover"):
        open_recording(database)


def test_a_last_page_that_is_cut_is_no_message(database: Path, salvage: Any) -> None:
    """SQLite reads it as if zeros followed."""
    rows = rows_of(database)
    content = database.read_bytes()
    for num_missing in (1, 100, 2_000, 4_000):
        database.write_bytes(content[:-num_missing])
        found = salvage(database)
        assert found.rows == [row for row in rows if row in found.rows]
        with pytest.raises(RecordingError, match="cut off"):
            open_recording(database)


def test_metadata_counts_what_a_cut_database_of_a_folder_lacks(folder: Path, database: Path, salvage: Any) -> None:
    rows = rows_of(database)
    content = database.read_bytes()
    database.write_bytes(content[: len(content) // 2])

    found = salvage(folder)

    lost = [row for row in rows if row not in found.rows]
    assert found.losses.num_messages == len(lost)
    counted = {loss.channel: loss.num_messages for loss in found.losses.entries if loss.channel}
    assert counted == {topic: sum(row[0] == topic for row in lost) for topic in {row[0] for row in lost}}
    (cut,) = [loss for loss in found.losses.entries if loss.kind == "truncated"]
    assert cut.seconds == pytest.approx((rows[-1][1] - found.rows[-1][1]) / 1e9)
    assert found.losses.seconds is not None


def test_rows_behind_damaged_pages_are_read(database: Path, salvage: Any) -> None:
    rows = rows_of(database)
    connection = sqlite3.connect(database)
    leaves = connection.execute(
        "SELECT pageno, ncell FROM dbstat WHERE name = 'messages' AND pagetype = 'leaf' ORDER BY path"
    ).fetchall()
    connection.close()
    place = len(leaves) // 2
    content = bytearray(database.read_bytes())
    start = (leaves[place][0] - 1) * _PAGE
    content[start : start + _PAGE] = random.Random(1).randbytes(_PAGE)
    database.write_bytes(content)

    found = salvage(database)

    before = sum(cells for _, cells in leaves[:place])
    after = before + leaves[place][1]
    assert found.rows == rows[:before] + rows[after:]
    assert "database_damaged" in found.codes
    gap = next(loss for loss in found.losses.entries if loss.num_messages is not None)
    assert gap.num_messages == after - before
    assert gap.seconds == pytest.approx((rows[after][1] - rows[before - 1][1]) / 1e9)


def test_leaves_that_the_tree_has_lost_are_found(database: Path, salvage: Any) -> None:
    rows = rows_of(database)
    connection = sqlite3.connect(database)
    (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'messages'").fetchone()
    connection.close()
    content = bytearray(database.read_bytes())
    content[(root - 1) * _PAGE : root * _PAGE] = bytes(_PAGE)
    database.write_bytes(content)

    assert salvage(database).rows == rows


def test_rows_that_were_deleted_do_not_come_back(database: Path, salvage: Any) -> None:
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA secure_delete = OFF")
    connection.execute("DELETE FROM messages WHERE id BETWEEN 20 AND 60")
    connection.commit()
    connection.close()
    rows = rows_of(database)
    content = bytearray(database.read_bytes())
    content += b"x"  # no whole page more: SQLite's own reading is not taken
    database.write_bytes(content)

    assert salvage(database).rows == rows


@pytest.mark.parametrize("page_bytes", [512, 1024, 65536])
@pytest.mark.parametrize("vacuum", ["NONE", "FULL"])
def test_pages_of_other_sizes_and_pointer_maps(
    database: Path, tmp_path: Path, salvage: Any, page_bytes: int, vacuum: str
) -> None:
    other = tmp_path / "other.db3"
    connection = sqlite3.connect(database)
    connection.execute(f"PRAGMA page_size = {page_bytes}")
    connection.execute(f"PRAGMA auto_vacuum = {vacuum}")
    connection.execute("VACUUM INTO ?", (str(other),))
    connection.close()
    rows = rows_of(other)
    content = other.read_bytes()
    other.write_bytes(content + b"x")
    assert salvage(other).rows == rows
    other.write_bytes(content[: len(content) * 3 // 4])
    found = salvage(other)
    assert found.rows == [row for row in rows if row in found.rows]


def _split(folder: Path, names: list[str]) -> dict[str, list[Row]]:
    """A folder of several files out of one of a single file."""
    source = next(folder.glob("*.db3"))
    rows = rows_of(source)
    size = len(rows) // len(names) + 1
    parts: dict[str, list[Row]] = {}
    for place, name in enumerate(names):
        shutil.copy(source, folder / name)
        first, last = place * size + 1, (place + 1) * size
        connection = sqlite3.connect(folder / name)
        connection.execute("DELETE FROM messages WHERE id NOT BETWEEN ? AND ?", (first, last))
        connection.commit()
        connection.close()
        parts[name] = rows[first - 1 : last]
    source.unlink()
    return parts


def _metadata(folder: Path, parts: dict[str, list[Row]]) -> None:
    path = folder / "metadata.yaml"
    content = yaml.safe_load(path.read_text())
    bag = content["rosbag2_bagfile_information"]
    bag["relative_file_paths"] = list(parts)
    bag["files"] = [
        {
            "path": name,
            "starting_time": {"nanoseconds_since_epoch": rows[0][1]},
            "duration": {"nanoseconds": rows[-1][1] - rows[0][1]},
            "message_count": len(rows),
        }
        for name, rows in parts.items()
    ]
    path.write_text(yaml.safe_dump(content))


def test_a_missing_split_is_counted_by_channel(folder: Path, salvage: Any) -> None:
    parts = _split(folder, ["run_0.db3", "run_1.db3", "run_2.db3"])
    _metadata(folder, parts)
    (folder / "run_1.db3").unlink()

    found = salvage(folder)

    assert found.rows == parts["run_0.db3"] + parts["run_2.db3"]
    lost = parts["run_1.db3"]
    assert found.losses.num_messages == len(lost)
    counted = {loss.channel: loss.num_messages for loss in found.losses.entries if loss.channel}
    assert counted == {topic: sum(row[0] == topic for row in lost) for topic in {row[0] for row in lost}}
    assert found.losses.seconds == pytest.approx((lost[-1][1] - lost[0][1]) / 1e9)


@pytest.mark.parametrize("metadata", [None, b"\0\0\0\0", b"rosbag2_bagfile_information: {files: 3"])
def test_a_folder_without_a_legible_metadata_is_read_by_its_files_names(
    folder: Path, salvage: Any, metadata: bytes | None
) -> None:
    names = [f"run_{n}.db3" for n in (0, 1, 2, 10)]
    parts = _split(folder, names)
    (folder / "metadata.yaml").unlink()
    if metadata is not None:
        (folder / "metadata.yaml").write_bytes(metadata)
    with pytest.raises(RecordingError):
        open_recording(folder)

    found = salvage(folder)

    assert found.rows == [row for name in names for row in parts[name]]
    assert found.codes[:1] == ["metadata_unreadable"]
    missing = [loss.where for loss in found.losses.entries if loss.kind == "missing_split"]
    assert missing == [f"run_{n}.db3" for n in range(3, 10)]


def test_such_a_folder_is_one_recording_only_where_it_is_asked_for(folder: Path) -> None:
    names = ["run_0.db3", "run_1.db3"]
    _split(folder, names)
    (folder / "metadata.yaml").unlink()

    assert discover(folder.parent) == [folder / name for name in names]
    assert discover(folder.parent, salvage=True) == [folder]
    (folder / "other_0.db3").write_bytes((folder / "run_0.db3").read_bytes())
    assert len(discover(folder.parent, salvage=True)) == 3
