"""The same episodes in every format: bagmill's, folders of JPEG and PNG files, HDF5; LeRobot makes its own from the PNGs.

Below a folder: `plan.json`, lengths of the episodes; `bagmill`, the dataset with a snapshot;
`jpeg/000/images/left/000017.jpg`, the very bytes of bagmill's chunks; `png/…`; `{jpeg,png}/000/{state,action}.npy`;
`hdf5/000.hdf5`, pixels as they were, contiguous; `lerobot`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bagmill.dataset import Dataset, make_snapshot
from bagmill.episodes import Episode
from bagmill.testing.published import PublishedEpisode, publish_episode
from benchmarks.loader.cases import ACTION, DEPTH, LEFT, RIGHT, STATE
from benchmarks.loader.scenes import Scene, SceneFrames

QUALITY: Final = 95
_PNG_LEVEL: Final = 1
"""As LeRobot has it."""
_CAMERAS: Final = (LEFT, RIGHT)


@dataclass(frozen=True, slots=True)
class Stores:
    """A scene's episodes on disk."""

    folder: Path
    num_ticks: list[int]
    about: str
    """Where the frames are from."""
    has_hdf5: bool

    def size_bytes(self, name: str) -> int:
        """Of one format's folder."""
        return sum(path.stat().st_size for path in (self.folder / name).rglob("*") if path.is_file())


def has_h5py() -> bool:
    """Whether the HDF5 contender can be measured."""
    return find_spec("h5py") is not None


def write_stores(scene: Scene, folder: Path, num_ticks: Sequence[int]) -> Stores:
    """Write a scene's episodes in all formats but LeRobot's.

    Args:
        scene: Which.
        folder: An empty one.
        num_ticks: Of every episode.
    """
    frames = SceneFrames(scene, num_ticks)
    (folder / "plan.json").write_text(json.dumps({"num_ticks": [*num_ticks]}), encoding="ascii")
    dataset = Dataset(folder / "bagmill")
    for episode in range(len(num_ticks)):
        values: dict[str, NDArray[Any]] = {camera: frames.images(camera, episode) for camera in _CAMERAS}
        values |= {STATE: frames.state(episode), ACTION: frames.action(episode)}
        _write_files(folder, episode, values)
        if has_h5py():
            _write_hdf5(folder / "hdf5", episode, values)
        if scene.has_depth:
            values[DEPTH] = frames.depth(episode)
        path = publish_episode(
            dataset,
            PublishedEpisode(
                name=f"{episode:03d}",
                num_ticks=num_ticks[episode],
                values=values,
                quality=QUALITY,
                subsampling=scene.subsampling,
            ),
        )
        _copy_jpegs(path, folder / "jpeg" / f"{episode:03d}", num_ticks[episode])
    make_snapshot(dataset)
    return Stores(folder, [*num_ticks], frames.about, has_h5py())


def _write_files(folder: Path, episode: int, values: dict[str, NDArray[Any]]) -> None:
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for camera in _CAMERAS:
            of_camera = folder / "png" / f"{episode:03d}" / camera
            of_camera.mkdir(parents=True)
            for _ in pool.map(
                lambda tick, to=of_camera, of=values[camera]: _save_png(to, of, tick), range(len(values[camera]))
            ):
                pass
    for name in ("png", "jpeg"):
        for signal in (STATE, ACTION):
            path = folder / name / f"{episode:03d}" / f"{signal}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, values[signal])


def _save_png(folder: Path, frames: NDArray[np.uint8], tick: int) -> None:
    Image.fromarray(frames[tick]).save(folder / f"{tick:06d}.png", compress_level=_PNG_LEVEL)


def _write_hdf5(folder: Path, episode: int, values: dict[str, NDArray[Any]]) -> None:
    import h5py  # noqa: PLC0415 - an extra

    folder.mkdir(exist_ok=True)
    with h5py.File(folder / f"{episode:03d}.hdf5", "w") as file:
        for name, array in values.items():
            file.create_dataset(name, data=array)


def _copy_jpegs(episode: Path, folder: Path, num_ticks: int) -> None:
    opened = Episode.open(episode)
    for camera in _CAMERAS:
        (folder / camera).mkdir(parents=True)
        for tick in range(num_ticks):
            data = opened.chunk_bytes(camera, tick)
            assert data is not None, "every tick has a frame"
            (folder / camera / f"{tick:06d}.jpg").write_bytes(data)
