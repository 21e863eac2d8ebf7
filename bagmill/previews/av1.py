"""The preview: every tick of an episode as one frame of an AV1 film that browsers play."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

from bagmill.cores import usable_cores
from bagmill.disk import partial_file, sync_file, sync_folder
from bagmill.episodes import Episode
from bagmill.errors import StorageError
from bagmill.previews.encoder import EncoderStalledError, FilmOrder, encode_film
from bagmill.previews.mosaic import Mosaic, draw_mosaic, plan_mosaic

PRESET = 10
"""SVT-AV1's: 581 frames/s of 640×240 on two cores, where 8 gives 295 for 0.7 dB more."""
_MAX_ENCODER_RATE_HZ = 240
_MAX_PARALLEL_LEVEL = 6
_KEYFRAME_S = 2
_MAX_KEYFRAME_INTERVAL = 240
_MAX_RATIONAL = 2**31 - 1


@dataclass(frozen=True, slots=True)
class PreviewInfo:
    """A preview that was written."""

    path: Path
    width: int
    height: int
    num_frames: int
    rate_hz: Fraction
    size_bytes: int
    features: tuple[str, ...]
    """Cameras, in the order of their tiles."""


def write_preview(
    episode: Episode,
    path: Path,
    *,
    height: int,
    crf: int,
    rate_hz: Fraction,
    num_threads: int | None = None,
    patience_s: float = 300,
    progress: Callable[[int, int], None] | None = None,
) -> PreviewInfo | None:
    """Film an episode: MP4, AV1, 4:2:0, BT.709, made for being played while it loads.

    It takes the memory of some dozens of frames, whatever the episode's length. There is a whole file at the end, or none.

    Args:
        episode: The episode.
        path: Where the film goes; what is there is replaced.
        height: Lines of each camera's tile.
        crf: AV1's constant quality, 1 to 63: lower is better and larger.
        rate_hz: Ticks a second.
        num_threads: Threads that draw, and that encode; None: one a core this process may use.
        patience_s: Seconds without a sign of life after which the encoder counts as stalled; it is tried twice.
        progress: Called with the number of ticks encoded so far, and of all.

    Returns:
        What was written; None for an episode without a camera or without a tick, which has nothing to film.

    Raises:
        StorageError: A frame is damaged, the encoder refuses or stalls, or the disk does not take it.
    """
    mosaic = plan_mosaic(episode, height=height)
    if mosaic is None:
        return None
    num_threads = num_threads or usable_cores()
    rate_hz = _storable(rate_hz)
    with _staged(path) as partial:
        order = FilmOrder(
            path=partial,
            width=mosaic.width,
            height=mosaic.height,
            num_frames=episode.num_ticks,
            # Frames carry their own times: for the encoder, which takes no more than 240 Hz, the rate is only advice.
            rate=str(min(rate_hz, Fraction(_MAX_ENCODER_RATE_HZ))),
            time_base=str(1 / rate_hz),
            gop_size=max(1, min(_MAX_KEYFRAME_INTERVAL, round(rate_hz * _KEYFRAME_S))),
            options={
                "preset": str(PRESET),
                "crf": str(crf),
                "svtav1-params": f"lp={min(num_threads, _MAX_PARALLEL_LEVEL)}",
            },
        )
        _encode(order, lambda: _frames(mosaic, episode, num_threads=num_threads, progress=progress), patience_s)
    return PreviewInfo(
        path=path,
        width=mosaic.width,
        height=mosaic.height,
        num_frames=episode.num_ticks,
        rate_hz=rate_hz,
        size_bytes=path.stat().st_size,
        features=tuple(tile.feature for tile in mosaic.tiles),
    )


def _encode(order: FilmOrder, frames: Callable[[], Iterator[NDArray[np.uint8]]], patience_s: float) -> None:
    """Encode; once more where the encoder has stalled or crashed, for it does that rarely and for no reason of the film's."""
    try:
        encode_film(order, frames(), patience_s=patience_s)
    except EncoderStalledError:
        try:
            encode_film(order, frames(), patience_s=patience_s)
        except EncoderStalledError as err:
            raise StorageError(
                f"{err}, twice",
                path=order.path,
                remedy="Try again, or switch the preview off in the profile (preview: {enabled: false})",
            ) from err


def _frames(
    mosaic: Mosaic, episode: Episode, *, num_threads: int, progress: Callable[[int, int], None] | None
) -> Iterator[NDArray[np.uint8]]:
    """Every tick's picture as planes of 4:2:0 in BT.709's limited range."""
    to_video = threading.local()

    def draw(tick: int) -> NDArray[np.uint8]:
        reformatter: VideoReformatter = to_video.__dict__.setdefault("reformatter", VideoReformatter())
        picture = av.VideoFrame.from_ndarray(draw_mosaic(mosaic, episode, tick=tick), format="rgb24")
        planes = reformatter.reformat(
            picture, format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        ).to_ndarray()
        return planes.astype(np.uint8, copy=False)

    for num_drawn, planes in enumerate(_in_order(draw, num_ticks=episode.num_ticks, num_threads=num_threads), 1):
        yield planes
        if progress is not None:
            progress(num_drawn, episode.num_ticks)


def _in_order(
    draw: Callable[[int], NDArray[np.uint8]], *, num_ticks: int, num_threads: int
) -> Iterator[NDArray[np.uint8]]:
    """What is drawn, in tick order, by threads no more than a few ticks ahead."""
    waiting: deque[Future[NDArray[np.uint8]]] = deque()
    with ThreadPoolExecutor(num_threads, thread_name_prefix="draw") as pool:
        try:
            for tick in range(num_ticks):
                waiting.append(pool.submit(draw, tick))
                if len(waiting) > 2 * num_threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _storable(rate_hz: Fraction) -> Fraction:
    """The rate, or the nearest that FFmpeg's 32-bit rationals can say."""
    return (
        rate_hz if max(rate_hz.numerator, rate_hz.denominator) <= _MAX_RATIONAL else rate_hz.limit_denominator(20_000)
    )


@contextmanager
def _staged(path: Path) -> Iterator[str]:
    """A temporary name that becomes `path` where the block ends well."""
    partial = path
    try:
        with partial_file(path) as (partial, _):
            yield str(partial)
            sync_file(partial)
            partial.replace(path)
            sync_folder(path.parent)
    except StorageError as err:
        if err.path == partial:
            err.path = path
        raise
    except OSError as err:
        raise StorageError(
            f"cannot be written ({err.strerror})", path=path, remedy="Check the disk's space and rights"
        ) from err
