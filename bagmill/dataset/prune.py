"""Versions that nothing needs any more: which they are, why, how many bytes they are, and how they go.

A version stays while it is its episode's current one or the one last asked for, while a kept snapshot names it, and while
it is being made. What goes is moved aside first, arrays before all else: a reader finds a version whole or not at all, and
whatever a crash leaves is found and removed the next time.
"""

from __future__ import annotations

import contextlib
import glob
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bagmill.dataset.confined import check_no_links
from bagmill.dataset.current import current_of, newest
from bagmill.dataset.folder import Dataset
from bagmill.dataset.kept_snapshots import SnapshotFile, list_snapshots, named_versions, split_kept
from bagmill.dataset.leftovers import find_leftovers, remove_leftover
from bagmill.dataset.prune_lock import alone
from bagmill.dataset.report_summary import load_summary
from bagmill.disk import is_held, make_folders, sync_folder, tells_of_disk
from bagmill.episodes.layout import METADATA_FILE
from bagmill.errors import StorageError

_REMEDY: Final = "Mend the folder's permissions, and prune again: what is gone is gone, the rest is found anew"


@dataclass(frozen=True, slots=True)
class UnneededVersion:
    """A version that nothing needs."""

    episode: str
    version: str
    size_bytes: int
    """Of its arrays, pictures and report."""
    reason: str
    """Why it can go, as a clause."""


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """What would go, and what stays."""

    keep_snapshots: int | None
    """As it was asked for."""
    versions: tuple[UnneededVersion, ...]
    """By episode and version."""
    snapshots: tuple[SnapshotFile, ...]
    """Unnamed snapshots beyond those to be kept, oldest first."""
    num_leftovers: int
    """Things that an earlier, interrupted prune had moved aside, and what dead writers have left half made."""
    leftover_bytes: int
    num_current: int
    """Versions that stay because they are their episode's current one, or the one last asked for."""
    num_named: int
    """Versions that stay because a kept snapshot names them."""
    num_in_making: int
    """Versions that stay because they are not finished."""
    num_unknown: int = 0
    """Versions that stay because a report of their episode is damaged: which of them is the current one is not known."""

    @property
    def size_bytes(self) -> int:
        """Of all that would go."""
        return _sum(self.versions, self.snapshots) + self.leftover_bytes


@dataclass(frozen=True, slots=True)
class Pruned:
    """What has gone."""

    versions: tuple[UnneededVersion, ...]
    snapshots: tuple[SnapshotFile, ...]
    skipped: tuple[UnneededVersion, ...]
    """Planned, but needed again by the time it was their turn."""
    size_bytes: int


@tells_of_disk
def plan_prune(dataset: Dataset, *, keep_snapshots: int | None = None) -> PrunePlan:
    """Find what nothing needs; nothing is changed.

    Args:
        dataset: Whose versions.
        keep_snapshots: How many of the newest snapshots stay; those with a name, `latest` among them, and the one of the
            last night stay besides. None: all of them.

    Raises:
        StorageError: A snapshot or a name cannot be read: what it speaks for is not known then, so nothing can be said to be
            unneeded. Or what would be removed is reached through a link. A report that cannot be read speaks for its own
            episode only, all of which stays.
    """
    kept, dropped = split_kept(dataset, keep_snapshots)
    named = named_versions(dataset, kept)
    versions: list[UnneededVersion] = []
    counts = dict.fromkeys(("current", "named", "in_making", "unknown"), 0)
    for episode in _episodes(dataset):
        for verdict in _judge(dataset, episode, named):
            if isinstance(verdict, UnneededVersion):
                versions.append(verdict)
            else:
                counts[verdict] += 1
    leftovers = [*_moved_aside(dataset), *find_leftovers(dataset)]
    check_no_links(dataset.path, (snapshot.path for snapshot in dropped))
    return PrunePlan(
        keep_snapshots=keep_snapshots,
        versions=tuple(versions),
        snapshots=tuple(dropped),
        num_leftovers=len(leftovers),
        leftover_bytes=sum(map(_size_bytes, leftovers)),
        num_current=counts["current"],
        num_named=counts["named"],
        num_in_making=counts["in_making"],
        num_unknown=counts["unknown"],
    )


@tells_of_disk
def apply_prune(dataset: Dataset, plan: PrunePlan) -> Pruned:
    """Remove what was planned, as far as it is unneeded still.

    Snapshots go first, so that none ever names a version that has gone.

    Args:
        dataset: The plan's.
        plan: What `plan_prune` found.

    Raises:
        StorageError: A file cannot be read or removed; what went before it is gone, what was to come after it stays.
    """
    size_bytes = plan.leftover_bytes
    for leftover in _moved_aside(dataset):
        _delete(leftover)
    for leftover in find_leftovers(dataset):
        remove_leftover(leftover)
    with alone(dataset):
        snapshots = _drop_snapshots(dataset, plan)
    gone: list[UnneededVersion] = []
    skipped: list[UnneededVersion] = []
    known: list[SnapshotFile] = []
    named: frozenset[tuple[str, str]] = frozenset()
    for planned in plan.versions:
        with alone(dataset):
            # A snapshot may be made meanwhile, and an episode may be asked for by its earlier profile again.
            if (snapshots_now := list_snapshots(dataset)) != known:
                known, named = snapshots_now, named_versions(dataset, snapshots_now)
            verdicts = _judge(dataset, planned.episode, named)
            is_unneeded = any(
                isinstance(each, UnneededVersion) and each.version == planned.version for each in verdicts
            )
            aside = _move_aside(dataset, planned) if is_unneeded else None
        if aside is not None:
            _delete(aside)
        (gone if is_unneeded else skipped).append(planned)
    size_bytes += _sum(gone, snapshots)
    return Pruned(tuple(gone), tuple(snapshots), tuple(skipped), size_bytes)


