"""Recordings below a folder."""

from __future__ import annotations

import errno
import os
import socket
import sqlite3
from contextlib import closing

import pytest

from bagmill.errors import RecordingError
from bagmill.recordings import discover, open_recording

MCAP = b"\x89MCAP0\r\n"
METADATA = "rosbag2_bagfile_information:\n  version: 5\n"


def test_the_real_recordings(recordings_dir):
    found = discover(recordings_dir)
    names = [path.relative_to(recordings_dir).as_posix() for path in found]
    outside = [name for name in names if not name.startswith("mcap_conformance/")]
    assert len(names) - len(outside) == 342
    assert outside == sorted(
        [
            "aerial_arm_db3",
            "aerial_arm_mcap",
            "bz2.bag",
            "franka_teach/trajectory_20250527_003442_00m02s.mcap",
            "franka_teach/trajectory_20250527_003848_00m00s.mcap",
            "husky_imu_odom_gps.bag",
            "invalid.bag",
            "lz4.bag",
            "malformed_magic.mcap",
            "mcap_oddities/bad_schema.mcap",
            "mcap_oddities/empty_channel.mcap",
            "mcap_oddities/publish_vs_log_time.mcap",
            "mcap_oddities/unsupported_encoding.mcap",
            "message_zoo_mcap",
            "nav2_turtlebot.mcap",
            "no_messages.bag",
            "realsense_d4xx.bag",
            "slam_poses.bag",
            "soccer_goal",
            "split_db3",
            "tf_example",
            "tf_example.bag",
            "two_strings.bag",
            "wrong_serialization",
        ]
    )
    assert found == sorted(found)


def test_what_counts_and_what_does_not(tmp_path):
    listed = {
        "a.mcap": MCAP,
        "named_wrong.mcap": b"PK",
        "empty.bag": b"",
        "by_magic": MCAP,
        "deep/er/b.bag": b"#ROSBAG V2.0\n",
        "other_metadata/c.mcap": MCAP,
    }
    unlisted = {
        ".hidden.mcap": MCAP,
        "d.mcap.part": MCAP,
        "e.mcap.tmp": MCAP,
        "f.mcap~": MCAP,
        "readme.md": b"#ROSBAG is a format",
        "nothing": b"",
        ".cache/g.mcap": MCAP,
        "episode.zarr/h.mcap": MCAP,
        "bag2/metadata.yaml": METADATA.encode(),
        "bag2/bag2_0.mcap": MCAP,
        "bag2/inner/i.mcap": MCAP,
        "other_metadata/metadata.yaml": b"title: photographs\n",
    }
    for name, content in {**listed, **unlisted}.items():
        (path := tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "broken.mcap").symlink_to(tmp_path / "gone")
    (tmp_path / "broken").symlink_to(tmp_path / "gone")
    expected = sorted(tmp_path / name for name in [*listed, "bag2", "broken.mcap"])
    assert discover(tmp_path) == expected
    assert discover(str(tmp_path / "bag2")) == [tmp_path / "bag2"]


def test_databases_count_by_their_tables(tmp_path):
    for name, tables in (("bag", ["topics", "messages"]), ("songs", ["songs"])):
        with closing(sqlite3.connect(tmp_path / name)) as database, database:
            for table in tables:
                database.execute(f"CREATE TABLE {table} (id)")
    assert discover(tmp_path) == [tmp_path / "bag"]


def test_loops_end_and_links_are_followed_once(tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "a.mcap").write_bytes(MCAP)
    (inside / "loop").symlink_to(inside)
    (inside / "up").symlink_to(tmp_path)
    (inside / "link").symlink_to(outside)
    assert discover(inside / "link") == [inside / "link" / "a.mcap"]
    assert len(discover(inside)) == 1
    assert len(discover(tmp_path)) == 1


def test_what_is_no_folder_is_refused(tmp_path):
    (path := tmp_path / "a.mcap").write_bytes(MCAP)
    with pytest.raises(RecordingError, match="it is a file"):
        discover(path)
    with pytest.raises(RecordingError, match="there is no such folder"):
        discover(tmp_path / "gone")


def test_nothing_special_is_opened_or_waited_for(tmp_path):
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / "metadata.yaml")
    for name in ("a.mcap", "b.db3", "c.bag", "d"):
        os.mkfifo(tmp_path / name)
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "itself").symlink_to(tmp_path / "itself")
    (tmp_path / "folder.mcap").mkdir()
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(tmp_path / "e"))
        assert discover(tmp_path) == [tmp_path / "a.mcap", tmp_path / "b.db3", tmp_path / "c.bag"]
    for path in (*discover(tmp_path), tmp_path / "d", tmp_path / "e", tmp_path / "zero"):
        with pytest.raises(RecordingError, match=r"it is a (named pipe|socket|device), not a regular file"):
            open_recording(path)
    with pytest.raises(RecordingError, match="it is a named pipe"):
        open_recording(tmp_path / "pipe")


def test_what_may_not_be_looked_at_is_told_and_the_look_goes_on(tmp_path, monkeypatch):
    for name in ("first/a.mcap", "second/b.mcap", "third/c.mcap", "fourth"):
        (path := tmp_path / name).parent.mkdir(exist_ok=True)
        path.write_bytes(MCAP)
    listed, opened = os.scandir, os.open

    def scandir(path):
        if str(path).endswith("second"):
            raise PermissionError(errno.EACCES, "denied", path)
        return listed(path)

    def open_file(path, *arguments):
        if str(path).endswith("fourth"):
            raise OSError(errno.EIO, "the disk fails", str(path))
        return opened(path, *arguments)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(os, "open", open_file)
    told = []
    assert discover(tmp_path, tell=told.append) == [tmp_path / "first" / "a.mcap", tmp_path / "third" / "c.mcap"]
    assert sorted(error.path.name for error in told) == ["fourth", "second"]
    with pytest.raises(RecordingError):
        discover(tmp_path)
    with pytest.raises(RecordingError, match="denied"):
        discover(tmp_path / "second", tell=told.append)


def test_names_that_nobody_gives(tmp_path):
    odd = [b"new\nline.mcap", b"not utf-8 \xff\xfe.mcap", b"tab\t.bag", b"\xed\xa0\x80.db3", b"-rf.mcap", b"%2e?#.mcap"]
    for name in odd:
        (tmp_path / os.fsdecode(name)).write_bytes(MCAP)
    found = discover(tmp_path)
    assert sorted(os.fsencode(path.name) for path in found) == sorted(odd)
    deep = tmp_path
    for _ in range(60):
        deep = deep / ("d" * 60)
        deep.mkdir()
    (deep / "a.mcap").write_bytes(MCAP)
    assert deep / "a.mcap" in discover(tmp_path)
