"""An episode's pictures on their way into a film."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

from bagmill.episodes import Episode
from bagmill.exports.lerobot.statistics import picture_histogram


def film_pictures(
    episode: Episode, name: str, ticks: NDArray[np.int64], *, num_threads: int
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """Draw by threads that are no more than a few ticks ahead.

    Args:
        episode: The episode.
        name: An image feature.
        ticks: Those whose pictures are wanted, in this order.
        num_threads: Threads that draw.

    Yields:
        For every tick the planes of 4:2:0 in BT.601's limited range, (3/2 H, W) uint8, and the picture's histogram,
        (3, 256).

    Raises:
        StorageError: A frame is damaged.
    """
    of_thread = threading.local()

    def draw(tick: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        reformatter: VideoReformatter = of_thread.__dict__.setdefault("reformatter", VideoReformatter())
        rgb = episode.frame(name, tick).astype(np.uint8, copy=False)
        planes = reformatter.reformat(
            av.VideoFrame.from_ndarray(rgb, format="rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU601,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        ).to_ndarray()
        return planes.astype(np.uint8, copy=False), picture_histogram(rgb)

    waiting: deque[Future[tuple[NDArray[np.uint8], NDArray[np.int64]]]] = deque()
    with ThreadPoolExecutor(num_threads, thread_name_prefix="draw") as pool:
        try:
            for tick in ticks.tolist():
                waiting.append(pool.submit(draw, tick))
                if len(waiting) > 2 * num_threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
