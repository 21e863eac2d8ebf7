"""Asset checks, made from the library's metrics: one a metric, on the asset of its stage."""

from __future__ import annotations

import warnings

import dagster as dg

from assets.metadata import Metadata, shown, table, with_unit
from assets.partitions import EPISODES
from assets.telling import Target
from bagmill.cli.wording import number_text
from bagmill.quality import METRICS, CheckResult, Measurement, Metric, Stage


def check_specs() -> list[dg.AssetCheckSpec]:
    """One check for every metric there is; a profile may switch it off, or to another severity, for its episodes."""
    with warnings.catch_warnings():
        # Partitioned checks are marked as preview: Dagster's version is pinned, and the deployment's tests would tell.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [_spec(METRICS[name]) for name in METRICS]


def check_key(stage: Stage, name: str) -> dg.AssetCheckKey:
    """The key of a metric's check."""
    return dg.AssetCheckKey(dg.AssetKey(stage), name)


def evaluation(result: CheckResult, *, episode: str, target: Target | None) -> dg.AssetCheckEvaluation:
    """What a check said of one episode.

    Args:
        result: What it said.
        episode: The partition.
        target: The materialisation it speaks of.
    """
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(result.stage),
        check_name=result.name,
        passed=result.is_passed,
        partition=episode,
        severity=dg.AssetCheckSeverity.ERROR if result.severity == "error" else dg.AssetCheckSeverity.WARN,
        description=_sentence(result),
        metadata=_metadata(result),
        target_materialization_data=target,
        blocking=result.severity == "error",
    )


def not_measured(
    key: dg.AssetCheckKey, *, episode: str, why: str, target: Target | None = None
) -> dg.AssetCheckEvaluation:
    """A check that had nothing to say about an episode, and why.

    Told nothing, Dagster counts a check as broken in every run that ends as failed, for whatever reason: one refused episode
    would turn all checks red. It has no third verdict, so this one is "passed", without a number, and says that it was
    not measured. What ended the episode's way is the check that failed, the partition that failed, and the quarantine.
    """
    return dg.AssetCheckEvaluation(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=True,
        partition=episode,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"not measured: {why}",
        metadata={"is_measured": False},
        target_materialization_data=target,
        blocking=False,
    )


def _spec(metric: Metric) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        metric.name,
        asset=dg.AssetKey(metric.stage),
        description=metric.description,
        blocking=metric.severity == "error",
        partitions_def=EPISODES,
        metadata=shown(
            {
                with_unit("default_threshold", metric.unit): metric.threshold,
                "better": metric.direction,
                "default_severity": metric.severity,
            }
        ),
    )


def _metadata(result: CheckResult) -> Metadata:
    metadata = shown(
        {
            with_unit("worst", result.unit): round(result.worst, 4),
            with_unit("threshold", result.unit): result.threshold,
            "better": result.direction,
        }
    )
    if result.measurements:
        is_noted = any(measurement.note for measurement in result.measurements)
        metadata["measurements"] = table([_row(each, result, is_noted=is_noted) for each in result.measurements])
    return metadata


def _row(measurement: Measurement, result: CheckResult, *, is_noted: bool) -> dict[str, object]:
    return {
        "subject": measurement.subject,
        result.unit: round(measurement.value, 4),
        "passed": measurement.subject not in result.failed_subjects,
    } | ({"note": measurement.note} if is_noted else {})


def _sentence(result: CheckResult) -> str:
    if result.threshold is None:
        return f"measured, not judged: worst {number_text(result.worst, result.unit)}"
    bound = "at least" if result.direction == "higher" else "at most"
    asked = f"{bound} {number_text(result.threshold, result.unit)} asked"
    if result.is_passed:
        return f"worst {number_text(result.worst, result.unit)}, {asked}"
    failed = [m for m in result.measurements if m.subject in result.failed_subjects]
    told = ", ".join(f"{m.subject} {number_text(m.value, result.unit)}" for m in failed[:4])
    more = f" and {len(failed) - 4} more" if len(failed) > 4 else ""
    return f"{told}{more}; {asked}"
