"""What an episode says of itself, and what its report says of it, as plain facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bagmill.cli.episode_paths import dataset_of
from bagmill.dataset import EpisodeReport, HeldFeature, load_report, stored_features
from bagmill.episodes import Episode
from bagmill.episodes.metadata import read_root_metadata
from bagmill.errors import StorageError
from bagmill.messages import DecodeFault
from bagmill.quality import CheckResult


@dataclass(frozen=True, slots=True)
class FeatureFacts:
    """One feature, as it is stored and as it was aligned."""

    name: str
    shape: tuple[int, ...]
    """With the ticks."""
    dtype: str
    chunk_shape: tuple[int, ...]
    shard_shape: tuple[int, ...] | None
    """None where its chunks are files."""
    stored_as: str
    stored_bytes: int
    channel: str
    clock: str
    rule: str
    valid_percent: float
    interpolated_percent: float
    names: tuple[str, ...]
    """Signals: of the columns; empty where the episode does not say."""
    named: tuple[bool, ...]
    """Signals: whether a column's name is its own, as that of a joint; else it numbers a place."""
    units: tuple[str | None, ...]
    """Signals: of every column; empty where the episode does not say."""
    scale_m: float | None
    """Depth: metres that a count is."""
    skew_ms: tuple[float, float, float]
    """|source stamp − tick| of valid ticks: median, 99th percentile, largest; nan where no tick is valid."""
    decode_faults: tuple[DecodeFault, ...]
    """Why messages of it could not be read."""


@dataclass(frozen=True, slots=True)
class EpisodeFacts:
    """One version of an episode."""

    path: Path
    episode: str
    version: str
    num_ticks: int
    rate_hz: str
    start_ns: int
    duration_ns: int
    stored_bytes: int
    robot: str
    task: str
    profile: str
    recording: Mapping[str, Any]
    """As the episode's attributes have it; with its path where a report is there."""
    faults: tuple[tuple[str, int], ...]
    """Text, and how many faults it tells of."""
    features: tuple[FeatureFacts, ...]
    checks: tuple[CheckResult, ...]
    """Of all stages; empty without a report."""


def episode_facts(path: Path) -> EpisodeFacts:
    """Gather an episode's facts; frames are not decoded.

    Raises:
        StorageError: It is no episode, or damaged.
    """
    episode = Episode.open(path)
    attributes, arrays = read_root_metadata(path)
    report = _report(path)
    time_ns = episode.time_ns
    said = attributes.get("recording", {})
    recording = dict(said) if isinstance(said, dict) else {"container": said}
    if report is not None:
        recording["path"] = report.recording_path
    of_features = attributes.get("features", {})
    return EpisodeFacts(
        path=path,
        episode=str(attributes.get("episode", path.absolute().parent.name)),
        version=str(attributes.get("version", path.stem)),
        num_ticks=episode.num_ticks,
        rate_hz=str(attributes.get("rate_hz", "?")),
        start_ns=int(time_ns[0]) if episode.num_ticks else 0,
        duration_ns=int(time_ns[-1] - time_ns[0]) if episode.num_ticks else 0,
        stored_bytes=_size_bytes(path),
        robot=str(attributes.get("robot", "")),
        task=str(attributes.get("task", "")),
        profile=str(attributes.get("profile", {}).get("name", "?")),
        recording=recording,
        faults=tuple(
            (f"{fault['severity']}: {fault['message']}", fault.get("num_untold", 0) or 1)
            for fault in attributes.get("faults", ())
        ),
        features=tuple(
            _feature_facts(episode, held, metadata=arrays[name], said=of_features.get(name, {}))
            for name, held in stored_features(episode).items()
        ),
        checks=report.checks if report is not None else (),
    )


