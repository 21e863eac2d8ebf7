"""One recording through scan, draft and ingest, with nothing edited in between."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from bagmill.drafts import ProfileDraft, draft_profile, find_candidates, look_again, profile_yaml
from bagmill.errors import BagmillError
from bagmill.ingest import IngestOutcome, IngestRequest, ingest
from bagmill.ingest.timeline import make_timeline
from bagmill.plan import resolve, stamps_wanted
from bagmill.profile import Profile, parse_profile
from bagmill.recordings import open_recording
from bagmill.streams import RecordingIndex, restamped, scan


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one recording."""

    recording: str
    """Its path below the folder that was searched."""
    is_trainable: bool
    """A feature can be made of one of its channels."""
    is_published: bool
    rate_hz: float | None
    """As drafted; None where no profile could be drafted."""
    features: str
    """Their names, and the number of values of every signal."""
    used_percent: float | None
    """Messages that feed a tick, of all messages on the features' channels; None where no timeline was made."""
    kept_percent: float | None
    """Time the episode covers, of the time between the first and the last of those messages."""
    reason: str
    """Why it was not published; empty where it was."""


def try_draft(recording: Path, *, name: str, workspace: Path) -> Trial:
    """Draft a profile for a recording and ingest the recording by it.

    Args:
        recording: A recording.
        name: What the trial is called.
        workspace: A folder for the dataset; must not exist.
    """
    try:
        index = scan(recording)
    except BagmillError as err:
        return _refused(name, err, is_trainable=False)
    try:
        draft = draft_profile(index, values=look_again(index))
        profile = parse_profile(yaml.safe_load(profile_yaml(draft)))
    except BagmillError as err:
        return _refused(name, err, is_trainable=bool(find_candidates(index)[0]))
    outcome = ingest(
        IngestRequest(
            episode="episode", recording=recording, dataset=workspace, profile=profile, until="episode", is_forced=True
        )
    )
    used_percent, kept_percent = _measure_use(index, profile)
    return Trial(
        recording=name,
        is_trainable=True,
        is_published=outcome.refusal is None,
        rate_hz=float(draft.rate_hz),
        features=_say_features(draft, outcome),
        used_percent=used_percent,
        kept_percent=kept_percent,
        reason="" if outcome.refusal is None else outcome.refusal.reason,
    )


def _refused(name: str, error: BagmillError, *, is_trainable: bool) -> Trial:
    return Trial(
        recording=name,
        is_trainable=is_trainable,
        is_published=False,
        rate_hz=None,
        features="",
        used_percent=None,
        kept_percent=None,
        reason=error.problem,
    )


def _measure_use(index: RecordingIndex, profile: Profile) -> tuple[float | None, float | None]:
    """Percent of messages that feed a tick, and of the time that the ticks cover."""
    try:
        if stamps := stamps_wanted(profile, index):
            with open_recording(index.path) as recording:
                index = restamped(index, recording, stamps)
        plan = resolve(profile, index)
        timeline = make_timeline(plan)
    except BagmillError:
        return None, None
    used: dict[int, list[np.ndarray]] = {}
    wanted: dict[int, list[np.ndarray]] = {}
    times: list[int] = []
    for feature in plan.features:
        for part in feature.parts:
            aligned = timeline.parts[feature.name, part.label] if part.label else timeline.features[feature.name]
            used.setdefault(part.channel.id, []).extend((aligned.before, aligned.after))
            wanted.setdefault(part.channel.id, []).append(part.rows)
            of_part = plan.stamps_of(part)
            times += [int(of_part.min()), int(of_part.max())]
    num_used = sum(int(np.count_nonzero(_distinct(rows) >= 0)) for rows in used.values())
    num_wanted = sum(len(_distinct(rows)) for rows in wanted.values())
    whole_ns = max(times) - min(times)
    kept_percent = 100 * timeline.duration_ns / whole_ns if whole_ns else 100.0
    return 100 * num_used / num_wanted, kept_percent


def _distinct(rows: list[np.ndarray]) -> np.ndarray:
    return np.unique(np.concatenate(rows))


def _say_features(draft: ProfileDraft, outcome: IngestOutcome) -> str:
    widths = {feature.name: feature.shape[0] for feature in outcome.report.features if feature.kind == "signal"}
    active = [feature.name for feature in draft.features if feature.is_active]
    return ", ".join(f"{name} ({widths[name]})" if name in widths else name for name in active)
