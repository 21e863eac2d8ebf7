"""What the small recordings show: a picture follows from its camera and number, a joint's position from the time.

So a test can compute what must come out of a recording without reading it.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Camera = Literal["cam_high", "cam_wrist"]

START_NS: Final = 1_700_000_000_000_000_000
"""Header stamp of the first frame of `cam_high`, ns since the Unix epoch."""
CAMERA_RATE_HZ: Final = 30
JOINT_RATE_HZ: Final = 100
JOINT_NAMES: Final = ("shoulder", "elbow", "wrist")
JOINT_LIMIT_RAD: Final = 1.5
"""No joint of a healthy recording leaves ± this."""
LEAD_NS: Final = 50_000_000
"""How long before `START_NS` the joints' messages begin, and how much longer than the pictures they last."""

_PHASE_NS: Final[dict[Camera, int]] = {"cam_high": 0, "cam_wrist": -4_000_000}


def camera_stamp_ns(camera: Camera, n: int) -> int:
    """Header stamp of a camera's frame, ns: `cam_wrist` fires 4 ms before `cam_high`, which depth is in step with."""
    return START_NS + _PHASE_NS[camera] + round(n * 1_000_000_000 / CAMERA_RATE_HZ)


def joint_stamp_ns(n: int) -> int:
    """Header stamp of the n-th message on `/joint_states` and on `/commands`, ns."""
    return START_NS - LEAD_NS + n * (1_000_000_000 // JOINT_RATE_HZ)


def picture(camera: Camera, n: int, *, height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    """A camera's n-th frame: smooth waves that move, a little different in every pixel from frame to frame.

    Returns:
        uint8 (H, W, 3), RGB, between 16 and 240, so that neither black nor blown; fit for JPEG.
    """
    y, x = np.mgrid[0:height, 0:width] / height
    turn = n / 45 + (0.0 if camera == "cam_high" else 0.5)
    # The three channels are told apart by their waves: swapped ones are noticed.
    waves = [
        np.sin(2 * np.pi * (x + turn)),
        np.sin(2 * np.pi * (y + 2 * turn)),
        np.sin(2 * np.pi * (x - y + 3 * turn)),
    ]
    return np.asarray(128 + 112 * np.stack(waves, axis=-1), dtype=np.uint8)


def depth_picture(n: int, *, height: int = 48, width: int = 64) -> NDArray[np.uint16]:
    """The n-th depth frame: a ramp that moves, a hole, and the highest number a depth camera can give.

    Returns:
        uint16 (H, W), millimetres; 0 where nothing was measured, 65535 in the lower right corner.
    """
    y, x = np.mgrid[0:height, 0:width]
    depth = np.asarray(400 + 37 * x + 53 * y + 11 * n, dtype=np.uint16)
    hole = (n % (width - 8)) + np.arange(8)
    depth[: height // 4, hole] = 0
    depth[-1, -1] = np.iinfo(np.uint16).max
    return depth


def joint_position(time_s: ArrayLike) -> NDArray[np.float64]:
    """Where the joints are.

    Args:
        time_s: Seconds since `START_NS`, any shape.

    Returns:
        float64 (…, 3), rad, in the order of `JOINT_NAMES`.
    """
    t = np.asarray(time_s, dtype=np.float64)[..., np.newaxis]
    middle = np.array([0.0, -0.6, 0.2])
    swing = np.array([0.5, 0.3, 0.8])
    rate_hz = np.array([0.4, 0.3, 0.2])
    return np.asarray(middle + swing * np.sin(2 * np.pi * rate_hz * t + np.arange(3)), dtype=np.float64)


def joint_velocity(time_s: ArrayLike) -> NDArray[np.float64]:
    """How fast the joints move: the derivative of `joint_position`, float64 (…, 3), rad/s."""
    half_s = 5e-4
    t = np.asarray(time_s, dtype=np.float64)
    return (joint_position(t + half_s) - joint_position(t - half_s)) / (2 * half_s)


def joint_command(time_s: ArrayLike) -> NDArray[np.float64]:
    """What the joints are told: where they will be 50 ms later, float64 (…, 3), rad."""
    return joint_position(np.asarray(time_s, dtype=np.float64) + 0.05)
