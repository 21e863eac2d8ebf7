"""What opens a recording is its first bytes; what does not open is refused with one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bagmill.errors import RecordingError
from bagmill.recordings import open_recording


@pytest.mark.parametrize(
    ("name", "container"),
    [
        ("nav2_turtlebot.mcap", "mcap"),
        ("two_strings.bag", "rosbag1"),
        ("tf_example/tf_example.db3", "rosbag2"),
        ("tf_example", "rosbag2"),
        ("soccer_goal", "rosbag2"),
    ],
)
def test_the_first_bytes_choose_whatever_the_name(name, container, recordings_dir, tmp_path):
    for other in ("recording.xyz", "recording.mcap", "recording.bag"):
        link = tmp_path / other
        link.symlink_to(recordings_dir / name)
        with open_recording(str(link)) as recording:
            assert recording.container == container
            assert recording.path == link


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.mcap", b"", "the file is empty. Record or copy it again."),
        ("a.bag", b"", "the file is empty. Record or copy it again."),
        ("a.bag", b"PK\3\4 and more", "not a recording: it begins with 'PK\\x03\\x04 and more'. Known are MCAP files,"),
        (
            "a.mcap",
            b"PK\3\4 and more",
            "not an MCAP file: its first bytes are 50 4b 03 04 20 61 6e 64, where 89 4d 43 41 50",
        ),
        (
            "a.db3.zstd",
            b"\x28\xb5\x2f\xfd" + bytes(9),
            "the file is compressed as a whole with zstd. Name the rosbag2 folder it belongs to, or unpack it: "
            "`zstd -d a.db3.zstd -o a.db3`.",
        ),
        ("a.bag.gz", b"\x1f\x8b\x08" + bytes(9), "the file is compressed as a whole with gzip. Unpack it first."),
        ("a.mcap", b"BZh9" + bytes(9), "the file is compressed as a whole with bzip2. Unpack it first."),
        ("a.db3", b"\x89MCAP0\n", "not a recording: it begins with"),
    ],
)
def test_foreign_and_empty_files(name, content, sentence, tmp_path):
    (path := tmp_path / name).write_bytes(content)
    with pytest.raises(RecordingError) as caught:
        open_recording(path)
    assert str(caught.value).startswith(f"{path}: {sentence}")


def test_a_file_that_lost_its_carriage_returns_is_told_so(recordings_dir):
    with pytest.raises(RecordingError, match=r"not an MCAP file: .* converts line endings"):
        open_recording(recordings_dir / "malformed_magic.mcap")


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"


@pytest.mark.parametrize("name", ["a.mcap", "a.bag", "a.db3", "a.db3.zstd", "a"])
def test_a_git_lfs_pointer_is_called_one(name, tmp_path):
    (path := tmp_path / name).write_bytes(POINTER)
    with pytest.raises(RecordingError, match=r"Git LFS pointer to a file of 12,345 bytes, .*`git lfs pull`"):
        open_recording(path)


@pytest.mark.parametrize("pointer", ["a_0.mcap", "metadata.yaml"])
def test_a_git_lfs_pointer_in_a_folder_is_called_one(pointer, tmp_path):
    files = {
        "metadata.yaml": b"rosbag2_bagfile_information: {storage_identifier: mcap, relative_file_paths: [a_0.mcap], "
        b"duration: {nanoseconds: 0}, message_count: 0}",
        "a_0.mcap": b"\x89MCAP0\r\n",
    }
    for name, content in (files | {pointer: POINTER}).items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(RecordingError, match=rf"{pointer}: it is a Git LFS pointer to a file of 12,345 bytes"):
        open_recording(tmp_path)


def test_nothing_there(tmp_path):
    for path in (tmp_path / "none.mcap", tmp_path / "none" / "below", tmp_path / "a\0b"):
        with pytest.raises(RecordingError, match=r"there is no such file or folder\. Check the path\."):
            open_recording(path)
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(RecordingError, match="there is no such file or folder"):
        open_recording(tmp_path / "file" / "below")


def test_a_folder_without_metadata(tmp_path):
    with pytest.raises(RecordingError, match=r"holds no metadata\.yaml.*ros2 bag reindex"):
        open_recording(tmp_path)


def test_a_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "a.mcap")
    with pytest.raises(RecordingError, match="not a regular file"):
        open_recording(tmp_path / "a.mcap")


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_no_permission(kind, tmp_path):
    path = tmp_path / "a.mcap"
    if kind == "folder":
        path.mkdir()
        (path / "metadata.yaml").write_text("x: 1")
    else:
        path.write_bytes(b"\x89MCAP0\r\n")
    code = f"""
import os, sys
sys.path.insert(0, {str(Path.cwd())!r})
from bagmill.recordings import open_recording
from bagmill.errors import RecordingError
os.chmod({str(path)!r}, 0)
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    open_recording({str(path)!r})
except RecordingError as err:
    print(err)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    path.chmod(0o700)
    assert "permission to read it is denied. Change its mode or owner." in done.stdout
