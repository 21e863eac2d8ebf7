"""The frames that all contenders have: natural and simulated, 640×480 and 96×96, two cameras, depth, state and action."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.frames import HEIGHT, WIDTH, camera_frames, depth_frames
from benchmarks.loader.cases import NUM_JOINTS, RATE_HZ, RIGHT
from benchmarks.loader.drawing import draw_episode

SMALL_SIZE: Final = (96, 96)
_MOST_FRAMES: Final = 300
_MOST_DEPTH_FRAMES: Final = 60
_STEP_BETWEEN_EPISODES: Final = 29
"""Frames of the source by which one episode begins later than the one before."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Episodes of one kind."""

    name: str
    size: tuple[int, int]
    """(height, width)."""
    is_simulated: bool = False
    has_depth: bool = False

    @property
    def subsampling(self) -> Literal["420", "444"]:
        """Of the JPEGs' chroma: what small pictures cannot spare, large ones can."""
        return "420" if self.size[0] >= HEIGHT else "444"


SCENES: Final = (
    Scene("natural 640×480", (HEIGHT, WIDTH), has_depth=True),
    Scene("simulated 640×480", (HEIGHT, WIDTH), is_simulated=True),
    Scene("natural 96×96", SMALL_SIZE),
    Scene("simulated 96×96", SMALL_SIZE, is_simulated=True),
)


class SceneFrames:
    """A scene's frames and signals, an episode at a time.

    Args:
        scene: Which.
        num_ticks: Of every episode.
    """

    def __init__(self, scene: Scene, num_ticks: Sequence[int]) -> None:
        self.scene = scene
        self._num_ticks = num_ticks
        self.about = "a simulated table, drawn"
        if not scene.is_simulated:
            source = camera_frames(min(_MOST_FRAMES, max(num_ticks)))
            self.about = source.about
            self._pixels: NDArray[Any] = source.pixels
            if scene.size != (HEIGHT, WIDTH):
                self._pixels = np.stack([_resized(frame, scene.size) for frame in source.pixels])
                self.about += f"; cut to a square and scaled to {scene.size[1]}×{scene.size[0]}"

    def images(self, camera: str, episode: int) -> NDArray[np.uint8]:
        """(T, H, W, 3) of a camera in an episode; the right one sees the left one's mirror image."""
        num_ticks, is_mirrored = self._num_ticks[episode], camera == RIGHT
        if self.scene.is_simulated:
            return draw_episode(self.scene.size, num_ticks, seed=episode, is_mirrored=is_mirrored)
        frames = self._pixels[_places(len(self._pixels), episode, num_ticks)]
        return np.ascontiguousarray(frames[:, :, ::-1]) if is_mirrored else frames

    def depth(self, episode: int) -> NDArray[np.uint16]:
        """(T, 480, 640) of the depth camera."""
        source = depth_frames(min(_MOST_DEPTH_FRAMES, max(self._num_ticks)))
        frames: NDArray[np.uint16] = source.pixels[_places(len(source.pixels), episode, self._num_ticks[episode])]
        return frames

    def state(self, episode: int) -> NDArray[np.float32]:
        """(T, 14) joints."""
        seconds = np.arange(self._num_ticks[episode] + 1)[:, None] / RATE_HZ
        return np.sin(seconds + np.arange(NUM_JOINTS) + episode).astype(np.float32)[:-1]

    def action(self, episode: int) -> NDArray[np.float32]:
        """(T, 14): where the joints are a tick later."""
        state = self.state(episode)
        return np.concatenate([state[1:], state[-1:]])


def _places(num_frames: int, episode: int, num_ticks: int) -> NDArray[np.int64]:
    """Frames of the source for an episode: there and back without a jump."""
    there_and_back = np.concatenate([np.arange(num_frames), np.arange(num_frames - 2, 0, -1)])
    return there_and_back[(episode * _STEP_BETWEEN_EPISODES + np.arange(num_ticks)) % len(there_and_back)]


def _resized(frame: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    margin = (frame.shape[1] - frame.shape[0]) // 2
    square = np.ascontiguousarray(frame[:, margin : frame.shape[1] - margin])
    resized = cv2.resize(square, (size[1], size[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.uint8)