def facts_json(facts: EpisodeFacts) -> dict[str, object]:
    """The same as plain values, units in the keys."""
    plain = asdict(facts)
    for feature in plain["features"]:
        p50, p99, largest = feature.pop("skew_ms")
        feature |= {"skew_p50_ms": p50, "skew_p99_ms": p99, "skew_max_ms": largest}
    for check, judged in zip(plain["checks"], facts.checks, strict=True):
        check |= {"worst": judged.worst, "is_passed": judged.is_passed}
    return plain


def _percent(is_so: NDArray[np.bool_]) -> float:
    """How many of an episode's ticks; nan of none."""
    return 100 * float(np.mean(is_so)) if len(is_so) else float("nan")


def _feature_facts(
    episode: Episode, held: HeldFeature, *, metadata: Mapping[str, Any], said: Mapping[str, Any]
) -> FeatureFacts:
    name = held.name
    is_valid = episode.valid(name)
    skew_ms = np.abs(episode.skew_ns(name)[is_valid]) / 1e6
    p50, p99, largest = np.percentile(skew_ms, (50, 99, 100)).tolist() if len(skew_ms) else (float("nan"),) * 3
    chunk_shape, shard_shape, codecs = _storage(metadata)
    return FeatureFacts(
        name=name,
        shape=(episode.num_ticks, *held.shape),
        dtype=str(held.dtype),
        chunk_shape=chunk_shape,
        shard_shape=shard_shape,
        stored_as=_stored_as(said.get("codec"), codecs),
        stored_bytes=_size_bytes(episode.path / name),
        channel=_of_parts(said, "channel"),
        clock=_of_parts(said, "clock"),
        rule=_of_parts(said, "rule"),
        valid_percent=_percent(is_valid),
        interpolated_percent=_percent(episode.interpolated(name)),
        names=held.names,
        named=held.named,
        units=held.units,
        scale_m=held.scale_m,
        skew_ms=(p50, p99, largest),
        decode_faults=_decode_faults(said),
    )


def _decode_faults(said: Mapping[str, Any]) -> tuple[DecodeFault, ...]:
    try:
        return tuple(DecodeFault(**fault) for fault in said.get("decode_faults", ()))
    except TypeError as err:
        raise StorageError(
            "the episode's metadata are damaged", remedy="`bagmill verify` lists what is damaged"
        ) from err


def _storage(metadata: Mapping[str, Any]) -> tuple[tuple[int, ...], tuple[int, ...] | None, list[str]]:
    """(chunk shape, shard shape, codec names) of an array's metadata."""
    try:
        chunk_shape = tuple(metadata["chunk_grid"]["configuration"]["chunk_shape"])
        codecs = metadata["codecs"]
        if codecs[0]["name"] != "sharding_indexed":
            return chunk_shape, None, [codec["name"] for codec in codecs]
        inner = codecs[0]["configuration"]
        return tuple(inner["chunk_shape"]), chunk_shape, [codec["name"] for codec in inner["codecs"]]
    except (KeyError, IndexError, TypeError) as err:
        raise StorageError("an array's metadata are damaged", remedy="`bagmill verify` lists what is damaged") from err


def _stored_as(codec: Mapping[str, Any] | None, codecs: list[str]) -> str:
    step = (codec or {}).get("step")
    if step == "copy":
        return "JPEG as recorded"
    if step in ("420", "444"):
        return f"JPEG Q{(codec or {}).get('quality')} {':'.join(step)}"
    return " + ".join(codecs)


def _report(path: Path) -> EpisodeReport | None:
    dataset = dataset_of(path)
    if dataset is None:
        return None
    try:
        return load_report(dataset, path.absolute().parent.name, version=path.stem)
    except StorageError:
        return None  # lost or damaged: the episode stands without it


def _size_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _of_parts(said: Mapping[str, Any], key: str) -> str:
    """What a feature says of itself, or each of its parts where they differ."""
    parts = said.get("parts") or [said]
    return ", ".join(dict.fromkeys(str(part.get(key, "?")) for part in parts))
