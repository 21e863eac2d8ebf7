"""What an export wrote, and what it lost on the way."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bagmill.dataset.json_records import to_json
from bagmill.dataset.whole_file import write_whole
from bagmill.quality.fidelity import MAX_PSNR_DB

REPORT_FILE: Final = "bagmill_export.json"
_SCHEMA: Final = "bagmill-export-1"


@dataclass(frozen=True, slots=True)
class ExportedFeature:
    """One feature, over all exported episodes."""

    feature: str
    written_as: str | None
    """Its name in the export; None: it is not in there."""
    why_not: str | None
    """Where it is not."""
    num_ticks: int
    num_invalid: int
    """Ticks without a value, at which a neighbour's stands."""
    num_interpolated: int
    """Ticks whose value was made from two messages."""
    skew_p99_ms: float
    """Distance of messages from their ticks: the largest 99th percentile of an episode; nan where not valid anywhere."""
    dtype: str | None
    """In the episodes."""
    written_dtype: str | None
    largest_change: float
    """Of a number by its new dtype; 0 where it has the old one."""
    num_not_finite: int
    """Numbers that are infinite or nan, among those written."""
    psnr_db: PictureLoss | None
    """Of pictures: what was written, read back, against the episode's."""


@dataclass(frozen=True, slots=True)
class PictureLoss:
    """How far pictures that were read back from the export are from the episode's; over R, G and B together."""

    num_compared: int
    median: float
    """dB; 100 where they are equal."""
    worst: float
    worst_at: str
    """Episode and tick."""


@dataclass(frozen=True, slots=True)
class ExportedEpisode:
    """Which episode of the dataset is which one of the export."""

    index: int
    episode: str
    version: str
    num_ticks: int


@dataclass(frozen=True, slots=True)
class SkippedEpisode:
    """An episode of the selection that was not written."""

    episode: str
    version: str
    reason: str


@dataclass(frozen=True, slots=True)
class ExportReport:
    """An export that was written."""

    layout: str
    """Name and version of the format."""
    path: str
    dataset: str
    """With `snapshot` and `where`: where it came from, and how to write it again."""
    snapshot: str
    where: str | None
    rate_hz: str
    settings: Mapping[str, object]
    num_ticks: int
    size_bytes: int
    """Of all files but this one."""
    features: tuple[ExportedFeature, ...]
    losses: tuple[str, ...]
    """What the episodes hold and the export does not, one sentence each."""
    notes: tuple[str, ...]
    """What the episodes could not be compared in, one sentence each."""
    episodes: tuple[ExportedEpisode, ...]
    skipped: tuple[SkippedEpisode, ...]


def save_report(report: ExportReport, folder: Path) -> None:
    """Write it into the export's folder.

    Raises:
        StorageError: The disk does not take it.
    """
    # Indented: people open it, and there is one.
    content = json.loads(to_json(report, schema=_SCHEMA, is_sealed=False))
    write_whole(folder / REPORT_FILE, json.dumps(content, indent=2).encode("ascii") + b"\n")


def folder_bytes(folder: Path) -> int:
    """Size of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _psnr_text(psnr_db: float) -> str:
    return "exact" if psnr_db >= MAX_PSNR_DB else f"{psnr_db:.1f} dB"


def common_losses(features: tuple[ExportedFeature, ...], *, has_facts: bool) -> list[str]:
    """The losses that any format may have, as sentences.

    Args:
        features: Of the export.
        has_facts: Whether it holds what describes the ticks: stamps, masks, message numbers.
    """
    losses = []
    for each in features:
        if each.written_as is None:
            losses.append(f"{each.feature} is not in the export: {each.why_not}.")
            continue
        if each.num_invalid:
            losses.append(
                f"{each.feature}: {each.num_invalid:,} of {each.num_ticks:,} ticks have no value of their own; "
                "the last valid one stands there."
            )
        if each.written_dtype not in (None, each.dtype):
            losses.append(
                f"{each.feature} is written as {each.written_dtype}, not {each.dtype}: "
                f"numbers change by {each.largest_change:.3g} at most."
            )
        if each.psnr_db is not None and each.psnr_db.worst < MAX_PSNR_DB:
            losses.append(
                f"{each.feature} is compressed once more: PSNR {_psnr_text(each.psnr_db.median)} in the median, "
                f"{each.psnr_db.worst:.1f} dB at worst."
            )
    written = [each for each in features if each.written_as is not None]
    if not has_facts and written:
        skews = [each.skew_p99_ms for each in written if not math.isnan(each.skew_p99_ms)]
        losses.append(
            "True time stamps are not in the export, the regular grid is: messages lie up to "
            f"{max(skews, default=0.0):.3g} ms (99th percentile) from it."
        )
        losses.append("Message numbers, by which a tick is traced back to the recording, are not in the export.")
        if num := sum(each.num_interpolated for each in written):
            losses.append(f"Which {num:,} values were interpolated is not told in the export.")
    return losses
