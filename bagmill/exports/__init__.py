"""Episodes in the formats of others: LeRobot v3, and HDF5 as ALOHA has it.

Belongs here: which episodes and features go, under which names, the files of a format, and a report of what was written and
what was lost. Stays out: reading episodes (`episodes`), choosing them (`dataset`), the AV1 encoder (`previews`), and
import: nothing here reads another format but to compare what it wrote.
"""

from bagmill.exports.aloha import AlohaSettings, export_aloha
from bagmill.exports.held import InvalidTicks
from bagmill.exports.lerobot import LeRobotSettings, export_lerobot
from bagmill.exports.report import (
    REPORT_FILE,
    ExportedEpisode,
    ExportedFeature,
    ExportReport,
    PictureLoss,
    SkippedEpisode,
)
from bagmill.exports.source import ExportSource, SourceEpisode, select_source
from bagmill.exports.target_folder import check_target

__all__ = [
    "REPORT_FILE",
    "AlohaSettings",
    "ExportReport",
    "ExportSource",
    "ExportedEpisode",
    "ExportedFeature",
    "InvalidTicks",
    "LeRobotSettings",
    "PictureLoss",
    "SkippedEpisode",
    "SourceEpisode",
    "check_target",
    "export_aloha",
    "export_lerobot",
    "select_source",
]
