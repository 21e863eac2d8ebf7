"""Published episodes without a recording behind them: what a training run meets, of any length, size and validity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bagmill.alignment.ticks import make_ticks
from bagmill.codecs import encode_depth, encode_jpeg
from bagmill.dataset import Dataset, EpisodeReport, FeatureReport, StageReport, save_report
from bagmill.dataset.feature_facts import numbered_names, plain_units, units_of
from bagmill.episodes import EpisodeWriter
from bagmill.profile import feature_kind
from bagmill.quality.metric import CheckResult, Measurement
from bagmill.testing.content import START_NS

_SKEW_LIMIT_MS = 20.0
_SCALE_M = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedEpisode:
    """What an episode holds; every array has one row a tick."""

    name: str
    num_ticks: int
    rate_hz: Fraction = Fraction(30)
    robot: str = "arm"
    task: str = "wave"
    values: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """By feature: images (T, H, W, 3) uint8, depth (T, H, W) uint16, signals (T, D) float."""
    valid: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    """By feature, (T,); where one has none, all ticks are. Frames are stored for valid ticks only, signals are nan elsewhere."""
    skew_ns: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    """By feature, (T,); where one has none, 0."""
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By signal, the names of its columns; where one has none, they are numbered places."""
    units: Mapping[str, str | Sequence[str | None]] = field(default_factory=dict)
    """By signal, of all columns or one each; where one has none, none is said."""
    scale_m: Mapping[str, float] = field(default_factory=dict)
    """By depth feature; where one has none, 0.001."""
    quality: int = 95
    """Of the JPEGs."""
    subsampling: Literal["420", "444"] = "444"
    """Of their chroma."""


def publish_episode(dataset: Dataset, episode: PublishedEpisode, *, version: str = "0" * 20) -> Path:
    """Write an episode and its report, so that a snapshot takes it.

    Returns:
        The episode's folder.
    """
    rate_hz, num_ticks = episode.rate_hz, episode.num_ticks
    time_ns = make_ticks(START_NS, START_NS + round((num_ticks - 0.5) / rate_hz * 1_000_000_000), rate_hz=rate_hz)
    reports, num_frames = [], 0
    with EpisodeWriter(dataset.path, episode.name, version) as writer:
        writer.put_array("time", time_ns)
        for name, values in episode.values.items():
            is_valid = episode.valid.get(name, np.ones(num_ticks, np.bool_))
            _put(writer, name, values, is_valid, episode)
            skew_ns = np.where(is_valid, episode.skew_ns.get(name, np.zeros(num_ticks, np.int64)), 0)
            writer.put_array(f"valid/{name}", is_valid)
            writer.put_array(f"interpolated/{name}", np.zeros(num_ticks, np.bool_))
            writer.put_array(f"source/{name}", time_ns + skew_ns)
            writer.put_array(f"sequence/{name}", np.where(is_valid, np.arange(num_ticks), -1))
            kind = feature_kind(name)
            num_frames += int(is_valid.sum()) if kind != "signal" else 0
            reports.append(_report(name, values, episode))
        path = writer.publish({"episode": episode.name, "rate_hz": str(rate_hz)})
    worst_ms = max((float(np.abs(skew).max()) / 1e6 for skew in episode.skew_ns.values()), default=0.0)
    report = EpisodeReport(
        episode=episode.name,
        version=version,
        recording_path=f"/recordings/{episode.name}",
        profile="small",
        requested_ns=START_NS,
        recording_hash=f"xxh3_128:{int.from_bytes(episode.name.encode()[-16:], 'big'):032x}",
        container="mcap",
        task=episode.task,
        robot=episode.robot,
        rate_hz=str(rate_hz),
        num_ticks=num_ticks,
        start_ns=START_NS,
        duration_ns=int(time_ns[-1] - time_ns[0]),
        num_frames=num_frames,
        raw_bytes=sum(values.nbytes for values in episode.values.values()),
        stored_bytes=sum(file.stat().st_size for file in path.rglob("*") if file.is_file()),
        features=tuple(reports),
        stages=(StageReport("timeline", 0.1, {}, (_skew_check(worst_ms),)),),
    )
    save_report(dataset, report)
    return path


def _report(name: str, values: NDArray[Any], episode: PublishedEpisode) -> FeatureReport:
    kind = feature_kind(name)
    shape = values.shape[1:]
    is_signal = kind == "signal"
    return FeatureReport(
        name=name,
        kind=kind,
        shape=shape,
        dtype=values.dtype.name,
        channel=f"/{name}",
        names=_names(name, values, episode) if is_signal else (),
        named=(name in episode.names,) * shape[0] if is_signal else (),
        units=units_of(episode.units.get(name), shape[0]) if is_signal else (),
        scale_m=episode.scale_m.get(name, _SCALE_M) if kind == "depth" else None,
    )


def _names(name: str, values: NDArray[Any], episode: PublishedEpisode) -> tuple[str, ...]:
    return tuple(episode.names.get(name) or numbered_names(name, values.shape[1]))


def _put(
    writer: EpisodeWriter, name: str, values: NDArray[Any], is_valid: NDArray[np.bool_], episode: PublishedEpisode
) -> None:
    kind = feature_kind(name)
    if kind == "signal":
        attributes = {
            "names": list(_names(name, values, episode)),
            "is_named": name in episode.names,
            "units": plain_units(units_of(episode.units.get(name), values.shape[1])),
        }
        stored = np.where(is_valid[:, None], values, np.nan).astype(values.dtype)
        writer.put_signal(name, stored, attributes=attributes)
        return
    num_ticks, height, width = values.shape[:3]
    if kind == "depth":
        attributes = {"scale_m": episode.scale_m.get(name, _SCALE_M)}
        sink = writer.add_depth(name, num_ticks=num_ticks, height=height, width=width, attributes=attributes)
    else:
        sink = writer.add_images(
            name,
            num_ticks=num_ticks,
            height=height,
            width=width,
            step=episode.subsampling,
            quality=episode.quality,
        )
    for tick in np.flatnonzero(is_valid).tolist():
        frame = values[tick]
        sink.put(
            tick,
            encode_depth(frame)
            if kind == "depth"
            else encode_jpeg(frame, quality=episode.quality, subsampling=episode.subsampling),
        )


def _skew_check(worst_ms: float) -> CheckResult:
    return CheckResult(
        name="skew",
        stage="timeline",
        unit="ms",
        direction="lower",
        threshold=_SKEW_LIMIT_MS,
        severity="warn",
        description="How far messages lie from their ticks.",
        measurements=(Measurement("all", worst_ms, ""),),
        failed_subjects=(),
    )
