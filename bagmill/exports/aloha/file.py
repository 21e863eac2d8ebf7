"""One episode as one HDF5 file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bagmill.codecs import decode_jpeg, encode_jpeg
from bagmill.episodes import Episode
from bagmill.errors import ExportError, StorageError
from bagmill.exports.aloha import layout
from bagmill.exports.held import held_ticks
from bagmill.exports.tally import FeatureTally
from bagmill.exports.targets import Target

if TYPE_CHECKING:
    import h5py

_TICKS_AT_ONCE = 32
_COMPARED_PICTURES = 8
_JPEG_START = b"\xff\xd8"
_FACTS: tuple[tuple[str, Callable[[Episode, str], NDArray[Any]]], ...] = (
    ("valid", Episode.valid),
    ("source", Episode.source_ns),
    ("interpolated", Episode.interpolated),
    ("sequence", Episode.sequence),
)


@dataclass(frozen=True, slots=True)
class EpisodeFile:
    """What every episode's file is to hold, and how."""

    targets: Sequence[Target]
    is_compressed: bool
    """JPEGs, not pixels."""
    quality: int
    """Of JPEGs that are encoded here, 1 to 100; those that the episode has are copied."""
    num_threads: int

    def of_kind(self, kind: str) -> list[Target]:
        """Its targets of a kind, by name: the order in which HDF5 lists them."""
        return sorted(
            (target for target in self.targets if target.features[0].kind == kind), key=lambda target: target.name
        )


def import_h5py() -> Any:
    """The library, which only these exports need.

    Raises:
        ExportError: It is not installed.
    """
    try:
        import h5py  # noqa: PLC0415 - in the extra `exports`
    except ImportError as err:
        raise ExportError("HDF5 needs the package h5py", remedy="Install bagmill[exports]") from err
    return h5py


def write_file(
    path: Path,
    episode: Episode,
    wanted: EpisodeFile,
    *,
    signals: Mapping[str, NDArray[np.floating]],
    attributes: Mapping[str, object],
    progress: Callable[[int], None],
) -> None:
    """Write an episode.

    Args:
        path: The file.
        episode: The episode.
        wanted: What the file is to hold.
        signals: Values (T, D) of its signals by feature, columns in the order that all files share.
        attributes: Of the file, beside `sim` and `compress`.
        progress: Called with how many pictures more are written.

    Raises:
        StorageError: A frame is damaged.
        OSError: The disk does not take it.
    """
    h5py = import_h5py()
    with h5py.File(path, "w") as root:
        root.attrs["sim"] = False
        root.attrs["compress"] = wanted.is_compressed
        root.attrs.update(attributes)
        for target in wanted.of_kind("signal"):
            _write_signal(root, episode, target, signals)
        if layout.QVEL not in root:
            # Readers open it, whatever they do with it: nothing is known of it, and zeros would look like a robot at rest.
            root[layout.QVEL] = np.full_like(root[layout.QPOS][...], np.nan)
        if wanted.is_compressed:
            _write_jpegs(root, episode, wanted, progress=progress)
        else:
            for target in wanted.of_kind("image"):
                _write_pictures(root, episode, target, num_threads=wanted.num_threads, progress=progress)
        for target in wanted.of_kind("depth"):
            depth = _write_pictures(root, episode, target, num_threads=wanted.num_threads, progress=progress)
            scale_m = target.features[0].scale_m
            depth.attrs["scale_m"] = np.nan if scale_m is None else scale_m
        root[f"{layout.FACTS}/time"] = episode.time_ns
        for fact, read in _FACTS:
            for feature in (feature for target in wanted.targets for feature in target.features):
                root[f"{layout.FACTS}/{fact}/{feature.name}"] = read(episode, feature.name)


