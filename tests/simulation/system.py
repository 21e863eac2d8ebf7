"""A machine: a disk under one real folder, a clock, processes, and every system call they make, with the faults it meets."""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from xxhash import xxh3_64

from tests.simulation.clock import Clock
from tests.simulation.disk import Disk, FileNode, FolderNode, Node
from tests.simulation.faults import CHANGES, ERRORS, NONE, Faults, Killed, Kind

if TYPE_CHECKING:
    from tests.simulation.turns import Turns

_close: Final = os.close
"""The real one: processes are also reaped while calls are intercepted."""
_SHORT_WRITES: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(eq=False, slots=True)
class OpenFile:
    """What stands behind a file descriptor."""

    node: Node
    label: str
    process: Process
    lock: int = 0
    """`flock`'s operation while it is held; 0: none."""


@dataclass(eq=False, slots=True)
class Process:
    """One process of the simulated machine."""

    pid: int
    faults: Faults = NONE
    is_dead: bool = False
    num_changes: int = 0
    num_fallible: int = 0
    """Calls so far that may fail with the planned error."""
    num_errors: int = 0
    """Calls that did."""


@dataclass(eq=False, slots=True)
class System:
    """The machine.

    Attributes:
        folder: The real folder that shows the disk.
        rng: Decides everything that is left to chance.
        trace: Where each call is written in words; None: nowhere.
    """

    folder: Path
    rng: Random
    clock: Clock = field(default_factory=Clock)
    disk: Disk = field(default_factory=Disk)
    trace: list[str] | None = None
    open_files: dict[int, OpenFile] = field(default_factory=dict)
    process: Process = field(default_factory=lambda: Process(100))
    num_calls: int = 0
    num_errors: int = 0
    journal: xxh3_64 = field(default_factory=xxh3_64)
    """Digest of all calls and what became of them."""
    can_exchange: bool = True
    """The file system can exchange two names at once."""
    turns: Turns | None = None
    """Where several processes run at once."""

    def start(self, faults: Faults = NONE) -> Process:
        """A new process, which makes all calls from now on."""
        self.process = Process(self.process.pid + 1, faults)
        return self.process

    def reap(self, process: Process) -> None:
        """What a kernel does for a process that has ended: its files are closed, which gives up its locks."""
        process.is_dead = True
        for descriptor in [each for each, file in self.open_files.items() if file.process is process]:
            del self.open_files[descriptor]
            _close(descriptor)

    def note(self, text: str) -> None:
        """Write into the journal."""
        self.journal.update(text.encode(errors="surrogateescape"))
        if self.trace is not None:
            self.trace.append(text)

    def call(self, kind: Kind, name: str, label: str) -> None:
        """Account for a system call that is about to be made.

        Raises:
            Killed: The process has ended, just now or before.
            OSError: The call fails as planned.
        """
        process = self.process
        if process.is_dead:
            raise Killed
        self.num_calls += 1
        faults = process.faults
        self.note(f"{process.pid} {name} {label}\n")
        if kind in CHANGES:
            process.num_changes += 1
            if process.num_changes == faults.crash_at:
                self.crash()
        if faults.error_at and kind in ERRORS[faults.error]:
            process.num_fallible += 1
            is_met = (
                process.num_fallible >= faults.error_at
                if faults.is_lasting
                else (process.num_fallible == faults.error_at)
            )
            if is_met:
                process.num_errors += 1
                self.num_errors += 1
                self.note(f"  fails: {os.strerror(faults.error)}\n")
                raise OSError(faults.error, os.strerror(faults.error), label)

    def crash(self) -> None:
        """End the process that runs.

        Raises:
            Killed: Always.
        """
        self.process.is_dead = True
        self.note("  power cut\n" if self.process.faults.is_power_cut else "  killed\n")
        raise Killed

    def wait(self, what: str) -> None:
        """Let other processes go on.

        Raises:
            AssertionError: There are none.
        """
        assert self.turns is not None, f"a process alone waits {what}"
        self.turns.wait(what)

    def num_written(self, num_bytes: int) -> int:
        """How much of a write is done when the crash comes, or the disk becomes full, in its middle; all where neither does."""
        process, faults = self.process, self.process.faults
        is_crash = faults.crash_at == process.num_changes + 1
        is_full = faults.error in _SHORT_WRITES and faults.error_at == process.num_fallible + 1
        return (
            self.rng.randrange(num_bytes) if num_bytes and (is_crash or is_full) and not process.is_dead else num_bytes
        )

    def cut_power(self) -> None:
        """End everything, and start again with what the disk has kept."""
        for descriptor in list(self.open_files):
            _close(descriptor)
        self.open_files.clear()
        self.disk = self.disk.after_power_cut(self.rng)
        self.show()

    def show(self) -> None:
        """Make the real folder what the disk says."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        root = str(self.folder)
        shown: dict[int, str] = {}
        for parts, node in self.disk.walk():
            path = "/".join((root, *parts))
            if isinstance(node, FolderNode):
                os.mkdir(path)  # noqa: PTH102 - a text is at hand
            elif id(node) in shown:
                os.link(shown[id(node)], path)
            else:
                _write(path, node)
                shown[id(node)] = path

    def differences(self) -> list[str]:
        """Where the real folder is not what the disk says: something was written around the interception."""
        expected = {"/".join(parts): node for parts, node in self.disk.walk()}
        found: dict[str, bytes | None] = {}
        for parent, folders, files in os.walk(self.folder):
            below = os.path.relpath(parent, self.folder)
            for name in (*folders, *files):
                path = os.path.normpath(f"{below}/{name}")
                found[path] = None if name in folders else Path(self.folder, path).read_bytes()
        wrong = [
            f"{path}: only {'in the folder' if path in found else 'on the disk'}"
            for path in found.keys() ^ expected.keys()
        ]
        for path in found.keys() & expected.keys():
            node, data = expected[path], found[path]
            if (bytes(node.data) if isinstance(node, FileNode) else None) != data:
                wrong.append(f"{path}: other contents")
        return sorted(wrong)


def _write(path: str, node: FileNode) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        os.write(descriptor, node.data)
        os.utime(descriptor, ns=(node.mtime_ns, node.mtime_ns))
    finally:
        os.close(descriptor)
