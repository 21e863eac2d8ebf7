"""The contenders that give NumPy arrays: bagmill, the decoder itself, and the readers. Each `prepare` runs in its process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import simplejpeg
import zarr
from numcodecs import zstd
from numpy.typing import NDArray

from bagmill.dataset import Dataset, load_snapshot
from bagmill.episodes import Episode
from bagmill.profile import feature_kind
from bagmill.training import EpisodeDataset, Window
from benchmarks.loader.asked import Load, answers, load_timelines
from benchmarks.loader.cases import ACTION, STATE, Case, Timelines
from benchmarks.loader.readers import Batches, Reader
from benchmarks.standing import Answers


def prepare_bagmill(folder: str, num_threads: int, frame_cache_bytes: int | None = 0) -> Answers:
    """Batches of bagmill's, written to the same arrays again and again, as a loader with buffers of its own does.

    Args:
        folder: Of all stores.
        num_threads: That decode.
        frame_cache_bytes: As of `EpisodeDataset`; what is kept has been decoded once before anything is measured.
    """

    def open_case(case: Case) -> Load:
        dataset = open_dataset(Path(folder), case, num_threads=num_threads, frame_cache_bytes=frame_cache_bytes)
        buffers: dict[str, NDArray[Any]] = {}
        if frame_cache_bytes != 0:
            for first in range(0, len(dataset), case.batch_size):
                dataset.batch(np.arange(first, min(first + case.batch_size, len(dataset))))

        def load(samples: NDArray[np.int64]) -> Mapping[str, NDArray[Any]]:
            if not buffers:
                buffers.update(dataset.batch(samples))
            return dataset.batch(samples, out=buffers)

        return load

    return answers(Path(folder), open_case)


def prepare_ceiling(folder: str, num_threads: int) -> Answers:
    """The decoder and nothing else: the same bytes, in memory, to the same arrays again and again, on the same threads."""
    cv2.setNumThreads(1)
    stores = Path(folder)
    timelines = load_timelines(stores)
    pool = ThreadPoolExecutor(num_threads)
    chunks: dict[str, list[bytes]] = {}

    def open_case(case: Case) -> Load:
        for camera in case.cameras:
            if camera not in chunks:
                chunks[camera] = _read_chunks(stores, camera, timelines)
        first = chunks[case.cameras[0]][0]
        shape = _decoded_shape(stores, case, first)
        buffers = {
            camera: np.empty(
                (case.batch_size, max(1, len(case.offsets)), *shape), np.uint16 if len(shape) == 2 else np.uint8
            )
            for camera in case.cameras
        }

        def decode(jobs: Iterator[tuple[bytes, NDArray[Any]]]) -> None:
            for data, out in jobs:
                if out.ndim == 2:
                    zstd.decompress(data, out)
                elif case.size is None:
                    simplejpeg.decode_jpeg(data, "RGB", fastdct=False, fastupsample=False, buffer=out)
                else:
                    # What is left of resizing: nothing. The decoder's own scale is the least there is to do.
                    height, width = case.size
                    simplejpeg.decode_jpeg(
                        data, "RGB", fastdct=False, fastupsample=False, min_height=height, min_width=width, buffer=out
                    )

        def load(samples: NDArray[np.int64]) -> Mapping[str, NDArray[Any]]:
            rows = samples[:, None] + np.array(case.offsets or (0,))
            jobs = (
                (chunks[camera][row], buffers[camera][place, step])
                for camera in case.cameras
                for place, of_sample in enumerate(rows.tolist())
                for step, row in enumerate(of_sample)
            )
            # A list's iterator may be shared by threads, a generator may not.
            shared = iter(list(jobs))
            for done in [pool.submit(decode, shared) for _ in range(num_threads)]:
                done.result()
            return {camera: array if case.offsets else array[:, 0] for camera, array in buffers.items()}

        return load

    return answers(stores, open_case)


def prepare_reader(kind: str, folder: str, num_threads: int) -> Answers:
    """A format without a loader of its own, on the same threads where it can use them."""
    cv2.setNumThreads(1)
    zarr.config.set({"threading.max_workers": num_threads})

    def open_case(case: Case) -> Load:
        return Batches(Reader(kind, Path(folder), case), num_threads).load

    return answers(Path(folder), open_case)


def open_dataset(folder: Path, case: Case, *, num_threads: int | None = None, **options: Any) -> EpisodeDataset:
    """A case's samples as bagmill gives them."""
    signals = (STATE, ACTION) if case.has_signals else ()
    windows = {ACTION: Window.horizon(case.horizon)} if case.has_signals else {}
    if case.offsets:
        windows |= {feature: Window(case.offsets) for feature in (*case.cameras, *signals[:1])}
    return EpisodeDataset(
        folder / "bagmill",
        features=(*case.cameras, *signals),
        windows=windows,
        image_size=case.size,
        num_threads=num_threads,
        **options,
    )


def _read_chunks(folder: Path, camera: str, timelines: Timelines) -> list[bytes]:
    """The encoded frames of a camera, episode by episode."""
    dataset = Dataset(folder / "bagmill")
    chunks: list[bytes] = []
    for path, num_ticks in zip(load_snapshot(dataset)["path"], timelines.num_ticks.tolist(), strict=True):
        episode = Episode.open(dataset.path / path)
        for tick in range(num_ticks):
            data = episode.chunk_bytes(camera, tick)
            assert data is not None, "every tick has a frame"
            chunks.append(bytes(data))
    return chunks


def _decoded_shape(folder: Path, case: Case, first: bytes) -> tuple[int, ...]:
    """Of a frame as the decoder gives it."""
    if feature_kind(case.cameras[0]) == "depth":
        dataset = Dataset(folder / "bagmill")
        path = dataset.path / load_snapshot(dataset)["path"].iloc[0]
        return Episode.open(path).features[case.cameras[0]].shape
    height, width = case.size or (0, 0)
    return tuple(simplejpeg.decode_jpeg(first, "RGB", min_height=height, min_width=width).shape)
