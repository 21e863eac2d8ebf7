"""What can be made again is made again: from the recording, from the episode, from the other files of the dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from bagmill.dataset import LATEST, Dataset, make_snapshot, resolve_name
from bagmill.dataset.kept_snapshots import list_snapshots
from bagmill.dataset.leftovers import remove_leftover
from bagmill.dataset.snapshot_file import curation_of, read_table
from bagmill.dataset.snapshot_names import point
from bagmill.dataset.whole_file import remove_file
from bagmill.errors import BagmillError, StorageError
from bagmill.health.cannot_mend import CannotMendError
from bagmill.health.finding import Finding, Kind
from bagmill.health.pictures import draw_again
from bagmill.health.reingest import ingest_again

Outcome = Literal["mended", "can be mended", "left"]


@dataclass(frozen=True, slots=True)
class Mended:
    """What became of a finding."""

    finding: Finding
    outcome: Outcome
    how: str
    """What was done, would be done, or why nothing can be, as a clause."""


def repair(
    dataset: Dataset,
    findings: Iterable[Finding],
    *,
    is_applied: bool,
    recordings: Mapping[str, Path] | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[Mended]:
    """Mend what can be mended, or say how it would be.

    Args:
        dataset: Whose.
        findings: Of `verify_dataset`.
        is_applied: False: change nothing.
        recordings: Episode → where its recording lies, where the dataset may not know.
        progress: Called with the number of findings dealt with.
    """
    outcomes = []
    job = _Job(dataset, recordings or {})
    for done, finding in enumerate(findings, 1):
        outcomes.append(_deal_with(job, finding, is_applied=is_applied))
        if progress is not None:
            progress(done)
    return outcomes


@dataclass(frozen=True, slots=True)
class _Job:
    dataset: Dataset
    recordings: Mapping[str, Path]


def _deal_with(job: _Job, finding: Finding, *, is_applied: bool) -> Mended:
    if finding.kind not in _WAYS:
        return Mended(finding, "left", finding.remedy)
    how, mend = _WAYS[finding.kind]
    if not is_applied:
        return Mended(finding, "can be mended", how)
    try:
        mend(job, finding)
    except BagmillError as err:
        return Mended(finding, "left", str(err))
    return Mended(finding, "mended", how)


def _ingest_again(job: _Job, finding: Finding) -> None:
    ingest_again(job.dataset, finding, recordings=job.recordings)


def _draw_again(job: _Job, finding: Finding) -> None:
    draw_again(job.dataset, finding)


def _make_snapshot_again(job: _Job, finding: Finding) -> None:
    dataset, wanted = job.dataset, finding.path.stem
    try:
        latest = resolve_name(dataset, LATEST)
    except StorageError:
        latest = wanted
    # An older one may not be what the dataset's index becomes now.
    made = make_snapshot(dataset) if latest == wanted else None
    if made is None or made.id != wanted:
        now = "" if made is None else f"; {LATEST} is {made.id} now"
        raise CannotMendError(f"its rows stood nowhere else{now}", path=finding.path, remedy=finding.remedy)


def _point_at_newest(job: _Job, finding: Finding) -> None:
    dataset = job.dataset
    if finding.path.stem != LATEST:
        raise CannotMendError("which snapshot it named stands nowhere else", path=finding.path, remedy=finding.remedy)
    for snapshot in reversed(list_snapshots(dataset)):
        try:
            is_whole_index = curation_of(read_table(dataset, snapshot.id)) is None
        except StorageError:
            continue
        if is_whole_index:
            point(dataset, LATEST, snapshot_id=snapshot.id)
            return
    raise CannotMendError(
        "there is no whole snapshot", path=finding.path, remedy="Make one with `bagmill snapshot make`"
    )


def _remove(_: _Job, finding: Finding) -> None:
    remove_file(finding.path, remedy="Mend the folder's permissions")


def _sweep(_: _Job, finding: Finding) -> None:
    remove_leftover(finding.path)


_WAYS: Final[dict[Kind, tuple[str, Callable[[_Job, Finding], None]]]] = {
    "episode": ("made again from its recording", _ingest_again),
    "report": ("made again from its recording", _ingest_again),
    "picture": ("drawn again from the episode", _draw_again),
    "snapshot": ("made again, if its episodes are as they were", _make_snapshot_again),
    "snapshot name": ("pointed at the newest snapshot", _point_at_newest),
    "normalisation": ("removed, to be measured again", _remove),
    "night": ("removed", _remove),
    "recording note": ("removed, to be noted again", _remove),
    "cache": ("removed, to be made again", _remove),
    "leftover": ("removed", _sweep),
}
"""What is done about each kind. A damaged quarantine entry is left: without it, a version that was refused could pass."""
