"""Everything in a dataset's folder beside its episodes: reports, quarantine, snapshots, and where each of them lies.

Belongs here: paths inside a dataset, episodes' names, the files that say how an episode was made and why one was not,
the tables that a training run names. Stays out: the arrays (`episodes`), pictures of them (`previews`), the numbers in
a report (`quality`), the order in which they come about (`ingest`).
"""

from bagmill.dataset.folder import Dataset
from bagmill.dataset.naming import episode_name
from bagmill.dataset.quarantine import QuarantineEntry, list_quarantine, put_quarantine, read_quarantine, release
from bagmill.dataset.report import EpisodeReport, FeatureReport, StageReport, load_report, make_current, save_report
from bagmill.dataset.report_summary import ReportSummary, load_summary
from bagmill.dataset.snapshot import Snapshot, load_snapshot, make_snapshot
from bagmill.dataset.snapshot_names import list_snapshot_names
from bagmill.dataset.whole_file import write_whole

__all__ = [
    "Dataset",
    "EpisodeReport",
    "FeatureReport",
    "QuarantineEntry",
    "ReportSummary",
    "Snapshot",
    "StageReport",
    "episode_name",
    "list_quarantine",
    "list_snapshot_names",
    "load_report",
    "load_snapshot",
    "load_summary",
    "make_current",
    "make_snapshot",
    "put_quarantine",
    "read_quarantine",
    "release",
    "save_report",
    "write_whole",
]
