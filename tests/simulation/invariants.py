"""What must hold of a dataset at any time, whatever has happened to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from bagmill.dataset import Dataset, load_report, read_quarantine, resolve_name
from bagmill.dataset.snapshot import load_rows
from bagmill.dataset.snapshot_names import is_snapshot_id
from bagmill.errors import BagmillError
from bagmill.streams import load_index
from tests.simulation.disk import Disk, FileNode, FolderNode
from tests.simulation.ledger import Ledger

_MOST_KEPT: Final = 500
_read: dict[tuple[str, bytes], Any] = {}
"""What files were found to say, by path and bytes: most stand as they stood after the step before."""


def violations(disk: Disk, dataset: Dataset, ledger: Ledger) -> list[str]:
    """Everything that is wrong with a dataset: half-made, not whole, or no longer as it was promised."""
    look = _Look(disk, dataset)
    found = [problem for check in (_episodes, _records, _snapshots) for problem in check(look, ledger)]
    # What cannot be read keeps no promise, and has been told.
    return found or [*_promises(look, ledger), *_promised_episodes(look, ledger)]


def leftovers(disk: Disk, dataset: Dataset) -> list[str]:
    """What nobody needs, after everything has been made as it should be."""
    found = []
    for parts, node in disk.walk(_Look(disk, dataset).folder()):
        name = parts[-1]
        if name == ".pruned" and isinstance(node, FolderNode) and not node.entries:
            continue  # where a prune moves things aside
        if name.startswith(".") or name.endswith((".partial", ".tmp", ".lock", ".old")):
            found.append(f"left over: {'/'.join(parts)}")
    return found


class _Look:
    """A dataset's files as the simulated disk has them."""

    def __init__(self, disk: Disk, dataset: Dataset) -> None:
        self.disk = disk
        self.dataset = dataset
        self._files: dict[str, FileNode] | None = None

    def folder(self, *parts: str) -> FolderNode:
        """A folder below the dataset's; an empty one where there is none."""
        try:
            node = self.disk.find((self.dataset.path.name, *parts))
        except KeyError:
            return FolderNode()
        return node if isinstance(node, FolderNode) else FolderNode()

    def files(self, *parts: str, suffix: str) -> Iterator[tuple[str, str, FileNode]]:
        """Files that are not hidden: path below the folder, name without the suffix, and the file."""
        for path, node in self.disk.walk(self.folder(*parts)):
            if (
                isinstance(node, FileNode)
                and path[-1].endswith(suffix)
                and not any(part.startswith(".") for part in path)
            ):
                yield "/".join((*parts, *path)), path[-1].removesuffix(suffix), node

    def has_episode(self, episode: str, version: str, ledger: Ledger) -> bool:
        """Whether a version is published, or waits to be put back where there was no exchanging it."""
        names = [f"{version}.zarr"]
        if not ledger.can_exchange:
            names += [
                name
                for name in self.folder("episodes", episode).entries
                if name.startswith(f".staging-{version}-") and name.endswith(".old")
            ]
        return any("zarr.json" in self.folder("episodes", episode, name).entries for name in names)

    def read(self, path: str, node: FileNode, read: Callable[[], Any]) -> Any:
        """What a file says; read again only if it has changed."""
        key = (path, bytes(node.data))
        if key not in _read:
            if len(_read) >= _MOST_KEPT:
                _read.clear()
            _read[key] = read()
        return _read[key]


def _episodes(look: _Look, ledger: Ledger) -> Iterator[str]:
    """Every version that can be seen is whole."""
    for episode, folder in look.folder("episodes").entries.items():
        for name, node in folder.entries.items() if isinstance(folder, FolderNode) else ():
            if name.startswith(".") or not isinstance(node, FolderNode) or "zarr.json" not in node.entries:
                continue
            told = ledger.known.get((episode, name.removesuffix(".zarr")))
            if told is None:
                yield f"{episode}/{name} was never asked for"
                continue
            found = {"/".join(p): bytes(n.data) for p, n in look.disk.walk(node) if isinstance(n, FileNode)}
            if found != told.files:
                wrong = sorted(
                    path for path in found.keys() | told.files.keys() if found.get(path) != told.files.get(path)
                )
                yield f"{episode}/{name} can be seen and is not whole: {', '.join(wrong[:3])} of {len(wrong)}"


