"""A recording opened by what its first bytes say it is, never by its name."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from bagmill.errors import RecordingError
from bagmill.local_paths import local_path
from bagmill.recordings import mcap_records, rosbag1_records, rosbag2_sqlite
from bagmill.recordings.compression import ZSTD_MAGIC
from bagmill.recordings.file_window import RecordingFile, unreadable
from bagmill.recordings.lfs_pointer import POINTER_BYTES, POINTER_MAGIC, refuse_pointer
from bagmill.recordings.mcap import McapRecording
from bagmill.recordings.records import Recording
from bagmill.recordings.rosbag1 import Rosbag1Recording
from bagmill.recordings.rosbag2 import Rosbag2Recording
from bagmill.recordings.rosbag2_sqlite import Rosbag2DatabaseRecording

MAGIC_BYTES = 16
_PACKED = {
    ZSTD_MAGIC: "zstd",
    b"\x1f\x8b\x08": "gzip",
    b"\xfd7zXZ\0": "xz",
    b"BZh": "bzip2",
    b"\x04\x22\x4d\x18": "lz4",
}
_KNOWN = "Known are MCAP files, ROS 1 bags (.bag), rosbag2 folders and their databases (.db3)"


def open_recording(path: Path | str, *, salvage: bool = False, keeps_numbers: bool = False) -> Recording:
    """A recording, open: a context manager.

    Args:
        path: An MCAP file, a ROS 1 bag, a rosbag2 folder (one with a metadata.yaml) or a single file of one.
        salvage: Read what is whole in a damaged one, and tell what is missing in `losses`.
        keeps_numbers: Give messages out of MCAP files with the sequence numbers of their publishers.

    Raises:
        AddressError: It is an address, not a path on this machine.
        RecordingError: There is nothing at `path`, it may not be read, is empty, or is none of these.
    """
    path = local_path(path)
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError) as err:
        raise unreadable(path, err if isinstance(err, OSError) else FileNotFoundError(str(err))) from err
    if is_folder:
        return Rosbag2Recording(path, salvage=salvage, keeps_numbers=keeps_numbers)
    magic = read_magic(path)
    if POINTER_MAGIC.startswith(magic) and magic:
        refuse_pointer(path, read_beginning(path, POINTER_BYTES))
    if magic.startswith(mcap_records.MAGIC):
        return McapRecording(path, salvage=salvage, keeps_numbers=keeps_numbers)
    if magic.startswith(b"#ROSBAG V"):
        return Rosbag1Recording(path, salvage=salvage)
    if magic == rosbag2_sqlite.MAGIC:
        return Rosbag2DatabaseRecording(path, salvage=salvage)
    packed_as = next((name for beginning, name in _PACKED.items() if magic.startswith(beginning)), None)
    if packed_as is not None:
        raise RecordingError(
            f"the file is compressed as a whole with {packed_as}",
            path=path,
            remedy="Unpack it first"
            if packed_as != "zstd"
            else f"Name the rosbag2 folder it belongs to, or unpack it: `zstd -d {path.name} -o {path.stem}`",
        )
    if magic and path.suffix == ".mcap":
        return McapRecording(path, salvage=salvage, keeps_numbers=keeps_numbers)  # a wrong magic is named there
    raise _foreign(path, magic)


def read_magic(path: Path) -> bytes:
    """A file's first 16 bytes.

    Raises:
        RecordingError: It cannot be read.
    """
    return read_beginning(path, MAGIC_BYTES)


def read_beginning(path: Path, num_bytes: int) -> bytes:
    """A file's first bytes, fewer where it is shorter.

    Raises:
        RecordingError: It cannot be read.
    """
    file = RecordingFile(path)
    try:
        return bytes(file.read(0, num_bytes))
    finally:
        file.close()


def is_recording_magic(path: Path, magic: bytes) -> bool:
    """Whether a file that begins with these bytes is a recording; other programs' databases are not."""
    if magic == rosbag2_sqlite.MAGIC:
        return rosbag2_sqlite.is_rosbag2_database(path)
    return magic.startswith((mcap_records.MAGIC, rosbag1_records.MAGIC))


def _foreign(path: Path, magic: bytes) -> RecordingError:
    if not magic:
        return RecordingError("the file is empty", path=path, remedy="Record or copy it again")
    return RecordingError(f"not a recording: it begins with {os.fsdecode(magic)!r}", path=path, remedy=_KNOWN)
