"""Episodes as one reads them without a loader made for it: zarr-python, HDF5, folders of files.

A sample at a time, as a map-style dataset of torch's gives it, and whole batches by several threads where the format lets
them. What is open is opened by the process that reads.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Protocol

import cv2
import numpy as np
import zarr
from numpy.typing import NDArray
from PIL import Image

from benchmarks.loader.cases import ACTION, STATE, Case, Timelines

Arrays = dict[str, NDArray[Any]]


class Ticks(Protocol):
    """One format's open episodes."""

    def read(self, feature: str, episode: int, ticks: Sequence[int]) -> NDArray[Any]:
        """(len(ticks), …) of a feature, pictures as they are stored or as the format can give them smaller."""
        ...


class Reader:
    """Samples of a case: a map-style dataset.

    Args:
        kind: Of `KINDS`.
        folder: Of all stores.
        case: What a sample is.
    """

    def __init__(self, kind: str, folder: Path, case: Case) -> None:
        self.kind, self.folder, self.case = kind, Path(folder), case
        self.timelines = Timelines(json.loads((self.folder / "plan.json").read_text(encoding="ascii"))["num_ticks"])
        self._ticks: Ticks | None = None
        self._process = 0

    def __len__(self) -> int:
        return int(self.timelines.num_ticks.sum())

    def __getitem__(self, sample: int) -> Arrays:
        case, (episode, tick) = self.case, self.timelines.locate(int(sample))
        arrays = {}
        for camera in case.cameras:
            pictures = self._resized(self._opened.read(camera, episode, self._window(episode, tick)))
            arrays[camera] = pictures if case.offsets else pictures[0]
        if case.has_signals:
            state = self._opened.read(STATE, episode, self._window(episode, tick))
            arrays[STATE] = state if case.offsets else state[0]
            ahead = self.timelines.ticks(episode, tick, range(case.horizon))
            arrays[ACTION] = self._opened.read(ACTION, episode, ahead)
        return arrays

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_ticks": None, "_process": 0}

    @property
    def _opened(self) -> Ticks:
        # HDF5 must not be used on both sides of a fork.
        if self._ticks is None or self._process != os.getpid():
            self._ticks, self._process = KINDS[self.kind](self.folder, self.case), os.getpid()
        return self._ticks

    def _window(self, episode: int, tick: int) -> list[int]:
        return self.timelines.ticks(episode, tick, self.case.offsets or (0,))

    def _resized(self, pictures: NDArray[Any]) -> NDArray[Any]:
        size = self.case.size
        if size is None or pictures.shape[1:3] == size:
            return pictures
        return np.stack(
            [cv2.resize(picture, (size[1], size[0]), interpolation=cv2.INTER_LINEAR) for picture in pictures]
        )


class Batches:
    """Batches of a `Reader`, its samples read by threads.

    Args:
        reader: Which.
        num_threads: That read; HDF5 lets in one at a time, so it gets one.
    """

    def __init__(self, reader: Reader, num_threads: int) -> None:
        self._reader = reader
        self._pool = ThreadPoolExecutor(num_threads) if num_threads > 1 and reader.kind != HDF5 else None

    def load(self, samples: Sequence[int] | NDArray[np.int64]) -> Arrays:
        """One array a key, first axis the samples."""
        read = self._reader.__getitem__
        each = [*map(read, samples)] if self._pool is None else [*self._pool.map(read, samples)]
        return {key: np.stack([arrays[key] for arrays in each]) for key in each[0]}


class _Stills:
    """A file a frame, through Pillow; the signals in memory, as they are small."""

    def __init__(self, folder: Path, case: Case, *, kind: str, suffix: str) -> None:
        self._folder, self._suffix, self._size = folder / kind, suffix, case.size
        self._signals: dict[tuple[int, str], NDArray[Any]] = {}

    def read(self, feature: str, episode: int, ticks: Sequence[int]) -> NDArray[Any]:
        of_episode = self._folder / f"{episode:03d}"
        if feature in (STATE, ACTION):
            if (episode, feature) not in self._signals:
                self._signals[episode, feature] = np.load(of_episode / f"{feature}.npy")
            return self._signals[episode, feature][ticks]
        return np.stack([self._picture(of_episode / feature / f"{tick:06d}.{self._suffix}") for tick in ticks])

    def _picture(self, path: Path) -> NDArray[np.uint8]:
        with Image.open(path) as image:
            if self._size is None:
                return np.asarray(image)
            height, width = self._size
            # What Pillow has for it: JPEG is decoded at the smallest scale that is not smaller.
            image.draft("RGB", (width, height))
            return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))


class _PngFolder(_Stills):
    def __init__(self, folder: Path, case: Case) -> None:
        super().__init__(folder, case, kind="png", suffix="png")


class _JpegFolder(_Stills):
    def __init__(self, folder: Path, case: Case) -> None:
        super().__init__(folder, case, kind="jpeg", suffix="jpg")


class _Hdf5Files:
    """A file an episode, kept open; raw pixels, contiguous."""

    def __init__(self, folder: Path, _case: Case) -> None:
        self._folder = folder / "hdf5"
        self._arrays: dict[tuple[int, str], Any] = {}

    def read(self, feature: str, episode: int, ticks: Sequence[int]) -> NDArray[Any]:
        import h5py  # noqa: PLC0415 - an extra

        if (episode, feature) not in self._arrays:
            self._arrays[episode, feature] = h5py.File(self._folder / f"{episode:03d}.hdf5", "r")[feature]
        array = self._arrays[episode, feature]
        return _rising(array, ticks)


class _ZarrArrays:
    """bagmill's store through zarr-python's own indexing; arrays kept open."""

    def __init__(self, folder: Path, _case: Case) -> None:
        self._folder = folder / "bagmill" / "episodes"
        self._arrays: dict[tuple[int, str], Any] = {}

    def read(self, feature: str, episode: int, ticks: Sequence[int]) -> NDArray[Any]:
        if (episode, feature) not in self._arrays:
            (path,) = (self._folder / f"{episode:03d}").glob("*.zarr")
            self._arrays[episode, feature] = zarr.open_group(str(path), mode="r", use_consolidated=True)[feature]
        return _rising(self._arrays[episode, feature], ticks)


def _rising(array: Any, ticks: Sequence[int]) -> NDArray[Any]:
    """Rows of an array that is sliced, not indexed: a window is read at once, and what was moved inside is repeated."""
    rows = np.asarray(array[ticks[0] : ticks[-1] + 1])
    return rows if len(rows) == len(ticks) else rows[np.array(ticks) - ticks[0]]


ZARR, HDF5, PNG, JPEG = "zarr-python", "HDF5 raw", "PNG folder", "JPEG folder"
KINDS: Final[dict[str, type[Any]]] = {ZARR: _ZarrArrays, HDF5: _Hdf5Files, PNG: _PngFolder, JPEG: _JpegFolder}