def _records(look: _Look, ledger: Ledger) -> Iterator[str]:
    """Every small file that can be seen says something."""
    dataset = look.dataset
    readers: dict[str, Callable[[str, str], Any]] = {
        "reports": lambda path, name: load_report(dataset, Path(path).parent.name, version=name),
        "quarantine": lambda path, name: read_quarantine(dataset, name),
        "recordings": lambda path, name: json.loads((dataset.path / path).read_bytes())["episode"],
        "scans": lambda path, name: json.loads((dataset.path / path).read_bytes()).get("fingerprint"),
    }
    for room, reader in readers.items():
        for path, name, node in look.files(room, suffix=".json"):
            try:
                look.read(path, node, lambda reader=reader, path=path, name=name: reader(path, name))
            except (BagmillError, ValueError, KeyError, AttributeError) as err:
                yield f"{path} can be seen and is not whole: {err}"
    for path, _, node in look.files("scans", suffix=".npz"):
        try:
            look.read(path, node, lambda path=path: load_index(dataset.path / path))
        except BagmillError as err:
            yield f"{path} can be seen and is not whole: {err}"


def _snapshots(look: _Look, ledger: Ledger) -> Iterator[str]:
    """What a snapshot or a name names is there."""
    dataset = look.dataset
    tables = {
        name: (path, node) for path, name, node in look.files("snapshots", suffix=".parquet") if is_snapshot_id(name)
    }
    for snapshot_id, (path, node) in tables.items():
        try:
            rows = look.read(path, node, lambda snapshot_id=snapshot_id: load_rows(dataset, snapshot_id))
        except BagmillError as err:
            yield f"{path} can be seen and is not whole: {err}"
            continue
        for episode, version in rows:
            if not look.has_episode(episode, version, ledger):
                yield f"snapshot {snapshot_id} names {episode} {version}, which is not there"
    for path, name, node in look.files("snapshots", suffix=".json"):
        if is_snapshot_id(name.split(".", 1)[0]):
            continue
        try:
            meant = look.read(path, node, lambda name=name: resolve_name(dataset, name))
        except BagmillError as err:
            yield f"{path} can be seen and is not whole: {err}"
            continue
        if meant not in tables:
            yield f"the name {name} points at snapshot {meant}, which is not there"
        if name != "latest" and name not in ledger.names and name not in ledger.attempted_names:
            yield f"the name {name} was never given"


def _promises(look: _Look, ledger: Ledger) -> Iterator[str]:
    """What was told to be done is done, for good."""
    folder = look.folder("snapshots")
    for snapshot_id, rows in ledger.snapshots.items():
        node = folder.entries.get(f"{snapshot_id}.parquet")
        if not isinstance(node, FileNode):
            yield f"snapshot {snapshot_id} was made and is gone"
            continue
        found = look.read(
            f"snapshots/{snapshot_id}.parquet",
            node,
            lambda snapshot_id=snapshot_id: load_rows(look.dataset, snapshot_id),
        )
        if frozenset(found) != rows:
            yield f"snapshot {snapshot_id} has other rows than when it was made"
    for name, snapshot_id in ledger.names.items():
        if f"{name}.json" not in folder.entries:
            yield f"the name {name} was given and is gone"
        elif snapshot_id != resolve_name(look.dataset, name):
            yield f"the name {name} was given to {snapshot_id} and points elsewhere"
    if ledger.has_latest:
        if "latest.json" not in folder.entries:
            yield "latest was given and is gone"
        elif ledger.latest is not None and resolve_name(look.dataset, "latest") != ledger.latest:
            yield f"latest was moved to {ledger.latest} and points elsewhere"


def _promised_episodes(look: _Look, ledger: Ledger) -> Iterator[str]:
    """What was told to be made or refused is, for good."""
    for episode, wanted in ledger.possible.items():
        if None not in wanted and f"{episode}.json" in look.folder("quarantine").entries:
            yield f"{episode} was made and is in quarantine"
        if episode in ledger.refused and f"{episode}.json" not in look.folder("quarantine").entries:
            yield f"{episode} was refused and is not in quarantine"
        versions = wanted - {None}
        if None not in wanted and not any(
            look.has_episode(episode, str(version), ledger)
            and f"{version}.json" in look.folder("reports", episode).entries
            for version in versions
        ):
            yield f"{episode} was made as {' or '.join(sorted(map(str, versions)))} and is gone"
