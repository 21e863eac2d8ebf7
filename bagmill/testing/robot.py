"""A healthy recording of a small robot: two cameras, a depth camera, three joints and their commands, two seconds.

Laid on a 30 Hz timeline by the header clock, tick n is fed by frame n of every camera: `cam_high` and depth hit it
exactly, `cam_wrist` is 4 ms early. The other streams begin before the first tick and end after the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bagmill.testing.containers import Compression, Container, write_mcap, write_rosbag1, write_rosbag2
from bagmill.testing.content import (
    CAMERA_RATE_HZ,
    JOINT_NAMES,
    JOINT_RATE_HZ,
    LEAD_NS,
    START_NS,
    Camera,
    camera_stamp_ns,
    depth_picture,
    joint_command,
    joint_position,
    joint_stamp_ns,
    joint_velocity,
    picture,
)
from bagmill.testing.messages import PixelEncoding, SampleMessage, depth_values, image_schema, image_values

HIGH, WRIST, DEPTH = "/cam_high/image", "/cam_wrist/image", "/cam_high/depth"
STATE, COMMANDS = "/joint_states", "/commands"
TOPICS = (HIGH, WRIST, DEPTH, STATE, COMMANDS)

_LATENCY_NS = {HIGH: 9_000_000, WRIST: 7_000_000, DEPTH: 12_000_000, STATE: 1_000_000, COMMANDS: 800_000}
_PUBLISH_TO_LOG_NS = 300_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a recording is made; the defaults are what most tests want."""

    num_frames: int = 60
    """Of `cam_high` and of depth; the others are as long."""
    height: int = 48
    """Of every picture."""
    width: int = 64
    high_encoding: PixelEncoding = "rgb8"
    wrist_encoding: PixelEncoding = "jpeg"
    container: Container = "mcap"
    compression: Compression | None = None
    """None: what the container usually has, zstd chunks in MCAP and none elsewhere."""


DEFAULT = Settings()


def healthy_messages(settings: Settings = DEFAULT) -> list[SampleMessage]:
    """The messages of a healthy recording, by log time."""
    size = {"height": settings.height, "width": settings.width}
    messages = [
        _stamped(DEPTH, "sensor_msgs/msg/Image", depth_values(depth_picture(n, **size)), camera_stamp_ns("cam_high", n))
        for n in range(settings.num_frames)
    ]
    cameras: list[tuple[str, Camera, PixelEncoding, int]] = [
        (HIGH, "cam_high", settings.high_encoding, settings.num_frames),
        # One frame more, so that the last tick lies between two frames here as well.
        (WRIST, "cam_wrist", settings.wrist_encoding, settings.num_frames + 1),
    ]
    for topic, camera, encoding, num_frames in cameras:
        for n in range(num_frames):
            values = image_values(picture(camera, n, **size), encoding=encoding)
            messages.append(_stamped(topic, image_schema(encoding), values, camera_stamp_ns(camera, n)))
    return sorted([*messages, *_joint_messages(settings)], key=lambda message: message.log_ns)


def write(path: Path, messages: list[SampleMessage], *, settings: Settings = DEFAULT) -> Path:
    """Write messages into the container that the settings name."""
    match settings.container:
        case "mcap":
            return write_mcap(path, messages, compression=settings.compression or "zstd")
        case "rosbag1":
            return write_rosbag1(path, messages, compression=settings.compression or "none")
        case "rosbag2":
            return write_rosbag2(path, messages, compression=settings.compression or "none")


def healthy(path: Path, *, settings: Settings = DEFAULT) -> Path:
    """Nothing is wrong."""
    return write(path, healthy_messages(settings), settings=settings)


def _joint_messages(settings: Settings) -> list[SampleMessage]:
    duration_ns = round((settings.num_frames - 1) * 1_000_000_000 / CAMERA_RATE_HZ) + 2 * LEAD_NS
    messages = []
    for n in range(duration_ns * JOINT_RATE_HZ // 1_000_000_000 + 1):
        stamp_ns = joint_stamp_ns(n)
        time_s = (stamp_ns - START_NS) / 1e9
        state = {"name": JOINT_NAMES, "position": joint_position(time_s), "velocity": joint_velocity(time_s)}
        command = {"name": JOINT_NAMES, "position": joint_command(time_s)}
        messages.append(_stamped(STATE, "sensor_msgs/msg/JointState", state, stamp_ns))
        messages.append(_stamped(COMMANDS, "sensor_msgs/msg/JointState", command, stamp_ns))
    return messages


def _stamped(topic: str, schema_name: str, values: dict[str, object], header_ns: int) -> SampleMessage:
    # A latency that wanders by a tenth, the same at every call.
    log_ns = header_ns + _LATENCY_NS[topic] + (header_ns * 7919) % (_LATENCY_NS[topic] // 10)
    return SampleMessage(
        topic=topic,
        schema_name=schema_name,
        values=values,
        log_ns=log_ns,
        header_ns=header_ns,
        publish_ns=log_ns - _PUBLISH_TO_LOG_NS,
    )
