"""The preview: every tick of an episode as one frame of an AV1 film that browsers play."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from uuid import uuid4

import av
import av.error
import numpy as np
from av.codec.codec import UnknownCodecError
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from bagmill.episodes import Episode
from bagmill.errors import StorageError
from bagmill.previews.mosaic import draw_mosaic, plan_mosaic

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
        progress: Called with the number of ticks encoded so far, and of all.

    Returns:
        What was written; None for an episode without a camera or without a tick, which has nothing to film.

    Raises:
        StorageError: A frame is damaged, the encoder refuses, or the disk does not take it.
    """
    mosaic = plan_mosaic(episode, height=height)
    if mosaic is None:
        return None
    num_threads = num_threads or len(os.sched_getaffinity(0))
    rate_hz = _storable(rate_hz)
    pictures = _in_order(
        lambda tick: draw_mosaic(mosaic, episode, tick=tick), num_ticks=episode.num_ticks, num_threads=num_threads
    )
    with _staged(path) as partial, av.open(partial, "w", format="mp4", options={"movflags": "+faststart"}) as film:
        stream = _add_stream(film, (mosaic.height, mosaic.width), rate_hz=rate_hz, crf=crf, num_threads=num_threads)
        to_video = VideoReformatter()
        for tick, picture in enumerate(pictures):
            frame = to_video.reformat(
                av.VideoFrame.from_ndarray(picture, format="rgb24"),
                format="yuv420p",
                dst_colorspace=Colorspace.ITU709,
                dst_color_range=ColorRange.MPEG,
            )
            frame.pts, frame.time_base = tick, 1 / rate_hz
            film.mux(stream.encode(frame))
            if progress is not None:
                progress(tick + 1, episode.num_ticks)
        film.mux(stream.encode(None))
    return PreviewInfo(
        path=path,
        width=mosaic.width,
        height=mosaic.height,
        num_frames=episode.num_ticks,
        rate_hz=rate_hz,
        size_bytes=path.stat().st_size,
        features=tuple(tile.feature for tile in mosaic.tiles),
    )


def _add_stream(
    film: av.container.OutputContainer, size: tuple[int, int], *, rate_hz: Fraction, crf: int, num_threads: int
) -> VideoStream:
    # The encoder tells its life story on stderr; 1 leaves errors. It looks once, when it is first opened.
    os.environ.setdefault("SVT_LOG", "1")
    # Frames carry their own times: for the encoder, which takes no more than 240 Hz, the rate is only advice.
    stream = film.add_stream("libsvtav1", rate=min(rate_hz, Fraction(_MAX_ENCODER_RATE_HZ)))
    stream.height, stream.width = size
    stream.pix_fmt = "yuv420p"
    encoder = stream.codec_context
    encoder.time_base = 1 / rate_hz
    encoder.gop_size = max(1, min(_MAX_KEYFRAME_INTERVAL, round(rate_hz * _KEYFRAME_S)))
    encoder.color_range = ColorRange.MPEG
    encoder.colorspace = Colorspace.ITU709
    encoder.color_primaries = ColorPrimaries.BT709
    encoder.color_trc = ColorTrc.BT709
    parallel_level = min(num_threads, _MAX_PARALLEL_LEVEL)
    encoder.options = {"preset": str(PRESET), "crf": str(crf), "svtav1-params": f"lp={parallel_level}"}
    return stream


def _in_order(
    draw: Callable[[int], NDArray[np.uint8]], *, num_ticks: int, num_threads: int
) -> Iterator[NDArray[np.uint8]]:
    """Pictures in tick order, drawn by threads no more than a few ticks ahead."""
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
    """A temporary name that becomes `path` where the block ends well, with FFmpeg's errors translated."""
    partial = path.with_name(f".{path.name}.{uuid4().hex[:8]}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield str(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except UnknownCodecError as err:
        raise StorageError(
            "this build of FFmpeg has no AV1 encoder (libsvtav1)", path=path, remedy="Install PyAV from its own wheel"
        ) from err
    except av.error.FFmpegError as err:
        raise StorageError(
            f"the preview cannot be encoded ({err.strerror})", path=path, remedy="Check the disk's space and rights"
        ) from err
    except OSError as err:
        raise StorageError(
            f"cannot be written ({err.strerror})", path=path, remedy="Check the disk's space and rights"
        ) from err
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
