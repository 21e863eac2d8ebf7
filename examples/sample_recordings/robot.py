"""The robot: what it sends, when, and what each message says.

Two colour cameras and a depth camera, aligned with the first, at 30 Hz; states and commands of 14 joints at 100 Hz.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from bagmill.testing import SampleMessage, depth_values
from examples.sample_recordings.clock import firing_ns, received_ns
from examples.sample_recordings.motion import JOINT_NAMES, Motion
from examples.sample_recordings.scene import HEIGHT, WIDTH, Scene
from examples.sample_recordings.sensor import Sensor

HIGH, WRIST, DEPTH = "/cam_high/image", "/cam_wrist/image", "/cam_high/depth"
STATE, COMMANDS = "/joint_states", "/commands"
_TOPICS = (HIGH, WRIST, DEPTH, STATE, COMMANDS)
CAMERA_RATE_HZ = 30
JOINT_RATE_HZ = 100
JPEG_QUALITY = 90
ImageEncoding = Literal["rgb8", "bgr8", "jpeg"]

_FIRST_FRAME_MS = 50
"""When `cam_high` fires first; the joints' messages begin at 0 and last as long beyond the last frame."""
_WRIST_PHASE_MS = -6
"""The cameras are not triggered together: the wrist's fires this much later."""
_SEND_TO_LOG_NS = 400_000


class Event(NamedTuple):
    """A message that is to be made."""

    log_ns: int
    topic: str
    number: int
    """Its position among its topic's messages."""
    header_ns: int


class Robot:
    """A robot over one recording.

    Args:
        seed: Of its scene, its motion, its clocks and its sensors' noise.
        seconds: Length of what `cam_high` sees.
        start_ns: When the recording starts, ns since the Unix epoch.
        encodings: Image topic → how its pixels are kept.
    """

    def __init__(self, seed: int, *, seconds: float, start_ns: int, encodings: dict[str, ImageEncoding]) -> None:
        rng = np.random.default_rng(seed)
        self._seed = seed
        self._start_ns = start_ns
        self._encodings = encodings
        self._motion = Motion(seconds + 1, rng)
        self._scene = Scene(rng)
        self._sensor = Sensor((HEIGHT, WIDTH), rng)
        self.events = sorted(self._events(seconds, rng))
        """By log time."""

    def message(self, event: Event) -> SampleMessage:
        """An event's message; the same whenever and on whichever thread it is asked for."""
        time_s = (event.header_ns - self._start_ns) / 1e9
        rng = np.random.default_rng((self._seed, _TOPICS.index(event.topic), event.number))
        values: dict[str, Any]
        match event.topic:
            case "/joint_states":
                schema_name = "sensor_msgs/msg/JointState"
                position, velocity = self._motion.encoders(time_s), self._motion.velocity(time_s)
                values = {"name": JOINT_NAMES, "position": position, "velocity": velocity}
            case "/commands":
                schema_name = "sensor_msgs/msg/JointState"
                values = {"name": JOINT_NAMES, "position": self._motion.command(time_s)}
            case "/cam_high/depth":
                schema_name = "sensor_msgs/msg/Image"
                _, disparity = self._scene.seen_from_above(time_s, self._motion.position(time_s))
                values = depth_values(self._sensor.measure_depth(disparity, rng=rng))
            case _:
                encoding = self._encodings[event.topic]
                schema_name = f"sensor_msgs/msg/{'CompressedImage' if encoding == 'jpeg' else 'Image'}"
                values = _pixels(self._frame(event.topic, time_s, rng), encoding)
        return SampleMessage(
            topic=event.topic,
            schema_name=schema_name,
            values={"header": {"frame_id": _frame_id(event.topic)}, **values},
            log_ns=event.log_ns,
            header_ns=event.header_ns,
            publish_ns=event.log_ns - _SEND_TO_LOG_NS,
        )

    def _frame(self, topic: str, time_s: float, rng: np.random.Generator) -> NDArray[np.uint8]:
        joints = self._motion.position(time_s)
        if topic == HIGH:
            scene, _ = self._scene.seen_from_above(time_s, joints)
        else:
            scene = self._scene.seen_from_wrist(joints)
        # The sun wanders, slowly.
        light = (60, int(127 + 120 * np.sin(0.4 * time_s)))
        return self._sensor.expose(scene, light=light, rng=rng)

    def _events(self, seconds: float, rng: np.random.Generator) -> list[Event]:
        num_frames = round(seconds * CAMERA_RATE_HZ)
        num_readings = round((seconds + 2 * _FIRST_FRAME_MS / 1e3) * JOINT_RATE_HZ)

        def camera_ns(first_ms: int, num_messages: int, drift_ppm: float) -> NDArray[np.int64]:
            first_ns, rate_hz = self._start_ns + first_ms * 1_000_000, CAMERA_RATE_HZ
            return firing_ns(
                first_ns, rng, rate_hz=rate_hz, num_messages=num_messages, jitter_ms=0.25, drift_ppm=drift_ppm
            )

        def joints_ns(first_ms: int) -> NDArray[np.int64]:
            first_ns, rate_hz = self._start_ns + first_ms * 1_000_000, JOINT_RATE_HZ
            return firing_ns(first_ns, rng, rate_hz=rate_hz, num_messages=num_readings, jitter_ms=0.3)

        high_ns = camera_ns(_FIRST_FRAME_MS, num_frames, 20)
        # One frame more, so that the last frame of `cam_high` has one on either side here as well.
        wrist_ns = camera_ns(_FIRST_FRAME_MS + _WRIST_PHASE_MS, num_frames + 1, -15)
        state_ns, command_ns = joints_ns(0), joints_ns(2)
        streams = [
            (HIGH, high_ns, received_ns(high_ns, rng, least_ms=16, spread_ms=3)),
            (WRIST, wrist_ns, received_ns(wrist_ns, rng, least_ms=14, spread_ms=3)),
            # Both eyes of one device: depth carries the colour frame's stamp and takes longer to compute.
            (DEPTH, high_ns, received_ns(high_ns, rng, least_ms=24, spread_ms=4)),
            (STATE, state_ns, received_ns(state_ns, rng, least_ms=0.5, spread_ms=0.4)),
            (COMMANDS, command_ns, received_ns(command_ns, rng, least_ms=0.5, spread_ms=0.4)),
        ]
        return [
            Event(int(log), topic, number, int(header))
            for topic, headers, logs in streams
            for number, (header, log) in enumerate(zip(headers, logs, strict=True))
        ]


def _pixels(rgb: NDArray[np.uint8], encoding: ImageEncoding) -> dict[str, Any]:
    if encoding == "jpeg":
        data = simplejpeg.encode_jpeg(rgb, quality=JPEG_QUALITY, colorspace="RGB", colorsubsampling="420")
        return {"format": "jpeg", "data": data}
    pixels = rgb if encoding == "rgb8" else np.ascontiguousarray(rgb[..., ::-1])
    return {"height": HEIGHT, "width": WIDTH, "encoding": encoding, "step": 3 * WIDTH, "data": pixels.tobytes()}


def _frame_id(topic: str) -> str:
    return f"{topic.split('/')[1]}_optical_frame" if topic.startswith("/cam") else ""
