"""Video through PyAV: AV1, H.264 and H.265, one thread to encode and one to decode."""

from __future__ import annotations

import os
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.video.stream import VideoStream

from bagmill.previews.encoder_process import leave_real_time
from benchmarks.codec.scenes import Clip
from benchmarks.codec.storage import Method

RATE_HZ: Final = 30
GOPS: Final = (1, 2, 5, 10, 20)
"""Frames from one key frame to the next."""
CRFS: Final = (20, 30, 40)
_AV1_PRESET: Final = 10
"""As bagmill's previews have it; it is also FFmpeg's default for SVT-AV1."""
_FILE: Final = "film.mp4"
_ENCODERS: Final = {
    "AV1": ("libsvtav1", {"preset": str(_AV1_PRESET), "svtav1-params": "lp=1"}),
    "H.264": ("libx264", {"preset": "medium", "sc_threshold": "0"}),
    "H.265": (
        "libx265",
        {"preset": "medium", "x265-params": "pools=none:frame-threads=1:scenecut=0:open-gop=0:log-level=none"},
    ),
}


def video_methods(*, gops: Sequence[int] = GOPS, crfs: Sequence[int] = CRFS) -> Iterator[Method]:
    """Every encoder with every distance of key frames and every quality."""
    for encoder in _ENCODERS:
        for gop in gops:
            for crf in crfs:
                encode = partial(_write_film, encoder=encoder, gop=gop, crf=crf)
                settings: dict[str, str | int] = {"encoder": encoder, "g": gop, "crf": crf}
                yield Method(f"{encoder} g={gop} crf={crf}", "video", settings, encode, _Film)


def _write_film(clip: Clip, folder: Path, *, encoder: str, gop: int, crf: int) -> float:
    # SVT-AV1 tells its life story on stderr; 1 leaves errors. It looks once, when it is first opened.
    os.environ.setdefault("SVT_LOG", "1")
    name, settings = _ENCODERS[encoder]
    started = time.perf_counter()
    with av.open(str(folder / _FILE), "w") as film:
        stream = film.add_stream(name, rate=RATE_HZ, options={**settings, "crf": str(crf)})
        assert isinstance(stream, VideoStream)
        stream.height, stream.width = clip.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = gop
        stream.codec_context.thread_count = 1
        stream.codec_context.open()
        leave_real_time()
        for tick, pixels in enumerate(clip):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = tick, Fraction(1, RATE_HZ)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    return time.perf_counter() - started


class _Film:
    """An open film: seeks to the key frame before the first frame asked for, and decodes up to the last.

    It stays open between readings, which is kinder to video than a loader that opens it for every sample.
    """

    def __init__(self, folder: Path, _num_frames: int) -> None:
        path = folder / _FILE
        self.size_bytes = path.stat().st_size
        keyframes = _find_keyframes(path)
        self.num_keyframes = len(keyframes)
        self._key_pts, self._key_dts = zip(*keyframes, strict=True)
        self._film = av.open(str(path))
        self._stream = self._film.streams.video[0]
        self._stream.codec_context.thread_count = 1
        time_base = self._stream.time_base
        assert time_base is not None
        self._pts_per_tick = 1 / (RATE_HZ * time_base)

    def load(self, ticks: Sequence[int]) -> Clip:
        """Decode as many frames as it takes."""
        wanted = set(ticks)
        frames = []
        key = bisect_right(self._key_pts, int(ticks[0] * self._pts_per_tick)) - 1
        # By the time at which it is decoded: MP4 is searched by that, and would end at a later key frame otherwise.
        self._film.seek(self._key_dts[key], stream=self._stream)
        for frame in self._film.decode(self._stream):
            assert frame.pts is not None
            tick = round(frame.pts / self._pts_per_tick)
            if tick in wanted:
                frames.append(frame.to_ndarray(format="rgb24"))
                if len(frames) == len(ticks):
                    break
        return np.stack(frames)


def _find_keyframes(path: Path) -> list[tuple[int, int]]:
    """Of every key frame, when it is shown and when it is decoded, in the stream's time base."""
    with av.open(str(path)) as film:
        packets = [packet for packet in film.demux(video=0) if packet.is_keyframe]
        return sorted(
            (packet.pts, packet.dts) for packet in packets if packet.pts is not None and packet.dts is not None
        )
