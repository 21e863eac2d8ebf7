"""How the dual arm moves: from pose to pose, each joint without a jerk, and how its encoders read that."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

_ARM = ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate", "gripper")
JOINT_NAMES = tuple(f"{side}_{joint}" for side in ("left", "right") for joint in _ARM)
"""14, in the order of the messages."""

_HOME = np.array([0.0, -0.6, 0.7, 0.0, 0.3, 0.0, 0.5])
_SWING = np.array([0.5, 0.4, 0.4, 0.5, 0.4, 0.6, 0.45])
"""How far from home a pose may be, rad; the gripper is a share of its opening."""
_SECONDS_PER_POSE = 1.5
_FOLLOWING_DELAY_S = 0.07
"""How far the joints are behind their commands."""
_ENCODER_STEP_RAD = 2 * math.pi / 4096


class Motion:
    """The arms' motion over a recording.

    Args:
        seconds: Its length; times a little before and behind are covered too.
        rng: Where the poses come from.
    """

    def __init__(self, seconds: float, rng: np.random.Generator) -> None:
        num_poses = math.ceil(seconds / _SECONDS_PER_POSE) + 4
        home, swing = np.tile(_HOME, 2), np.tile(_SWING, 2)
        self._poses = home + swing * rng.uniform(-1, 1, (num_poses, len(JOINT_NAMES)))

    def command(self, time_s: ArrayLike) -> NDArray[np.float64]:
        """What the joints are told, (…, 14), at times (…) in seconds from the recording's start."""
        place = np.asarray(time_s, dtype=np.float64) / _SECONDS_PER_POSE + 1
        pose = np.clip(np.floor(place).astype(np.int64), 0, len(self._poses) - 2)
        share = np.clip(place - pose, 0, 1)[..., np.newaxis]
        # Minimum jerk: velocity and acceleration are zero at both ends.
        smooth = share**3 * (10 - 15 * share + 6 * share**2)
        return np.asarray(self._poses[pose] * (1 - smooth) + self._poses[pose + 1] * smooth)

    def position(self, time_s: ArrayLike) -> NDArray[np.float64]:
        """Where the joints are, (…, 14): behind their commands."""
        return self.command(np.asarray(time_s, dtype=np.float64) - _FOLLOWING_DELAY_S)

    def encoders(self, time_s: ArrayLike) -> NDArray[np.float64]:
        """What the joints report, (…, 14): their position in whole steps of a 12-bit encoder."""
        return np.asarray(np.round(self.position(time_s) / _ENCODER_STEP_RAD) * _ENCODER_STEP_RAD)

    def velocity(self, time_s: ArrayLike) -> NDArray[np.float64]:
        """How fast the joints move, (…, 14), rad/s, from their position 10 ms before and after."""
        t = np.asarray(time_s, dtype=np.float64)
        return (self.position(t + 0.01) - self.position(t - 0.01)) / 0.02