def _judge(dataset: Dataset, episode: str, named: frozenset[tuple[str, str]]) -> Iterator[UnneededVersion | str]:
    """Every version of an episode: what makes it unneeded, or which count it is in."""
    published = dataset.published(episode)
    try:
        reports = {version: load_summary(dataset, episode, version=version) for version in dataset.reported(episode)}
    except StorageError:
        yield from ("unknown" for _ in {*published, *dataset.reported(episode)})
        return
    current = current_of(reports[version] for version in published if version in reports)
    last = newest(reports.values())
    stays = {each.version for each in (current, last) if each is not None}
    for version in sorted({*published, *reports}):
        if version in stays:
            yield "current"
        elif (episode, version) in named:
            yield "named"
        elif _is_in_making(dataset, episode, version, has_report=version in reports):
            yield "in_making"
        else:
            what = "no snapshot names it" if version in published else "it was refused, and no snapshot names it"
            newer = f"the current version is {current.version}" if current else "another was asked for since"
            size_bytes = sum(map(_size_bytes, _parts(dataset, episode, version)))
            yield UnneededVersion(episode, version, size_bytes, f"{what}; {newer}")


def _is_in_making(dataset: Dataset, episode: str, version: str, *, has_report: bool) -> bool:
    arrays = dataset.episode_path(episode, version)
    if is_held(arrays.parent) or any(arrays.parent.glob(f".staging-{glob.escape(version)}-*")):
        return True
    try:
        # The report is written last: arrays that are newer have theirs still to come.
        written_ns = (arrays / METADATA_FILE).stat().st_mtime_ns
        return not has_report or dataset.report_path(episode, version).stat().st_mtime_ns < written_ns
    except FileNotFoundError:
        return False


def _drop_snapshots(dataset: Dataset, plan: PrunePlan) -> list[SnapshotFile]:
    """Remove the snapshots that were planned and are not needed again."""
    still_dropped = {each.id for each in split_kept(dataset, plan.keep_snapshots)[1]}
    snapshots = [each for each in plan.snapshots if each.id in still_dropped]
    check_no_links(dataset.path, (each.path for each in snapshots))
    for snapshot in snapshots:
        # The table last: by it, what is left is found again.
        for part in (*snapshot.path.parent.glob(f"{snapshot.id}.*.json"), snapshot.path):
            _delete(part)
    if snapshots:
        # For good, before anything goes that one of them names.
        _sync(dataset.snapshots_dir)
    return snapshots


def _move_aside(dataset: Dataset, version: UnneededVersion) -> Path:
    aside = dataset.pruned_dir / f"{version.version}-{secrets.token_hex(4)}"
    try:
        check_no_links(dataset.path, [aside])
        make_folders(aside)
        # The arrays first: without them no snapshot takes the version. The report last: by it, what is left is found again.
        for part in _parts(dataset, version.episode, version.version):
            with contextlib.suppress(FileNotFoundError):  # another prune moves it, at the same time
                part.rename(aside / part.name)
            sync_folder(part.parent)
    except OSError as err:
        raise StorageError(f"cannot be moved aside ({err.strerror})", path=aside, remedy=_REMEDY) from err
    return aside


def _parts(dataset: Dataset, episode: str, version: str) -> list[Path]:
    """The files and folders that are a version's: arrays, pictures, report."""
    pictures = dataset.preview_path(episode, version).parent
    # A version is a hash, without a dot: what follows the first one says which picture it is.
    parts = [
        dataset.episode_path(episode, version),
        *sorted(pictures.glob(f"{glob.escape(version)}.*")),
        dataset.report_path(episode, version),
    ]
    found = [part for part in parts if os.path.lexists(part)]
    check_no_links(dataset.path, found)
    return found


def _episodes(dataset: Dataset) -> list[str]:
    """Names of all episodes that have left anything with a version."""
    return sorted({*dataset.episodes(), *dataset.reported_episodes()})


def _moved_aside(dataset: Dataset) -> list[Path]:
    found = sorted(dataset.pruned_dir.glob("*"))
    check_no_links(dataset.path, found)
    return found


def _sum(versions: Iterable[UnneededVersion], snapshots: Iterable[SnapshotFile]) -> int:
    return sum(each.size_bytes for each in versions) + sum(each.size_bytes for each in snapshots)


def _size_bytes(path: Path) -> int:
    """Of a file, or of all files below a folder; what goes meanwhile counts nothing."""
    if path.is_symlink() or not path.is_dir():
        with contextlib.suppress(FileNotFoundError):
            return path.stat().st_size
        return 0
    sizes = 0
    for folder, _, names in os.walk(path):
        sizes += sum(_size_bytes(Path(folder, name)) for name in names)
    return sizes


def _sync(folder: Path) -> None:
    try:
        sync_folder(folder)
    except OSError as err:
        raise StorageError(f"cannot be synced ({err.strerror})", path=folder, remedy=_REMEDY) from err


def _delete(path: Path) -> None:
    try:
        while path.is_dir() and not path.is_symlink():
            # Another prune may remove some of it at the same time: then what is left is gone through once more.
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(path)
        path.unlink(missing_ok=True)
    except OSError as err:
        raise StorageError(f"cannot be removed ({err.strerror})", path=path, remedy=_REMEDY) from err
