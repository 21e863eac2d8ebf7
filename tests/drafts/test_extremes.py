"""Recordings whose own numbers no profile takes: what is drafted of them is a profile all the same."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from bagmill.drafts import draft_profile, look_again, profile_yaml
from bagmill.profile import Profile, parse_profile
from bagmill.streams import scan

Record = Callable[..., Path]
DAY_MS = 86_400_000


def drafted(recording: Path) -> Profile:
    index = scan(recording)
    return parse_profile(yaml.safe_load(profile_yaml(draft_profile(index, values=look_again(index)))))


def numbers(n: int, _: int) -> dict[str, Any]:
    return {"data": [float(n), float(n) / 7]}


@pytest.mark.parametrize(("period_ms", "expected_hz"), [(2 * DAY_MS, 5.79e-6), (1e-6, None)])
def test_a_pace_beyond_any_profiles_is_not_drafted(
    json_recording: Record, period_ms: float, expected_hz: float | None
) -> None:
    profile = drafted(json_recording("r.mcap", {"/arm": ("Numbers", numbers, 12, period_ms)}))
    assert profile.rate_hz == Fraction(10)
    (feature,) = profile.features.values()
    assert feature.tolerance_ms <= DAY_MS
    assert feature.expected_rate_hz == expected_hz


def test_names_longer_than_a_profiles_are_cut_and_stay_apart(json_recording: Record) -> None:
    topics = [f"/{'a' * 2000}/{end}" for end in ("left" * 100, "left" * 100 + "x")]
    recording = json_recording(f"{'r' * 240}.mcap", dict.fromkeys(topics, ("Numbers", numbers, 40, 10.0)))
    profile = drafted(recording)
    assert len(profile.name) == 200
    assert {feature.channel for feature in profile.features.values()} == set(topics)


def test_more_channels_than_a_profile_has_features_are_suggestions(
    json_recording: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bagmill.drafts.draft.MOST_FEATURES", 3)
    profile = drafted(json_recording("r.mcap", {f"/arm_{n}": ("Numbers", numbers, 3, 10.0) for n in range(5)}))
    assert len(profile.features) == 3
