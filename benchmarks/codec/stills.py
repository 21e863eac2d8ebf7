"""Frames by themselves: a folder of PNG files, and bagmill's episodes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Literal

import numpy as np
from PIL import Image

from bagmill.codecs import encode_jpeg, encode_lossless
from bagmill.episodes import Episode, EpisodeWriter
from benchmarks.codec.scenes import Clip
from benchmarks.codec.storage import Method

BASELINE: Final = "PNG files"
"""What times and sizes are held against, as the article does."""
_CAMERA: Final = "images/camera"


def still_methods() -> Iterator[Method]:
    """PNG, then JPEG of every quality and chroma, then lossless."""
    yield Method(BASELINE, "png", {}, _write_pngs, _PngFolder, is_lossless=True)
    for quality in (90, 95, 100):
        for chroma in ("420", "444"):
            step: Literal["420", "444"] = "420" if chroma == "420" else "444"
            encode = partial(encode_jpeg, quality=quality, subsampling=step)
            yield Method(
                f"episode, JPEG Q{quality} 4:{chroma[1]}:{chroma[2]}",
                "episode",
                {"quality": quality, "subsampling": chroma},
                partial(_write_episode, encode=encode, step=step, quality=quality),
                _Frames,
            )
    write_lossless = partial(_write_episode, encode=encode_lossless, step="lossless", quality=0)
    yield Method("episode, lossless (zstd 3)", "episode", {}, write_lossless, _Frames, is_lossless=True)


def _write_pngs(clip: Clip, folder: Path) -> float:
    started = time.perf_counter()
    for tick, frame in enumerate(clip):
        Image.fromarray(frame).save(folder / f"{tick:06d}.png")
    return time.perf_counter() - started


class _PngFolder:
    """As LeRobot keeps images: a file a frame, opened when it is read."""

    def __init__(self, folder: Path, num_frames: int) -> None:
        self._paths = [folder / f"{tick:06d}.png" for tick in range(num_frames)]
        self.size_bytes = sum(path.stat().st_size for path in self._paths)

    def load(self, ticks: Sequence[int]) -> Clip:
        """Decode files."""
        frames = []
        for tick in ticks:
            with Image.open(self._paths[tick]) as image:
                frames.append(np.asarray(image))
        return np.stack(frames)


def _write_episode(
    clip: Clip,
    folder: Path,
    *,
    encode: Callable[[Clip], bytes],
    step: Literal["420", "444", "lossless"],
    quality: int,
) -> float:
    num_ticks, height, width, _ = clip.shape
    with EpisodeWriter(folder, "e", "0") as writer:
        sink = writer.add_images(_CAMERA, num_ticks=num_ticks, height=height, width=width, step=step, quality=quality)
        started = time.perf_counter()
        for tick, frame in enumerate(clip):
            sink.put(tick, encode(frame))
        seconds = time.perf_counter() - started
        writer.put_array("time", np.arange(num_ticks, dtype=np.int64))
        writer.publish({})
    return seconds


class _Frames:
    """An open episode's only camera."""

    def __init__(self, folder: Path, _num_frames: int) -> None:
        (path,) = folder.glob("episodes/e/*.zarr")
        self._episode = Episode.open(path)
        self.size_bytes = sum(file.stat().st_size for file in (path / _CAMERA / "c").rglob("*") if file.is_file())

    def load(self, ticks: Sequence[int]) -> Clip:
        """Decode from the shards."""
        return np.asarray(self._episode.frames(_CAMERA, ticks), dtype=np.uint8)
