"""Everything in a dataset's folder beside its episodes: reports, quarantine, snapshots, nights, and where each of them lies.

Belongs here: paths inside a dataset, episodes' names, the files that say how an episode was made and why one was not,
the tables that a training run names, the choice among their rows, numbers over them, what can go. Stays out: the arrays
(`episodes`), pictures of them (`previews`), the numbers in a report (`quality`), the order in which they come about
(`ingest`), statistics of the arrays' values (`normalisation`).
"""

from bagmill.dataset.curate import CuratedSnapshot, curate, load_curation
from bagmill.dataset.curation import Curation, CurationStep
from bagmill.dataset.current import has_current, make_current, next_order
from bagmill.dataset.folder import Dataset
from bagmill.dataset.held_features import HeldFeature, held_features, stored_features
from bagmill.dataset.joined_episodes import EpisodeFeatures, episode_features
from bagmill.dataset.joined_feature import JoinedFeature, join_feature
from bagmill.dataset.known_recordings import (
    KnownRecording,
    counts_elsewhere,
    note_if_new,
    note_known,
    read_known,
)
from bagmill.dataset.leftovers import sweep_episode
from bagmill.dataset.naming import episode_name
from bagmill.dataset.nights import (
    EarlierNights,
    Night,
    load_night,
    load_nights_before,
    reason_of,
    save_night,
    take_night,
)
from bagmill.dataset.prune import Pruned, PrunePlan, UnneededVersion, apply_prune, plan_prune
from bagmill.dataset.prune_lock import no_prune
from bagmill.dataset.quarantine import (
    QuarantineEntry,
    RefusalKind,
    list_quarantine,
    put_quarantine,
    read_quarantine,
    release,
    release_for_retry,
)
from bagmill.dataset.query import select
from bagmill.dataset.report import EpisodeReport, FeatureReport, StageReport, load_report, save_report
from bagmill.dataset.report_summary import ReportSummary, asking, load_summary
from bagmill.dataset.snapshot import Snapshot, load_snapshot, make_snapshot, rows_of_split
from bagmill.dataset.snapshot_file import SPLIT
from bagmill.dataset.snapshot_list import SnapshotFacts, describe_snapshots
from bagmill.dataset.snapshot_names import LATEST, list_snapshot_names, resolve_id, resolve_name
from bagmill.dataset.splits import assign_splits
from bagmill.dataset.statistics import (
    GroupTotals,
    Measure,
    Measures,
    Outlier,
    Spread,
    Totals,
    find_outliers,
    find_spreads,
    measures,
    total,
    total_by,
    usual_range,
)
from bagmill.dataset.whole_file import write_whole
from bagmill.dataset.why_none import why_none

__all__ = [
    "LATEST",
    "SPLIT",
    "CuratedSnapshot",
    "Curation",
    "CurationStep",
    "Dataset",
    "EarlierNights",
    "EpisodeFeatures",
    "EpisodeReport",
    "FeatureReport",
    "GroupTotals",
    "HeldFeature",
    "JoinedFeature",
    "KnownRecording",
    "Measure",
    "Measures",
    "Night",
    "Outlier",
    "PrunePlan",
    "Pruned",
    "QuarantineEntry",
    "RefusalKind",
    "ReportSummary",
    "Snapshot",
    "SnapshotFacts",
    "Spread",
    "StageReport",
    "Totals",
    "UnneededVersion",
    "apply_prune",
    "asking",
    "assign_splits",
    "counts_elsewhere",
    "curate",
    "describe_snapshots",
    "episode_features",
    "episode_name",
    "find_outliers",
    "find_spreads",
    "has_current",
    "held_features",
    "join_feature",
    "list_quarantine",
    "list_snapshot_names",
    "load_curation",
    "load_night",
    "load_nights_before",
    "load_report",
    "load_snapshot",
    "load_summary",
    "make_current",
    "make_snapshot",
    "measures",
    "next_order",
    "no_prune",
    "note_if_new",
    "note_known",
    "plan_prune",
    "put_quarantine",
    "read_known",
    "read_quarantine",
    "reason_of",
    "release",
    "release_for_retry",
    "resolve_id",
    "resolve_name",
    "rows_of_split",
    "save_night",
    "save_report",
    "select",
    "stored_features",
    "sweep_episode",
    "take_night",
    "total",
    "total_by",
    "usual_range",
    "why_none",
    "write_whole",
]
