"""The files of a rosbag2 folder: which there are, and each opened as a recording."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import zstandard

from bagmill.errors import RecordingError
from bagmill.recordings.fault_log import FaultLog
from bagmill.recordings.file_window import RecordingFile
from bagmill.recordings.mcap import McapRecording
from bagmill.recordings.rosbag2_metadata import FILE_NAME, BagMetadata
from bagmill.recordings.rosbag2_sqlite import Rosbag2DatabaseRecording

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_STORAGES: dict[str, type[McapRecording | Rosbag2DatabaseRecording]] = {
    "mcap": McapRecording,
    "sqlite3": Rosbag2DatabaseRecording,
}


class Split(NamedTuple):
    """One file of a folder."""

    name: str
    """In the folder."""
    size_bytes: int
    """In the folder."""
    recording: McapRecording | Rosbag2DatabaseRecording
    """Of the file itself, or of what it unpacked to."""
    unpacked_bytes: int


def locate_splits(folder: Path, metadata: BagMetadata, *, faults: FaultLog) -> tuple[Path, ...]:
    """The files that metadata.yaml names, in its order, as far as they are there.

    Old versions name them with the folder's name in front, and without the suffix that compression adds.

    Raises:
        RecordingError: None is there.
    """
    found: list[Path] = []
    missing: list[str] = []
    for named in metadata.relative_file_paths:
        name = PurePosixPath(named).name
        candidates = [folder / name, folder / f"{name}.zstd"] if name else []
        split = next((candidate for candidate in candidates if candidate.is_file()), None)
        if split is None:
            missing.append(named)
        elif split not in found:
            found.append(split)
    if not found:
        raise RecordingError(
            f"none of the {len(missing)} files that {FILE_NAME} names is there ({missing[0]} is the first)",
            path=folder,
            remedy="Copy the whole folder again",
        )
    if missing:
        faults.add(
            "missing_split",
            f"{len(missing)} of the {len(metadata.relative_file_paths)} files that {FILE_NAME} names are not there, "
            f"{missing[0]} the first of them.",
            severity="warning",
        )
    return tuple(found)


def open_splits(
    paths: tuple[Path, ...], metadata: BagMetadata, *, faults: FaultLog, resources: ExitStack
) -> tuple[Split, ...]:
    """Every split that can be opened.

    Args:
        paths: The files.
        metadata: For the storage.
        faults: Where those go that cannot be opened while others can.
        resources: Closes the splits and removes what was unpacked.

    Raises:
        RecordingError: None can be opened, or no reader knows the storage.
    """
    storage = _STORAGES.get(metadata.storage_identifier)
    if storage is None:
        raise RecordingError(
            f"no storage is called {metadata.storage_identifier!r}; known are {', '.join(_STORAGES)}",
            path=paths[0].parent / FILE_NAME,
            remedy="Convert it with `ros2 bag convert`",
        )
    splits: list[Split] = []
    problems: list[RecordingError] = []
    for path in paths:
        try:
            size_bytes, source = _unpacked(path, resources)
            recording = storage(source)
            resources.callback(recording.close)
        except RecordingError as err:
            problems.append(RecordingError(err.problem, path=path, remedy=err.remedy))
            problems[-1].__cause__ = err
            faults.add("split_unreadable", f"{path.name} is left out with all its messages: {err.problem}.")
        else:
            splits.append(Split(path.name, size_bytes, recording, source.stat().st_size))
    if not splits:
        raise problems[0]
    return tuple(splits)


def _unpacked(path: Path, resources: ExitStack) -> tuple[int, Path]:
    """Size of a file, and the file itself or what it unpacked to: its content tells, not its name or metadata.yaml."""
    file = RecordingFile(path)
    size_bytes, magic = file.size_bytes, file.read(0, len(ZSTD_MAGIC))
    file.close()
    if magic != ZSTD_MAGIC:
        return size_bytes, path
    try:
        folder = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="bagmill-")))
        target = folder / path.name.removesuffix(".zstd")
        with path.open("rb") as source, target.open("wb") as sink:
            zstandard.ZstdDecompressor().copy_stream(source, sink)
    except zstandard.ZstdError as err:
        raise RecordingError(f"its zstd data is damaged ({err})", path=path, remedy="Copy it again") from err
    except OSError as err:
        raise RecordingError(
            f"it cannot be unpacked to {tempfile.gettempdir()} ({err.strerror})",
            path=path,
            remedy="Point TMPDIR at a disk with room for the unpacked recording",
        ) from err
    return size_bytes, target
