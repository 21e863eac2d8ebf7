"""The files of a rosbag2 folder: which there are, and each opened as a recording."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from contextlib import ExitStack
from itertools import accumulate
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

import zstandard

from bagmill.errors import LimitError, RecordingError
from bagmill.limits import limits
from bagmill.pulse import pulse
from bagmill.recordings import mcap_records, rosbag2_sqlite
from bagmill.recordings.allowance import Allowance, limits_told_of
from bagmill.recordings.compression import ZSTD_HEADER_BYTES, ZSTD_MAGIC, announced_bytes, zstd_pieces
from bagmill.recordings.fault_log import FaultLog
from bagmill.recordings.file_window import RecordingFile, unreadable
from bagmill.recordings.lfs_pointer import POINTER_BYTES, refuse_pointer
from bagmill.recordings.losses import LossLog
from bagmill.recordings.mcap import McapRecording
from bagmill.recordings.rosbag2_metadata import FILE_NAME, BagMetadata
from bagmill.recordings.rosbag2_sqlite import Rosbag2DatabaseRecording
from bagmill.regular_files import is_regular, open_regular

_STORAGES: dict[str, type[McapRecording | Rosbag2DatabaseRecording]] = {
    "mcap": McapRecording,
    "sqlite3": Rosbag2DatabaseRecording,
}
_MAGICS = {mcap_records.MAGIC: "mcap", rosbag2_sqlite.MAGIC: "sqlite3"}
_SUFFIXES = frozenset({".mcap", ".db3", ".zstd"})
_MOST_NAMED = 5
_LEFT_FREE_BYTES = 1 << 30
"""Of the disk that is unpacked to: others write there, too."""


class Split(NamedTuple):
    """One file of a folder."""

    name: str
    """In the folder."""
    size_bytes: int
    """In the folder."""
    recording: McapRecording | Rosbag2DatabaseRecording
    """Of the file itself, or of what it unpacked to."""
    unpacked_bytes: int


def locate_splits(folder: Path, metadata: BagMetadata, *, faults: FaultLog, losses: LossLog) -> tuple[Path, ...]:
    """The files that metadata.yaml names, in its order, as far as they are there.

    Old versions name them with the folder's name in front, and without the suffix that compression adds. Where one is missing
    and one other file lies there, that is the missing one under another name.

    Args:
        folder: The folder.
        metadata: Names the files.
        faults: Where those go that are not there.
        losses: And what metadata.yaml says that they held.

    Raises:
        RecordingError: None is there, or the folder may not be listed.
        LimitError: More are named than are taken.
    """
    with limits_told_of(folder / FILE_NAME):
        limits().check("splits", len(metadata.relative_file_paths), what="the number of files that it names")
    splits = {PurePosixPath(named).name: _named_split(folder, named) for named in metadata.relative_file_paths}
    missing = [name for name, split in splits.items() if split is None]
    named = set(splits.values())
    others = [path for path in _files_like_splits(folder) if path not in named] if missing else []
    if len(missing) == 1 and len(others) == 1:
        splits[missing[0]] = others[0]
        faults.add(
            "renamed_split",
            f"{FILE_NAME} names {missing[0]}, which is not there; {others[0].name}, the only other file, is read in its place.",
            severity="warning",
        )
        missing = []
    found = tuple(dict.fromkeys(split for split in splits.values() if split is not None))
    if not found:
        there = (
            f"; there {'is' if len(others) == 1 else 'are'} {_listed([path.name for path in others])}" if others else ""
        )
        reindex = f"Run `ros2 bag reindex {folder.name}`, which names the files that are there"
        raise RecordingError(
            f"none of the files that {FILE_NAME} names is there ({_listed(missing)}){there}",
            path=folder,
            remedy=reindex if others else "Copy the whole folder again",
        )
    if missing:
        for name in missing:
            lose_split(losses, "missing_split", name, metadata)
        faults.add(
            "missing_split",
            f"{len(missing)} of the {len(metadata.relative_file_paths)} files that {FILE_NAME} names are not there, "
            f"{missing[0]} the first of them.",
            severity="warning",
        )
    return found


def lose_split(losses: LossLog, kind: str, name: str, metadata: BagMetadata) -> None:
    """Note a file whose messages are all missing, with what metadata.yaml says of it."""
    said = next(
        (split for split in metadata.files if PurePosixPath(split.path).name == name.removesuffix(".zstd")), None
    )
    said = said or next((split for split in metadata.files if PurePosixPath(split.path).name == name), None)
    losses.add(
        kind,
        name,
        num_messages=None if said is None else said.message_count,
        seconds=None if said is None else said.duration.nanoseconds / 1e9,
    )


def _named_split(folder: Path, named: str) -> Path | None:
    name = PurePosixPath(named).name
    candidates = [folder / name, folder / f"{name}.zstd"] if name else []
    return next((candidate for candidate in candidates if is_regular(candidate)), None)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _files_like_splits(folder: Path) -> list[Path]:
    """Files of a folder that are called like a rosbag2's."""
    try:
        paths = list(folder.iterdir())
    except OSError as err:
        raise unreadable(folder, err) from err
    return sorted(path for path in paths if path.suffix in _SUFFIXES and is_regular(path) and path.name[0] != ".")


