"""What an episode says of itself: provenance, profile, codec decisions and clocks, as the root attributes of its Zarr group."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from bagmill.encode.episode import EncodeResult
from bagmill.plan import FeaturePlan, IngestPlan, PartPlan
from bagmill.recordings.losses import Losses
from bagmill.streams import NO_STAMP, estimate_clock


def episode_attributes(plan: IngestPlan, result: EncodeResult, *, episode: str, version: str) -> dict[str, Any]:
    """Plain JSON values; nothing of where or when the episode was made, so that the same input gives the same bytes."""
    index = plan.index
    return {
        "episode": episode,
        "version": version,
        "task": plan.profile.task,
        "robot": plan.profile.robot,
        "rate_hz": str(plan.profile.rate_hz),
        "recording": {
            "container": index.container,
            "content_hash": index.content_hash,
            "size_bytes": index.size_bytes,
            "num_messages": index.num_messages_from_scan,
        },
        "profile": plan.profile.canonical(),
        "features": {feature.name: _of_feature(feature, plan, result) for feature in plan.features},
        "omitted_features": list(plan.omitted),
        **({"salvage": _of_losses(index.losses)} if index.is_salvaged else {}),
        "faults": [fault.as_plain() for fault in index.faults],
    }


def _of_losses(losses: Losses) -> dict[str, Any]:
    """What is missing of the recording that the episode was made from."""
    return {
        "is_salvaged": True,
        "num_messages_lost": losses.num_messages,
        "lost_s": losses.seconds,
        "losses": [asdict(loss) for loss in losses.entries],
    }


def _of_feature(feature: FeaturePlan, plan: IngestPlan, result: EncodeResult) -> dict[str, Any]:
    said: dict[str, Any] = {
        "kind": feature.kind,
        **_of_part(feature.parts[0], plan),
        "num_damaged_messages": result.num_damaged(feature.name),
        "decode_faults": [asdict(fault) for fault in result.faults[feature.name]],
    }
    if feature.kind == "signal":
        return said | {
            **signal_attributes(feature),
            "num_unmeasured_messages": result.num_unmeasured[feature.name],
            "parts": [
                {"label": part.label, "columns": list(part.columns), **_of_part(part, plan)} for part in feature.parts
            ],
        }
    if feature.kind == "depth":
        return said | {"scale_m": feature.spec.scale_m, "codec": {"step": "lossless"}}
    step = result.targets[feature.name].step
    codec: dict[str, Any] = {"step": step}
    if step in ("420", "444"):
        codec |= {"quality": feature.spec.quality, "subsampling": step}
    return said | {"codec": codec}


def signal_attributes(feature: FeaturePlan) -> dict[str, Any]:
    """What the columns of a signal are, as attributes of its array."""
    units = set(feature.units)
    by_column = {} if len({*feature.named}) <= 1 else {"named": list(feature.named)}
    return {
        "names": list(feature.names),
        "is_named": feature.is_named,
        **by_column,
        "units": feature.units[0] if len(units) == 1 else list(feature.units),
    }


def _of_part(part: PartPlan, plan: IngestPlan) -> dict[str, Any]:
    said: dict[str, Any] = {
        "channel": part.channel.topic,
        "schema": part.channel.schema_name,
        "clock": part.clock,
        "clock_estimate": _clock_estimate(part, plan),
        "rule": part.rule,
        "tolerance_ns": part.tolerance_ns,
    }
    if part.field:
        said["field"] = part.spec.field
    if part.stamp is not None:
        said["stamp"] = part.stamp.model_dump()
        if part.stamp.epoch == "boot":
            said["stamp"]["offset_ns"] = plan.index.boot_offset_ns
    return said


def _clock_estimate(part: PartPlan, plan: IngestPlan) -> dict[str, float | None] | None:
    """Log against header time of the feature's channel; None where its messages carry no stamps."""
    stream = plan.stream_of(part)
    header_ns = plan.index.stamps_of(stream, "header", part.stamp)[part.rows]
    if np.any((header_ns == NO_STAMP) | (header_ns == 0)):
        return None
    clock = estimate_clock(header_ns, stream.log_time_ns[part.rows])
    return {
        "offset_ns": clock.offset_ns,
        "drift_ppm": clock.drift_ppm,
        "latency_p50_ns": clock.latency_p50_ns,
        "latency_p99_ns": clock.latency_p99_ns,
    }
