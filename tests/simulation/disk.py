"""What a disk holds, and what a power cut may leave of it.

The *visible* tree is what processes see, as a kernel that lives on would show it. The *durable* tree is what has reached the
disk for certain: a file's bytes by `fsync` of the file, a name by `fsync` of the folder that it is in. Everything between the
two is pending, and a power cut keeps any part of it that a file system may keep:

- Changes of names (create, link, rename, unlink, mkdir, rmdir) are each kept or lost as a whole. Two changes of one name are
  kept in their order; beyond that by the file system's discipline: all of them up to a moment, those of one folder in their
  order, or any of them.
- Bytes of a file that were not synced may be there, be absent, be zeros, or be torn at a block; the length may be the old one,
  the new one, 0, or something between. So a file renamed before it was synced may be empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Final, Literal

BLOCK_BYTES: Final = 512

Discipline = Literal["nothing", "everything", "ordered", "by folder", "any"]
DISCIPLINES: Final[tuple[Discipline, ...]] = ("nothing", "everything", "ordered", "by folder", "any")
"""What a power cut keeps of pending changes of names: none, all, a prefix, a prefix by folder, any."""


@dataclass(eq=False, slots=True)
class FileNode:
    """A file, whatever it is called."""

    data: bytearray = field(default_factory=bytearray)
    """As processes see it."""
    synced: bytes = b""
    """As it is on the disk for certain."""
    mtime_ns: int = 0

    def survivor(self, rng: Random) -> FileNode:
        """What a power cut leaves of it."""
        if self.data == self.synced:
            return FileNode(bytearray(self.synced), self.synced, self.mtime_ns)
        kept = bytearray(_torn(bytes(self.data), self.synced, rng))
        return FileNode(kept, bytes(kept), self.mtime_ns)


@dataclass(eq=False, slots=True)
class FolderNode:
    """A folder, wherever it is."""

    entries: dict[str, Node] = field(default_factory=dict)
    """As processes see it."""
    durable: dict[str, Node] = field(default_factory=dict)
    """As it is on the disk for certain."""


Node = FileNode | FolderNode
Name = tuple[FolderNode, str]


@dataclass(frozen=True, slots=True)
class Change:
    """One change of names: what each of them means afterwards; None: nothing."""

    names: tuple[tuple[FolderNode, str, Node | None], ...]

    def keys(self) -> list[tuple[int, str]]:
        """The names it touches."""
        return [(id(folder), name) for folder, name, _ in self.names]

    def apply(self) -> None:
        """Make it durable."""
        for folder, name, node in self.names:
            if node is None:
                folder.durable.pop(name, None)
            else:
                folder.durable[name] = node


class Disk:
    """One file system, from its root."""

    def __init__(self, root: FolderNode | None = None) -> None:
        self.root = root or FolderNode()
        self.pending: list[Change] = []

    def find(self, parts: tuple[str, ...]) -> Node:
        """The node behind a path's parts, as processes see it.

        Raises:
            KeyError: There is none.
        """
        node: Node = self.root
        for part in parts:
            if isinstance(node, FileNode):
                raise KeyError(part)
            node = node.entries[part]
        return node

    def change(self, *names: tuple[FolderNode, str, Node | None]) -> None:
        """Change names, all of them at once: visible from now on, durable later."""
        for folder, name, node in names:
            if node is None:
                folder.entries.pop(name, None)
            else:
                folder.entries[name] = node
        self.pending.append(Change(names))

    def sync(self, node: Node) -> None:
        """What `fsync` of a file or folder promises."""
        if isinstance(node, FileNode):
            node.synced = bytes(node.data)
            return
        # With it goes what it rests on: the earlier changes of the same names.
        wanted: set[tuple[int, str]] = set()
        chosen: list[Change] = []
        left: list[Change] = []
        for change in reversed(self.pending):
            keys = change.keys()
            if any(folder is node for folder, _, _ in change.names) or not wanted.isdisjoint(keys):
                wanted.update(keys)
                chosen.append(change)
            else:
                left.append(change)
        for change in reversed(chosen):
            change.apply()
        self.pending = left[::-1]

    def after_power_cut(self, rng: Random) -> Disk:
        """A disk with what a power cut leaves of this one; this one is of no use afterwards."""
        discipline = rng.choice(DISCIPLINES)
        for change in _kept(self.pending, discipline, rng):
            change.apply()
        survivors: dict[int, FileNode] = {}  # a file may have several names

        def copy(node: Node) -> Node:
            if isinstance(node, FileNode):
                if id(node) not in survivors:
                    survivors[id(node)] = node.survivor(rng)
                return survivors[id(node)]
            entries = {name: copy(node.durable[name]) for name in sorted(node.durable)}
            return FolderNode(entries, dict(entries))

        root = copy(self.root)
        assert isinstance(root, FolderNode)
        return Disk(root)

    def settle(self) -> None:
        """Make everything durable, as an unhurried disk has it in the end."""
        for change in self.pending:
            change.apply()
        self.pending = []
        for _, node in self.walk():
            if isinstance(node, FileNode):
                node.synced = bytes(node.data)

    def walk(
        self, folder: FolderNode | None = None, parts: tuple[str, ...] = ()
    ) -> Iterator[tuple[tuple[str, ...], Node]]:
        """Everything below a folder as processes see it, folders before what is in them."""
        node = folder or self.root
        for name in sorted(node.entries):
            child = node.entries[name]
            yield (*parts, name), child
            if isinstance(child, FolderNode):
                yield from self.walk(child, (*parts, name))


def _kept(pending: list[Change], discipline: Discipline, rng: Random) -> list[Change]:
    """Of pending changes those that a power cut keeps, in their order."""
    if discipline in ("nothing", "everything"):
        return pending if discipline == "everything" else []
    if discipline == "ordered":
        return pending[: rng.randint(0, len(pending))]
    share = rng.choice((0.1, 0.5, 0.9))
    lost: set[object] = set()
    kept: list[Change] = []
    for change in pending:
        scope: list[object] = list(change.keys())
        if discipline == "by folder":
            scope = [id(folder) for folder, _, _ in change.names]
        if lost.isdisjoint(scope) and rng.random() < share:
            kept.append(change)
        else:
            lost.update(scope)
    return kept


def _torn(new: bytes, old: bytes, rng: Random) -> bytes:
    """What a power cut may leave of a file that was not synced since it was written to."""
    fate = rng.choice(("old", "new", "empty", "cut", "zeros", "blocks"))
    if fate in ("old", "new", "empty"):
        return {"old": old, "new": new, "empty": b""}[fate]
    if fate == "cut":
        return new[: rng.randint(0, len(new))]
    if fate == "zeros":
        return bytes(len(new))
    kept = bytearray(len(new))
    for start in range(0, len(new), BLOCK_BYTES):
        end = min(start + BLOCK_BYTES, len(new))
        source = rng.choice((new, old, b"", rng.randbytes(BLOCK_BYTES + start)))[start:end]
        kept[start : start + len(source)] = source
    return bytes(kept)
