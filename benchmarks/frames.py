"""Frames to measure on: a real robot's camera where its videos are at hand, else the sample scene; depth from that scene.

Each source is decoded once and kept below the system's folder for temporary files.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray

from examples.sample_recordings.robot import DEPTH, HIGH, Robot

HEIGHT, WIDTH = 480, 640
_SEED: Final = 7
_RATE_HZ: Final = 30


@dataclass(frozen=True, slots=True)
class Frames:
    """Consecutive frames of one camera."""

    pixels: NDArray[Any]
    """uint8 (N, 480, 640, 3), or uint16 (N, 480, 640) for depth; memory-mapped, read-only."""
    about: str
    """Where they are from, for the table."""


def camera_frames(num_frames: int) -> Frames:
    """Natural RGB frames.

    Args:
        num_frames: N, at most what the videos have: some 500 that are not their neighbours' repetition.
    """
    videos = _videos()
    if videos:
        about = f"g1_episodes: a real robot's camera, decoded from AV1, {WIDTH}×{HEIGHT}"
        return Frames(_kept(f"camera-moving-{num_frames}", _decoded(videos), num_frames), about)
    about = f"the sample scene, {WIDTH}×{HEIGHT} (no g1_episodes found: set BAGMILL_RECORDINGS)"
    return Frames(_kept(f"scene-{num_frames}", _seen(HIGH, num_frames), num_frames), about)


def depth_frames(num_frames: int) -> Frames:
    """Depth in mm with a stereo camera's noise and holes, of the sample scene.

    Args:
        num_frames: N.
    """
    about = f"the sample scene's stereo depth, {WIDTH}×{HEIGHT}"
    return Frames(_kept(f"depth-{num_frames}", _seen(DEPTH, num_frames), num_frames), about)


def cycle(frames: NDArray[Any], num_frames: int) -> Iterator[NDArray[Any]]:
    """Frames, back and forth without a jump, until there are enough."""
    there_and_back = [*range(len(frames)), *range(len(frames) - 2, 0, -1)]
    for n in range(num_frames):
        yield frames[there_and_back[n % len(there_and_back)]]


def _videos() -> list[Path]:
    beside = Path(__file__).resolve().parents[2] / "shared" / "recordings"
    folder = Path(os.environ.get("BAGMILL_RECORDINGS", beside)) / "g1_episodes"
    return sorted(folder.glob("*.mp4"))


def _decoded(videos: Iterable[Path]) -> Iterator[NDArray[Any]]:
    for video in videos:
        with av.open(str(video)) as container:
            previous: NDArray[Any] | None = None
            for frame in container.decode(video=0):
                pixels = frame.to_ndarray(format="rgb24")
                # Where the robot stands still the video repeats its frames bit for bit, which a camera never does.
                if previous is None or not np.array_equal(pixels, previous):
                    yield pixels
                previous = pixels


def _seen(topic: str, num_frames: int) -> Iterator[NDArray[Any]]:
    robot = Robot(_SEED, seconds=num_frames / _RATE_HZ, start_ns=0, encodings={HIGH: "rgb8"})
    for event in robot.events:
        if event.topic == topic:
            data = robot.message(event).values["data"]
            pixels = np.frombuffer(data, np.uint16 if topic == DEPTH else np.uint8)
            yield pixels.reshape((HEIGHT, WIDTH) if topic == DEPTH else (HEIGHT, WIDTH, 3))


def _kept(name: str, frames: Iterator[NDArray[Any]], num_frames: int) -> NDArray[Any]:
    """The frames from an earlier run, or from `frames`."""
    folder = Path(tempfile.gettempdir()) / f"bagmill-bench-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.npy"
    if not path.exists():
        made = np.stack(list(islice(frames, num_frames)))
        if len(made) < num_frames:
            raise ValueError(f"{name}: {num_frames} frames are asked for, and {len(made)} are there")
        unfinished = path.with_suffix(f".{os.getpid()}.npy")
        np.save(unfinished, made)
        unfinished.replace(path)
    loaded: NDArray[Any] = np.load(path, mmap_mode="r")
    return loaded
