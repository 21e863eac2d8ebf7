"""What the targets' seeds are made of: small recordings and messages, written by the formats' own libraries."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from bagmill.recordings.records import Channel
from bagmill.testing import (
    SampleMessage,
    Settings,
    depth_picture,
    depth_values,
    healthy,
    image_schema,
    image_values,
    picture,
)
from bagmill.testing.messages import serialise, typestore

TINY = Settings(num_frames=3, height=16, width=24)


def files(*builders: Callable[[Path], Path]) -> list[bytes]:
    """What builders of one file each write."""
    found = []
    with folder() as place:
        for number, build in enumerate(builders):
            found.append(build(place / f"{number}").read_bytes())
    return found


@contextmanager
def folder() -> Iterator[Path]:
    """A folder of one's own."""
    with tempfile.TemporaryDirectory(prefix="bagmill-fuzz-seeds-") as name:
        yield Path(name)


@cache
def tiny_recording(suffix: str) -> bytes:
    """A small recording's file: `.mcap`, `.bag`."""
    with folder() as place:
        return healthy(place / f"tiny{suffix}", settings=TINY).read_bytes()


_STAMP_NS = 1_700_000_000_123_456_789


def message(
    schema_name: str, values: dict[str, object], *, dialect: str = "ros2", header_ns: int | None = _STAMP_NS
) -> bytes:
    """A payload of ROS."""
    sample = SampleMessage("/x", schema_name, values, 1, header_ns=header_ns)
    return serialise(sample, dialect="ros1" if dialect == "ros1" else "ros2")


def channel(schema_name: str, *, schema: bytes | None = None, encoding: str = "ros2msg", wire: str = "cdr") -> Channel:
    """A channel of a schema: of ROS's own where none is given."""
    if schema is None:
        version = 1 if wire == "ros1" else 2
        text, _ = typestore("ros1" if wire == "ros1" else "ros2").generate_msgdef(schema_name, ros_version=version)
        schema = text.encode()
    return Channel(0, "/x", schema_name, encoding, schema, wire)


def joints() -> dict[str, object]:
    """Values of a JointState."""
    return {"name": ["a", "b"], "position": [0.5, -0.5], "velocity": [0.0, 1.0], "effort": []}


def pictures(encoding: str) -> tuple[str, bytes]:
    """A schema of pictures and a message of it."""
    if encoding == "16UC1":
        return "sensor_msgs/msg/Image", message(
            "sensor_msgs/msg/Image", depth_values(depth_picture(0, height=16, width=24))
        )
    rgb = picture("cam_high", 0, height=16, width=24)
    schema = image_schema(encoding)  # type: ignore[arg-type]
    return schema, message(schema, image_values(rgb, encoding=encoding))  # type: ignore[arg-type]
