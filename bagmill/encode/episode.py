"""A plan and its timeline → the episode's arrays, a step finer for every camera whose audit asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bagmill.alignment import Timeline
from bagmill.codecs.policy import CodecStep, finer, first_step
from bagmill.encode.audit import is_faithful
from bagmill.encode.damage import without_messages
from bagmill.encode.frames import frame_encoder
from bagmill.encode.linear_pass import FrameTarget, run_pass
from bagmill.encode.schedule import FrameSchedule, audited_ticks
from bagmill.encode.signals import SignalCollector, signal_values
from bagmill.episodes.writer import EpisodeWriter
from bagmill.messages import DecodeFault, DecodeFaults
from bagmill.plan import FeaturePlan, IngestPlan
from bagmill.quality import resolve_checks
from bagmill.recordings import Recording
from bagmill.streams import mixed_pictures


@dataclass(frozen=True, slots=True)
class EncodeResult:
    """What the encode pass leaves besides the bytes in the writer's shards."""

    timeline: Timeline
    """Less the ticks that messages without a value would have fed."""
    signals: Mapping[str, NDArray[np.floating]]
    """Feature → values (T, D) to be stored; nan where not valid."""
    targets: Mapping[str, FrameTarget]
    """Image or depth feature → how its frames were stored in the end, and what was counted on the way."""
    faults: Mapping[str, tuple[DecodeFault, ...]]
    """Feature → why messages could not be decoded; empty where all could."""
    num_unmeasured: Mapping[str, int]
    """Signal → messages that say "not measured"."""

    def num_damaged(self, name: str) -> int:
        """Messages of a feature that could not be decoded."""
        return sum(fault.num_messages for fault in self.faults[name])


def encode_episode(
    plan: IngestPlan,
    timeline: Timeline,
    writer: EpisodeWriter,
    *,
    recording: Recording,
    num_threads: int,
    progress: Callable[[int], None] | None = None,
) -> EncodeResult:
    """Fill an episode writer with everything but the attributes.

    Args:
        plan: What the episode is made of.
        timeline: Its ticks.
        writer: Open; not published here.
        recording: The one that the plan's index is of, open.
        num_threads: Threads that encode.
        progress: Called with the number of messages read so far.

    Raises:
        RecordingError: The recording cannot be read to its end.
        StorageError: The disk does not take it.
    """

    def follow(targets: Sequence[FrameTarget], collectors: Sequence[SignalCollector]) -> None:
        run_pass(recording, targets, collectors, num_threads=num_threads, progress=progress)

    collectors = [
        SignalCollector(
            feature,
            part,
            timeline.of_part(feature.name, part.label),
            num_messages=plan.stream_of(part).num_messages,
        )
        for feature in plan.features
        if feature.kind == "signal"
        for part in feature.parts
    ]
    targets = {
        feature.name: _open_target(feature, _first_step(feature), plan=plan, timeline=timeline, writer=writer)
        for feature in plan.features
        if feature.kind != "signal"
    }
    follow(list(targets.values()), collectors)
    checks = resolve_checks(plan.profile)
    while again := {
        name: step
        for name, target in targets.items()
        if (step := finer(target.step)) is not None and not is_faithful(target, checks)
    }:
        for name, step in again.items():
            writer.discard_frames(name)
            targets[name] = _open_target(targets[name].feature, step, plan=plan, timeline=timeline, writer=writer)
        follow([targets[name] for name in again], [])

    faults = {(name, ""): target.faults for name, target in targets.items()}
    faults |= {(collector.feature.name, collector.part.label): collector.faults for collector in collectors}
    unmeasured = {(collector.feature.name, collector.part.label): collector.unmeasured for collector in collectors}
    lost = {key: found.sequences + unmeasured.get(key, []) for key, found in faults.items()}
    whole = without_messages(timeline, lost)
    signals = {
        name: signal_values([each for each in collectors if each.feature.name == name], whole)
        for name in dict.fromkeys(collector.feature.name for collector in collectors)
    }
    return EncodeResult(
        timeline=whole,
        signals=signals,
        targets=targets,
        faults={feature.name: _grouped(feature, faults, plan) for feature in plan.features},
        num_unmeasured=_count(unmeasured),
    )


def _grouped(
    feature: FeaturePlan, faults: Mapping[tuple[str, str], DecodeFaults], plan: IngestPlan
) -> tuple[DecodeFault, ...]:
    return tuple(
        fault
        for part in feature.parts
        for fault in faults[feature.name, part.label].grouped(
            plan.stream_of(part).log_time_ns, channel=part.channel.topic
        )
    )


def _count(messages: Mapping[tuple[str, str], Sequence[int]]) -> dict[str, int]:
    """Feature → messages of all its parts."""
    counts: dict[str, int] = {}
    for (name, _), sequences in messages.items():
        counts[name] = counts.get(name, 0) + len(sequences)
    return counts


def _first_step(feature: FeaturePlan) -> CodecStep:
    if feature.kind == "depth":
        return "lossless"
    return first_step(feature.spec.subsampling, height=feature.shape[0], is_jpeg_source=feature.is_jpeg_source)


def _open_target(
    feature: FeaturePlan, step: CodecStep, *, plan: IngestPlan, timeline: Timeline, writer: EpisodeWriter
) -> FrameTarget:
    aligned = timeline.features[feature.name]
    height, width = feature.shape[:2]
    if feature.kind == "depth":
        sink = writer.add_depth(
            feature.name,
            num_ticks=timeline.num_ticks,
            height=height,
            width=width,
            attributes={"scale_m": feature.spec.scale_m},
        )
    else:
        sink = writer.add_images(
            feature.name,
            num_ticks=timeline.num_ticks,
            height=height,
            width=width,
            step=step,
            quality=feature.spec.quality,
        )
    return FrameTarget(
        feature=feature,
        step=step,
        schedule=FrameSchedule.of(aligned, num_messages=plan.stream_of(feature).num_messages),
        encode=frame_encoder(feature, step, mixed=mixed_pictures(plan.stream_of(feature))),
        sink=sink,
        audited=audited_ticks(aligned, num_frames=plan.profile.audit_frames),
    )
