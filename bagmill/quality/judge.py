"""Metrics → verdicts: thresholds and severities as the profile has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from bagmill.errors import ProfileError
from bagmill.profile import CheckSpec, Profile
from bagmill.quality.metric import (
    CheckResult,
    EpisodeEvidence,
    Evidence,
    Metric,
    Stage,
    TimelineEvidence,
)
from bagmill.quality.metrics import METRICS

_OF_HOLES: Final = frozenset({"tick_coverage", "episode_coverage"})
"""Checks that fail for the holes of a salvaged recording: there they warn, unless the profile itself says how severe they are."""


@dataclass(frozen=True, slots=True)
class ResolvedCheck:
    """A metric with the threshold and the severity that hold for a profile."""

    metric: Metric
    threshold: float | None
    """None: measured but not judged."""
    severity: Literal["error", "warn"]

    def is_failed_by(self, value: float) -> bool:
        """Whether a value is on the wrong side of the threshold; nan is not judged."""
        if self.threshold is None or np.isnan(value):
            return False
        return value < self.threshold if self.metric.direction == "higher" else value > self.threshold


def resolve_checks(profile: Profile) -> dict[str, ResolvedCheck]:
    """Every check that a profile asks for, by name; those it turns off are left out.

    Raises:
        ProfileError: It sets up checks that there are none of.
    """
    if unknown := [name for name in profile.checks if name not in METRICS]:
        raise ProfileError(
            [f"no check is called `{name}` @ $.checks.{name}" for name in unknown],
            remedy=f"Known: {', '.join(sorted(METRICS))}",
        )
    checks = {}
    for name in METRICS:
        metric = METRICS[name]
        spec = profile.checks.get(name, CheckSpec())
        severity = spec.severity or metric.severity
        if severity != "off":
            threshold = metric.threshold if spec.threshold is None else spec.threshold
            checks[name] = ResolvedCheck(metric, threshold, severity)
    return checks


def judge(stage: Stage, evidence: Evidence, profile: Profile) -> tuple[CheckResult, ...]:
    """Measure and judge everything that a stage has checks for.

    Args:
        stage: Which stage's checks.
        evidence: That stage's.
        profile: Says what is asked for.

    Returns:
        In the order of `METRICS`; a metric that found no subject gives no result.

    Raises:
        ProfileError: As `resolve_checks`.
    """
    results = []
    for check in resolve_checks(profile).values():
        metric = check.metric
        if metric.stage != stage:
            continue
        if measurements := metric.measure(evidence):
            failed = (m.subject for m in measurements if m.is_judged and check.is_failed_by(m.value))
            results.append(
                CheckResult(
                    name=metric.name,
                    stage=metric.stage,
                    unit=metric.unit,
                    direction=metric.direction,
                    threshold=check.threshold,
                    severity="warn" if _is_forgiven(metric.name, evidence, profile) else check.severity,
                    description=metric.description,
                    measurements=tuple(measurements),
                    failed_subjects=tuple(failed),
                )
            )
    return tuple(results)


def _is_forgiven(name: str, evidence: Evidence, profile: Profile) -> bool:
    """Whether a check would refuse an episode for what the profile wants it salvaged in spite of."""
    has_own_word = profile.checks.get(name, CheckSpec()).severity is not None
    if name not in _OF_HOLES or has_own_word or not isinstance(evidence, TimelineEvidence | EpisodeEvidence):
        return False
    return evidence.plan.index.is_salvaged
