"""Recording → a profile to start from: what is there, how fast it comes, and what would be a sensible way to use it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from bagmill.drafts.candidates import Candidate, Role, find_candidates, why_no_candidates
from bagmill.drafts.clock import ClockChoice, choose_clock
from bagmill.drafts.features import FeatureDraft, draft_features
from bagmill.drafts.naming import camera_names, joint_names, signal_names, without_repeats
from bagmill.drafts.pace import Pace, measure_pace, round_rate, say_pace
from bagmill.errors import PlanError
from bagmill.streams.index import RecordingIndex

_ROLES: tuple[Role, ...] = ("image", "depth", "state", "action", "signal")
_FALLBACK_RATE_HZ = 10


@dataclass(frozen=True, slots=True)
class ProfileDraft:
    """A profile to start from, with the reasons for what it says."""

    name: str
    recording: str
    """The file or folder it was drafted from."""
    clock: ClockChoice
    rate_hz: Fraction
    rate_reason: str
    features: tuple[FeatureDraft, ...]
    left_out: tuple[tuple[str, str, str], ...]
    """(topic, message type, reason) of every channel without a feature."""


def draft_profile(index: RecordingIndex, *, rate_hz: Fraction | None = None) -> ProfileDraft:
    """Draft a profile that fits a recording.

    Args:
        index: The recording's scan.
        rate_hz: Ticks a second; None: the main camera's rate, else the main signal's.

    Raises:
        PlanError: There is nothing to train on in the recording.
    """
    candidates, unfit = find_candidates(index)
    if not candidates:
        raise PlanError([why_no_candidates(index)], path=index.path, remedy="`bagmill scan` lists what it holds")
    # Where nothing tells of the robot for sure, everything that has numbers is taken.
    active = [candidate for candidate in candidates if candidate.is_telling] or list(candidates)
    active_ids = {candidate.stream.channel.id for candidate in active}
    leading = [candidate for candidate in active if candidate.role != "signal"] or active
    clock = choose_clock(leading)
    main = _main(leading)
    main_pace = measure_pace(main.stream.time_ns(clock.clock))
    left_out = [(stream.channel.topic, stream.channel.schema_name, reason) for stream, reason in unfit]
    features: list[FeatureDraft] = []
    names = _feature_names(candidates)
    for candidate in sorted(candidates, key=lambda one: _ROLES.index(one.role)):
        channel = candidate.stream.channel
        channel_clock = clock.of_channel(candidate.stream)
        if channel_clock is None:
            reason = f"stamped by another clock than {main.topic}"
            left_out.append((channel.topic, channel.schema_name, reason))
            continue
        features += draft_features(
            candidate,
            name=names[channel.id],
            clock=channel_clock,
            is_clock_own=channel_clock != clock.clock,
            main=main,
            main_pace=main_pace,
            is_active=channel.id in active_ids,
        )
    features.sort(key=lambda feature: not feature.is_active)
    different_names = without_repeats([feature.name for feature in features])
    return ProfileDraft(
        name=re.sub(r"[^A-Za-z0-9_.-]+", "_", Path(index.path).stem).strip("_.") or "profile",
        recording=Path(index.path).name,
        clock=clock,
        rate_hz=rate_hz if rate_hz is not None else _rate(main_pace),
        rate_reason="as asked for" if rate_hz is not None else f"{main.topic} has {say_pace(main_pace)}",
        features=tuple(replace(draft, name=name) for draft, name in zip(features, different_names, strict=True)),
        left_out=tuple(sorted(left_out)),
    )


def _main(leading: Sequence[Candidate]) -> Candidate:
    """The camera with the most frames, else the busiest of the most important kind."""
    return min(leading, key=lambda one: (_ROLES.index(one.role), -one.stream.num_messages))


def _rate(pace: Pace) -> Fraction:
    rate_hz = pace.rate_hz
    return Fraction(str(round_rate(rate_hz))) if 0 < rate_hz < 100_000 else Fraction(_FALLBACK_RATE_HZ)


def _feature_names(candidates: Sequence[Candidate]) -> dict[int, str]:
    """Channel id → its feature's name, or the beginning of its features' names."""
    names: dict[int, str] = {}
    for role in _ROLES:
        ids = {one.topic: one.stream.channel.id for one in candidates if one.role == role}
        topics = list(ids)
        if role in ("image", "depth"):
            room = "images" if role == "image" else "depth"
            named = {topic: f"{room}/{name}" for topic, name in camera_names(topics).items()}
        elif role in ("state", "action"):
            named = (
                dict.fromkeys(topics, role)
                if len(topics) == 1
                else {topic: f"{role}_{name}" for topic, name in joint_names(topics).items()}
            )
        else:
            named = signal_names(topics)
        names |= {ids[topic]: name for topic, name in named.items()}
    return names
