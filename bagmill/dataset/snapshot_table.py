"""Reports → the columns of a snapshot."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa

from bagmill.dataset.feature_facts import Facts, is_described, plain_named, plain_units, with_stored_facts
from bagmill.dataset.folder import Dataset
from bagmill.dataset.report import FeatureReport
from bagmill.dataset.report_summary import ReportSummary
from bagmill.profile_numbers import parse_fraction

QUALITY_PREFIX = "quality."


def _rate(text: str) -> float | None:
    return float(parse_fraction(text)) if text else None


def _features(row: ReportSummary, episode: Path) -> str:
    facts = {item.name: _facts(item) for item in row.features}
    if not all(map(is_described, facts.values())):
        # Of a report that was written before it said names, units and scales.
        facts = with_stored_facts(facts, episode)
    return json.dumps(facts)


def _facts(item: FeatureReport) -> Facts:
    said: Facts = {"kind": item.kind, "shape": item.shape, "dtype": item.dtype}
    if item.kind == "signal" and item.names:
        said |= {"names": item.names, **plain_named(item.named), "units": plain_units(item.units)}
    if item.kind == "depth" and item.scale_m is not None:
        said["scale_m"] = item.scale_m
    return said


def _legible(path: str) -> str:
    # A name that is not UTF-8 cannot stand in a Parquet file as it is.
    return os.fsencode(path).decode("utf-8", "backslashreplace")


_Column = tuple[str, pa.DataType, Callable[[ReportSummary], object]]
_COLUMNS: tuple[_Column, ...] = (
    ("num_ticks", pa.int64(), lambda row: row.num_ticks),
    ("num_frames", pa.int64(), lambda row: row.num_frames),
    ("duration_s", pa.float64(), lambda row: row.duration_ns / 1e9),
    ("start_ns", pa.int64(), lambda row: row.start_ns),
    ("rate_hz", pa.float64(), lambda row: _rate(row.rate_hz)),
    ("task", pa.string(), lambda row: row.task),
    ("robot", pa.string(), lambda row: row.robot),
    ("profile", pa.string(), lambda row: row.profile),
    ("recording_path", pa.string(), lambda row: _legible(row.recording_path)),
    ("recording_hash", pa.string(), lambda row: row.recording_hash),
    ("raw_bytes", pa.int64(), lambda row: row.raw_bytes),
    ("stored_bytes", pa.int64(), lambda row: row.stored_bytes),
    ("is_salvaged", pa.bool_(), lambda row: row.is_salvaged),
    ("num_messages_lost", pa.int64(), lambda row: row.num_messages_lost),
    ("lost_s", pa.float64(), lambda row: row.lost_s),
)


def snapshot_table(dataset: Dataset, rows: Sequence[ReportSummary]) -> pa.Table:
    """A table sorted by episode: names and version, path below the dataset's folder, sizes and times, quality.

    Column `features` is JSON, `{name: {kind, shape, dtype, …}}`, with what `feature_facts` has. A metric that was not
    measured on an episode is null in `quality.<metric>`; it is its worst value over all subjects elsewhere.
    """
    rows = sorted(rows, key=lambda row: row.episode)
    folders = [dataset.episode_path(row.episode, row.version) for row in rows]
    paths = [folder.relative_to(dataset.path).as_posix() for folder in folders]
    columns: dict[str, pa.Array] = {
        "episode": pa.array([row.episode for row in rows], pa.string()),
        "version": pa.array([row.version for row in rows], pa.string()),
        "path": pa.array(paths, pa.string()),
    }
    for name, kind, value_of in _COLUMNS:
        columns[name] = pa.array([value_of(row) for row in rows], kind)
    columns["features"] = pa.array(list(map(_features, rows, folders)), pa.string())
    metrics = sorted({metric for row in rows for metric in row.quality})
    for metric in metrics:
        values = [row.quality.get(metric) for row in rows]
        columns[f"{QUALITY_PREFIX}{metric}"] = pa.array(values, pa.float64(), from_pandas=True)
    return pa.table(columns)
