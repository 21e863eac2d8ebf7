"""Arrays in, numbers out: what is measured of a recording, a timeline, an episode, a preview, and how it is judged.

Belongs here: metrics (one a file in `metrics`), the formulas behind them, thresholds and severities. Stays out:
opening and decoding anything (the stages hand over evidence), what happens to an episode that failed (`ingest`,
`dataset`), how a result looks in the web UI (the deployment).
"""

from bagmill.quality.fidelity_audit import measure_fidelity
from bagmill.quality.judge import ResolvedCheck, judge, resolve_checks
from bagmill.quality.metric import (
    STAGES,
    CheckResult,
    Direction,
    EpisodeEvidence,
    Evidence,
    FrameSample,
    ImageSample,
    MeasuredFrame,
    Measurement,
    Metric,
    PreviewEvidence,
    RecordingEvidence,
    Stage,
    TimelineEvidence,
)
from bagmill.quality.metrics import METRICS
from bagmill.quality.picture import PictureStatistics

__all__ = [
    "METRICS",
    "STAGES",
    "CheckResult",
    "Direction",
    "EpisodeEvidence",
    "Evidence",
    "FrameSample",
    "ImageSample",
    "MeasuredFrame",
    "Measurement",
    "Metric",
    "PictureStatistics",
    "PreviewEvidence",
    "RecordingEvidence",
    "ResolvedCheck",
    "Stage",
    "TimelineEvidence",
    "judge",
    "measure_fidelity",
    "resolve_checks",
]
