"""The profile that all of the small recordings are meant for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from bagmill.testing.content import CAMERA_RATE_HZ, JOINT_LIMIT_RAD, JOINT_NAMES, JOINT_RATE_HZ
from bagmill.testing.robot import COMMANDS, DEPTH, HIGH, STATE, WRIST


def small_profile() -> dict[str, Any]:
    """Content of the profile, as `bagmill.profile.parse_profile` takes it; a new dict each time, free to change."""
    return {
        "name": "small",
        "robot": "three joints, two cameras",
        "task": "wave",
        "clock": "header",
        "rate_hz": CAMERA_RATE_HZ,
        "features": {
            "images/cam_high": {"channel": HIGH, "expected_rate_hz": CAMERA_RATE_HZ},
            "images/cam_wrist": {"channel": WRIST, "expected_rate_hz": CAMERA_RATE_HZ},
            "depth/cam_high": {"channel": DEPTH, "expected_rate_hz": CAMERA_RATE_HZ},
            "state": {
                "channel": STATE,
                "field": "position",
                "names": list(JOINT_NAMES),
                "units": "rad",
                "limits": [[-JOINT_LIMIT_RAD, JOINT_LIMIT_RAD]],
                "expected_rate_hz": JOINT_RATE_HZ,
            },
            "action": {
                "channel": COMMANDS,
                "field": "position",
                "names": list(JOINT_NAMES),
                "units": "rad",
                "rule": "latest",
                "expected_rate_hz": JOINT_RATE_HZ,
            },
        },
        "preview": {"height": 48},
    }


def write_small_profile(path: Path) -> Path:
    """Write the profile as YAML."""
    path.write_text(yaml.safe_dump(small_profile(), sort_keys=False), encoding="utf-8")
    return path