def open_splits(
    paths: tuple[Path, ...],
    metadata: BagMetadata,
    *,
    faults: FaultLog,
    losses: LossLog,
    resources: ExitStack,
    keeps_numbers: bool = False,
) -> tuple[Split, ...]:
    """Every split that can be opened.

    Args:
        paths: The files.
        metadata: For the storage.
        faults: Where those go that cannot be opened while others can.
        losses: And what they held; kept where the folder is salvaged, and so are its files then.
        resources: Closes the splits and removes what was unpacked.
        keeps_numbers: As of `McapRecording`.

    Raises:
        RecordingError: None can be opened, or no reader knows the storage.
        LimitError: One asks for more than is taken.
    """
    try:
        allowance = Allowance(sum(path.stat().st_size for path in paths))
    except OSError as err:
        raise unreadable(paths[0].parent, err) from err
    splits: list[Split] = []
    problems: list[RecordingError] = []
    for path in paths:
        try:
            with limits_told_of(path):
                size_bytes, source = _unpacked(path, resources, allowance)
            storage = _storage_of(source, metadata, faults=faults)
            settings = {"unpacks": not metadata.has_packed_messages, "salvage": losses.is_kept}
            with limits_told_of(path, unpacked=source):
                recording = (
                    McapRecording(source, stored_bytes=size_bytes, keeps_numbers=keeps_numbers, **settings)
                    if storage is McapRecording
                    else Rosbag2DatabaseRecording(source, stored_bytes=size_bytes, **settings)
                )
            resources.callback(recording.close)
        except LimitError:
            raise  # what is too much is refused whole, else a part of it would pass for the recording
        except RecordingError as err:
            problems.append(RecordingError(err.problem, path=path, remedy=err.remedy))
            problems[-1].__cause__ = err
            lose_split(losses, "split_unreadable", path.name, metadata)
            faults.add("split_unreadable", f"{path.name} is left out with all its messages: {err.problem}.")
        else:
            splits.append(Split(path.name, size_bytes, recording, source.stat().st_size))
    if not splits:
        raise problems[0]
    return tuple(splits)


def _storage_of(
    path: Path, metadata: BagMetadata, *, faults: FaultLog
) -> type[McapRecording | Rosbag2DatabaseRecording]:
    """What reads a file: its first bytes decide, and metadata.yaml where they say nothing."""
    said = metadata.storage_identifier
    file = RecordingFile(path)
    magic = bytes(file.read(0, POINTER_BYTES))
    file.close()
    refuse_pointer(path, magic)
    found = next((name for beginning, name in _MAGICS.items() if magic.startswith(beginning)), None)
    storage = _STORAGES.get(found or said)
    if storage is None:
        raise RecordingError(
            f"{FILE_NAME} says that its storage is {said!r}, and its first bytes are those of none that is known "
            f"({', '.join(_STORAGES)})",
            path=path,
            remedy="Convert it with `ros2 bag convert` where the plugin for that storage is installed",
        )
    if found is not None and found != said:
        says = f"says that its storage is {said!r}" if said else "does not say what its storage is"
        faults.add(
            "storage_differs", f"{FILE_NAME} {says}; by their first bytes, its files are {found}.", severity="warning"
        )
    return storage


def _unpacked(path: Path, resources: ExitStack, allowance: Allowance) -> tuple[int, Path]:
    """Size of a file, and the file itself or what it unpacked to: its content tells, not its name or metadata.yaml."""
    file = RecordingFile(path)
    size_bytes, magic = file.size_bytes, file.read(0, len(ZSTD_MAGIC))
    file.close()
    if magic != ZSTD_MAGIC:
        return size_bytes, path
    try:
        folder = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="bagmill-")))
        target = folder / path.name.removesuffix(".zstd")
        with open(open_regular(path), "rb") as source, target.open("wb") as sink:  # noqa: PTH123 - a descriptor
            _unpack(source, sink, folder=folder, allowance=allowance)
    except zstandard.ZstdError as err:
        raise RecordingError(f"its zstd data is damaged ({err})", path=path, remedy="Copy it again") from err
    except OSError as err:
        raise RecordingError(
            f"it cannot be unpacked to {tempfile.gettempdir()} ({err.strerror})",
            path=path,
            remedy="Point TMPDIR at a disk with room for the unpacked recording",
        ) from err
    return size_bytes, target


def _unpack(source: BinaryIO, sink: BinaryIO, *, folder: Path, allowance: Allowance) -> None:
    """Unpack a zstd file as far as the limits and the disk allow.

    Raises:
        zstandard.ZstdError: It is damaged.
        OSError: The disk has no room for more.
        LimitError: It unpacks to more than is taken.
    """
    announced = announced_bytes(source.read(ZSTD_HEADER_BYTES))
    source.seek(0)
    # A disk is filled only with what is taken: where the size is not told, as hardly any writer leaves it out, it is counted.
    for num_bytes in [announced] if announced else accumulate(map(len, zstd_pieces(source))):
        limits().check("split_bytes", num_bytes, what="the unpacked size of a split")
        allowance.expect(num_bytes)
    source.seek(0)
    num_bytes = 0
    for piece in zstd_pieces(source):
        num_bytes += len(piece)
        limits().check("split_bytes", num_bytes, what="the unpacked size of a split")
        allowance.unpack(len(piece))
        if num_bytes > _LEFT_FREE_BYTES and shutil.disk_usage(folder).free < _LEFT_FREE_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sink.write(piece)
        pulse()
