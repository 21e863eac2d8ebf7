"""Robots: which of them have not recorded for a while."""

from __future__ import annotations

import time
from collections.abc import Iterator

from bagmill.errors import ProfileError
from pipelines.watch.concern import Concern
from resources.profiles import ProfileRules
from resources.recordings import LandingPlace


def last_recorded(recordings: LandingPlace, profiles: ProfileRules) -> dict[str, float]:
    """Robot → when the newest of its recordings was last written to, in seconds since the Unix epoch.

    Recordings of which no rule says whose they are count for none.

    Raises:
        RecordingError: The landing place cannot be listed.
    """
    found: dict[str, float] = {}
    profile_of = profiles.reader()
    for landed in recordings.look().values():
        try:
            robot = profile_of(landed.path_below).robot
        except ProfileError:
            continue
        if robot:
            found[robot] = max(found.get(robot, 0.0), landed.written_ns / 1e9)
    return found


def look_at_robots(recorded_s: dict[str, float], *, silent_after_h: float) -> Iterator[Concern]:
    """The robots that have been silent for too long.

    Args:
        recorded_s: Robot → when it last recorded, in seconds since the Unix epoch; also those whose recordings were cleared away.
        silent_after_h: Hours.
    """
    now_s = time.time()
    for robot, at_s in sorted(recorded_s.items()):
        hours = (now_s - at_s) / 3600
        if hours > silent_after_h:
            yield Concern(
                "robot_silent",
                f"robot {robot}",
                f"Nothing has come from robot {robot} for {_span(hours)}. Is it recording, and does what it records arrive?",
                "/assets/recording?view=partitions",
            )


def _span(hours: float) -> str:
    return f"{hours:.0f} hours" if hours >= 2 else f"{hours * 60:.0f} minutes"
