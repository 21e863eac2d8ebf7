"""LeRobot v3 data sets: Parquet, AV1 films, statistics.

Belongs here: everything that knows how LeRobot lays out its files. Stays out: LeRobot itself, which is never imported.
"""

from bagmill.exports.lerobot.export import LeRobotSettings, export_lerobot

__all__ = ["LeRobotSettings", "export_lerobot"]
