"""Stage `episode`: encode, publish, read back, judge."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bagmill.alignment import Timeline
from bagmill.dataset import FeatureReport
from bagmill.disk import files_below
from bagmill.encode import EncodeResult, encode_episode, episode_attributes, signal_attributes, write_ticks
from bagmill.episodes import Episode, EpisodeWriter
from bagmill.errors import StorageError
from bagmill.ingest.fingerprint import Fingerprint, check_unchanged
from bagmill.ingest.request import IngestRequest
from bagmill.plan import FeaturePlan, IngestPlan
from bagmill.quality import CheckResult, EpisodeEvidence, FrameSample, ImageSample, MeasuredFrame, judge
from bagmill.recordings import Recording


@dataclass(frozen=True, slots=True)
class MadeEpisode:
    """A published episode and what making it gave."""

    episode: Episode
    result: EncodeResult
    stored_bytes: int
    """Of all its files."""
    num_threads: int
    """That may work on it."""

    @property
    def num_frames(self) -> int:
        """Of all cameras together."""
        return sum(target.num_encoded for target in self.result.targets.values())

    @property
    def timeline(self) -> Timeline:
        """Less the ticks of damaged messages."""
        return self.result.timeline


def make_episode(
    plan: IngestPlan,
    timeline: Timeline,
    *,
    request: IngestRequest,
    version: str,
    recording: Recording,
    taken: Fingerprint,
    progress: Callable[[int], None] | None,
) -> MadeEpisode:
    """Encode and publish.

    Args:
        plan: What the episode is made of.
        timeline: Its ticks.
        request: Whose episode.
        version: Taken over the content hash of the plan's index.
        recording: The one that was scanned, open.
        taken: The recording's fingerprint when that index was made: a version must hold what its hash says.
        progress: Called with the number of messages read so far.

    Raises:
        RecordingError: The recording cannot be read to its end, or has changed since it was scanned.
        StorageError: The disk does not take it.
    """
    with EpisodeWriter(request.dataset, request.episode, version, replaces=request.is_forced) as writer:
        result = encode_episode(
            plan, timeline, writer, recording=recording, num_threads=request.num_threads_here, progress=progress
        )
        check_unchanged(request.recording, taken)
        write_ticks(writer, result.timeline)
        for feature in plan.features:
            if feature.kind == "signal":
                writer.put_signal(feature.name, result.signals[feature.name], attributes=signal_attributes(feature))
        path = writer.publish(episode_attributes(plan, result, episode=request.episode, version=version))
    stored_bytes = sum(file.stat().st_size for file in files_below(path))
    return MadeEpisode(Episode.open(path), result, stored_bytes, request.num_threads_here)


def judge_episode(plan: IngestPlan, made: MadeEpisode) -> tuple[CheckResult, ...]:
    """The checks of what is stored: every frame in question is read back from the published shards."""
    result = made.result
    with ThreadPoolExecutor(made.num_threads, thread_name_prefix="judge") as pool:
        samples = {name: _samples(made, name, pool) for name in result.targets}
    evidence = EpisodeEvidence(
        plan=plan,
        timeline=result.timeline,
        signals={name: made.episode.signal(name) for name in result.signals},
        samples={name: tuple(filter(None, found)) for name, found in samples.items()},
        num_frames_stored={
            # A sampled frame that cannot be read back is as good as not there.
            name: int(made.episode.stored_ticks(name).sum()) - found.count(None)
            for name, found in samples.items()
        },
        decode_faults=result.faults,
        num_unmeasured=result.num_unmeasured,
        jpeg_warnings={
            name: [frame.warning for frame in target.audit.values() if frame.warning is not None]
            for name, target in result.targets.items()
        },
        num_frames_repeated={name: target.num_repeated for name, target in result.targets.items()},
        num_frames_encoded={name: target.num_encoded for name, target in result.targets.items()},
    )
    return judge("episode", evidence, plan.profile)


def _samples(made: MadeEpisode, name: str, pool: ThreadPoolExecutor) -> list[ImageSample | None]:
    """The audited frames, source beside what the published shard gives back; None for one that cannot be read.

    Where the shard gives back the very bytes that were measured when they were encoded, they are not measured again.
    """
    is_image = made.episode.features[name].kind == "image"

    def sample(tick: int) -> ImageSample | None:
        frame = made.result.targets[name].audit[tick]
        assert frame.source is not None, "kept of every audited frame"
        try:
            if frame.picture is not None:
                stored = made.episode.chunk_bytes(name, tick)
                if stored is not None and bytes(stored) == frame.data:
                    return MeasuredFrame(tick, frame.picture)
            found = FrameSample(tick, source=frame.source, stored=made.episode.frame(name, tick))
        except StorageError as err:
            if isinstance(err.__cause__, OSError):
                raise  # the disk fails: what is stored may well be whole
            return None
        if is_image:
            found.picture  # noqa: B018 - measured here, on this thread: the checks only look at it
        return found

    return list(pool.map(sample, sorted(made.result.targets[name].audit)))


def describe_episode(plan: IngestPlan, made: MadeEpisode) -> dict[str, object]:
    """What is stored, as plain values with units in their keys."""
    num_ticks = made.timeline.num_ticks
    uncompressed = sum(num_ticks * _bytes_per_tick(f.shape, f.dtype.itemsize) for f in plan.features)
    return {
        "path": str(made.episode.path),
        "num_ticks": num_ticks,
        "uncompressed_bytes": uncompressed,
        "stored_bytes": made.stored_bytes,
        "compression_ratio": round(uncompressed / made.stored_bytes, 2),
        "features": [_describe_feature(feature.name, plan, made) for feature in plan.features],
    }


def feature_reports(plan: IngestPlan) -> tuple[FeatureReport, ...]:
    """What the dataset's tables say of the features."""
    return tuple(_feature_report(feature) for feature in plan.features)


def _feature_report(feature: FeaturePlan) -> FeatureReport:
    return FeatureReport(
        name=feature.name,
        kind=feature.kind,
        shape=feature.shape,
        dtype=str(feature.dtype),
        channel=feature.topics,
        names=feature.names,
        named=feature.named,
        units=feature.units,
        scale_m=feature.spec.scale_m if feature.kind == "depth" else None,
    )


def _describe_feature(name: str, plan: IngestPlan, made: MadeEpisode) -> dict[str, object]:
    feature = next(f for f in plan.features if f.name == name)
    said: dict[str, object] = {
        "feature": name,
        "shape": " × ".join(map(str, (made.timeline.num_ticks, *feature.shape))),
        "dtype": str(feature.dtype),
        "num_damaged": made.result.num_damaged(name),
        "num_unmeasured": made.result.num_unmeasured.get(name, 0),
    }
    target = made.result.targets.get(name)
    if target is None:
        return said | {"stored_as": str(feature.dtype), "num_frames": 0, "frame_bytes": 0}
    stored_as = {
        "copy": "JPEG as recorded",
        "420": f"JPEG Q{feature.spec.quality} 4:2:0",
        "444": f"JPEG Q{feature.spec.quality} 4:4:4",
        "lossless": "bit-exact",
    }[target.step]
    frame_bytes = round(target.size_bytes / target.num_encoded) if target.num_encoded else 0
    return said | {"stored_as": stored_as, "num_frames": target.num_encoded, "frame_bytes": frame_bytes}


def _bytes_per_tick(shape: tuple[int, ...], itemsize: int) -> int:
    size = itemsize
    for length in shape:
        size *= length
    return size