def compare_file(
    path: Path, episode: Episode, wanted: EpisodeFile, *, name: str, tallies: Mapping[str, FeatureTally]
) -> None:
    """Read some of a file's pictures back and count how far they are from the episode's; depth has to be equal.

    Raises:
        StorageError: Depth is not equal, or a picture cannot be read.
    """
    h5py = import_h5py()
    ticks = np.unique(np.linspace(0, episode.num_ticks - 1, _COMPARED_PICTURES).round().astype(int)).tolist()
    with h5py.File(path, "r") as root:
        for place, target in enumerate(wanted.of_kind("image")):
            feature = target.features[0].name
            held = held_ticks(episode.valid(feature))
            for tick in ticks:
                written = root[target.name][tick]
                if wanted.is_compressed:
                    written = decode_jpeg(written[: root[layout.COMPRESS_LENGTHS][place, tick]])
                source = episode.frame(feature, int(held[tick])).astype(np.uint8, copy=False)
                tallies[feature].count_picture(source, written, at=f"{name}, tick {tick}")
        for target in wanted.of_kind("depth"):
            feature = target.features[0].name
            held = held_ticks(episode.valid(feature))
            for tick in ticks:
                if not np.array_equal(root[target.name][tick], episode.frame(feature, int(held[tick]))):
                    raise StorageError(f"{target.name} is not what was written", path=path, remedy="Export again")


def _write_signal(
    root: h5py.File, episode: Episode, target: Target, signals: Mapping[str, NDArray[np.floating]]
) -> None:
    columns = [
        signals[feature.name][held_ticks(episode.valid(feature.name))].astype(feature.dtype, copy=False)
        for feature in target.features
    ]
    made = root.create_dataset(target.name, data=np.concatenate(columns, axis=1))
    if (names := target.column_names) is not None:
        made.attrs["names"] = names
    if (units := target.column_units) is not None:
        made.attrs["units"] = units


def _write_pictures(
    root: h5py.File, episode: Episode, target: Target, *, num_threads: int, progress: Callable[[int], None]
) -> h5py.Dataset:
    feature = target.features[0]
    held = held_ticks(episode.valid(feature.name))
    made = root.create_dataset(
        target.name,
        shape=(len(held), *feature.shape),
        dtype=feature.dtype,
        chunks=(1, *feature.shape),
        # ALOHA's readers expect pixels to be cheap to read; depth is larger than it need be, and no reader's of theirs.
        **({"compression": "gzip", "compression_opts": 1, "shuffle": True} if feature.kind == "depth" else {}),
    )
    for first in range(0, len(held), _TICKS_AT_ONCE):
        ticks = held[first : first + _TICKS_AT_ONCE]
        made[first : first + len(ticks)] = episode.frames(feature.name, ticks, num_threads=num_threads)
        progress(len(ticks))
    return made


def _write_jpegs(root: h5py.File, episode: Episode, wanted: EpisodeFile, *, progress: Callable[[int], None]) -> None:
    cameras = wanted.of_kind("image")
    jpegs = {camera.name: list(_jpegs(episode, camera, quality=wanted.quality)) for camera in cameras}
    lengths = np.array([[len(data) for data in of_camera] for of_camera in jpegs.values()], np.int64)
    lengths = lengths.reshape(len(cameras), episode.num_ticks)
    longest = int(lengths.max(initial=1))
    for camera, of_camera in jpegs.items():
        made = root.create_dataset(camera, shape=(len(of_camera), longest), dtype=np.uint8, chunks=(1, longest))
        row = np.zeros(longest, np.uint8)
        for tick, data in enumerate(of_camera):
            row[: len(data)] = np.frombuffer(data, np.uint8)
            row[len(data) :] = 0
            made[tick] = row
            progress(1)
    root[layout.COMPRESS_LENGTHS] = lengths


def _jpegs(episode: Episode, camera: Target, *, quality: int) -> Iterator[memoryview | bytes]:
    """Every tick's picture as JPEG: the very bytes that the episode has, where it has JPEGs."""
    feature = camera.features[0].name
    for tick in held_ticks(episode.valid(feature)).tolist():
        data = episode.chunk_bytes(feature, tick)
        if data is not None and bytes(data[:2]) == _JPEG_START:
            yield data
        else:
            yield encode_jpeg(episode.frame(feature, tick).astype(np.uint8, copy=False), quality=quality)
