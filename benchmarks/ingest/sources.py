"""The recordings that are ingested: one camera at 30 Hz, with or without depth, and 14 joints at 100 Hz."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from bagmill.testing import SampleMessage, depth_values, image_values, write_mcap, write_rosbag1
from benchmarks.frames import HEIGHT, WIDTH, Frames, cycle

CAMERA, DEPTH, STATE = "/camera/image", "/camera/depth", "/joint_states"
QUALITY: Final = 95
_START_NS: Final = 1_790_000_000_000_000_000
_LEAD_NS: Final = 20_000_000
"""How much earlier than the first frame the joints begin, and how much longer they last."""
_LATENCY_NS: Final = 5_000_000
_STATE_RATE_HZ: Final = 100
_CHUNK_BYTES: Final = 1024 * 1024
"""What mcap's own writer takes unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of recording."""

    name: str
    container: Literal["mcap", "bag"]
    is_compressed: bool = False
    """Its chunks, by zstd."""
    is_jpeg: bool = False
    has_depth: bool = False
    times_as_long: int = 1
    """Of the others: pictures that are JPEG already make a small file, and are stored in no time."""

    def raw_bytes(self, num_frames: int) -> int:
        """Size of the pictures as the recording has them uncompressed; of JPEG, as they would be."""
        return num_frames * HEIGHT * WIDTH * (5 if self.has_depth else 3)


SOURCES: Final = (
    Source("raw RGB, MCAP", "mcap"),
    Source("raw RGB, MCAP zstd", "mcap", is_compressed=True),
    Source("raw RGB, ROS 1 bag", "bag"),
    Source("raw RGB + depth, MCAP", "mcap", has_depth=True),
    Source("JPEG, MCAP", "mcap", is_jpeg=True, times_as_long=10),
)


def write_source(
    source: Source, path: Path, *, num_frames: int, rgb: Frames, depth: Frames, rate_hz: float = 30
) -> Path:
    """Write a recording of the given kind.

    Args:
        source: Which kind.
        path: The file; its suffix does not matter.
        num_frames: Of each camera.
        rgb: What the camera sees, again and again.
        depth: What the depth camera sees, likewise.
        rate_hz: Of the cameras.
    """
    stamps_ns = [_START_NS + round(n * 1e9 / rate_hz) for n in range(num_frames)]
    streams = [_pictures(CAMERA, stamps_ns, _camera_values(source, rgb.pixels, num_frames), source.is_jpeg)]
    if source.has_depth:
        streams.append(_pictures(DEPTH, stamps_ns, map(depth_values, cycle(depth.pixels, num_frames)), False))
    streams.append(_states(stamps_ns[-1]))
    messages = merge(*streams, key=lambda message: message.log_ns)
    if source.container == "bag":
        return write_rosbag1(path, messages)
    return write_mcap(
        path, messages, compression="zstd" if source.is_compressed else "none", chunk_size_bytes=_CHUNK_BYTES
    )


def profile_of(source: Source, *, rate_hz: float = 30) -> dict[str, Any]:
    """The profile for `write_source`, as `bagmill.profile.parse_profile` takes it; the preview is off."""
    features: dict[str, Any] = {"images/camera": {"channel": CAMERA, "quality": QUALITY}}
    if source.has_depth:
        features["depth/camera"] = {"channel": DEPTH}
    features["state"] = {"channel": STATE, "field": "position"}
    return {"name": "bench", "rate_hz": rate_hz, "features": features, "preview": {"enabled": False}}


def _camera_values(source: Source, pixels: NDArray[Any], num_frames: int) -> Iterator[dict[str, Any]]:
    if not source.is_jpeg:
        yield from map(image_values, cycle(pixels, num_frames))
        return
    files = [
        simplejpeg.encode_jpeg(np.ascontiguousarray(frame), quality=QUALITY, colorsubsampling="420") for frame in pixels
    ]
    yield from ({"format": "jpeg", "data": files[n]} for n in _places(len(files), num_frames))


def _places(num_kept: int, num_frames: int) -> list[int]:
    return [int(place[0]) for place in cycle(np.arange(num_kept)[:, np.newaxis], num_frames)]


def _pictures(
    topic: str, stamps_ns: Iterable[int], values: Iterable[dict[str, Any]], is_jpeg: bool
) -> Iterator[SampleMessage]:
    schema_name = f"sensor_msgs/msg/{'CompressedImage' if is_jpeg else 'Image'}"
    for stamp_ns, value in zip(stamps_ns, values, strict=True):
        yield SampleMessage(topic, schema_name, value, log_ns=stamp_ns + _LATENCY_NS, header_ns=stamp_ns)


def _states(last_ns: int) -> Iterator[SampleMessage]:
    names = tuple(f"joint_{n}" for n in range(14))
    for stamp_ns in range(_START_NS - _LEAD_NS, last_ns + _LEAD_NS + 1, round(1e9 / _STATE_RATE_HZ)):
        position = np.sin(1e-9 * (stamp_ns - _START_NS) + np.arange(14))
        values = {"name": names, "position": position}
        yield SampleMessage(
            STATE, "sensor_msgs/msg/JointState", values, log_ns=stamp_ns + _LATENCY_NS, header_ns=stamp_ns
        )
