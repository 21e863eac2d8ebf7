"""The model of a disk keeps what it must keep after a power cut, loses what it may lose, and shows what a real one shows."""

import os
from pathlib import Path
from random import Random

import pytest

from tests.simulation.disk import Disk, FileNode, FolderNode
from tests.simulation.faults import NONE, Faults
from tests.simulation.processes import run, run_together
from tests.simulation.system import System


@pytest.fixture
def system(tmp_path: Path) -> System:
    system = System(tmp_path / "disk", Random(0))
    system.show()
    return system


def survivals(make, *, num_seeds: int = 300) -> set[object]:
    """Everything that power cuts leave of what `make` does to a new disk: by path, bytes or None for a folder."""
    found = set()
    for seed in range(num_seeds):
        disk = Disk()
        make(disk)
        left = disk.after_power_cut(Random(seed))
        found.add(
            frozenset(
                ("/".join(parts), bytes(node.data) if isinstance(node, FileNode) else None)
                for parts, node in left.walk()
            )
        )
    return found


def new_file(disk: Disk, name: str, data: bytes, *, is_synced: bool) -> FileNode:
    node = FileNode(bytearray(data))
    disk.change((disk.root, name, node))
    if is_synced:
        disk.sync(node)
    return node


def test_a_name_that_was_not_synced_may_be_lost_and_its_bytes_with_it() -> None:
    assert survivals(lambda disk: new_file(disk, "a", b"1", is_synced=True)) == {frozenset(), frozenset({("a", b"1")})}


def test_a_synced_file_under_a_synced_name_is_always_there() -> None:
    def make(disk: Disk) -> None:
        new_file(disk, "a", b"1", is_synced=True)
        disk.sync(disk.root)

    assert survivals(make) == {frozenset({("a", b"1")})}


def test_renamed_before_it_was_synced_a_file_may_be_empty() -> None:
    def make(disk: Disk) -> None:
        new_file(disk, "a", b"old", is_synced=True)
        disk.sync(disk.root)
        node = new_file(disk, "b", b"new", is_synced=False)
        disk.change((disk.root, "b", None), (disk.root, "a", node))
        disk.sync(disk.root)

    found = survivals(make)
    assert frozenset({("a", b"")}) in found
    assert frozenset({("a", b"new")}) in found
    assert frozenset({("a", b"\0\0\0")}) in found
    assert not any(("a", b"old") in tree for tree in found)


def test_a_rename_is_kept_or_lost_as_a_whole() -> None:
    def make(disk: Disk) -> None:
        new_file(disk, "a", b"old", is_synced=True)
        node = new_file(disk, "b", b"new", is_synced=True)
        disk.sync(disk.root)
        disk.change((disk.root, "b", None), (disk.root, "a", node))

    assert survivals(make) == {frozenset({("a", b"old"), ("b", b"new")}), frozenset({("a", b"new")})}


def test_two_changes_of_one_name_keep_their_order_and_others_need_not() -> None:
    def make(disk: Disk) -> None:
        new_file(disk, "a", b"1", is_synced=True)
        disk.change((disk.root, "a", None))
        new_file(disk, "b", b"2", is_synced=True)

    assert survivals(make) == {
        frozenset(),
        frozenset({("a", b"1")}),
        frozenset({("b", b"2")}),
        frozenset({("a", b"1"), ("b", b"2")}),
    }


def test_syncing_a_folder_keeps_its_names_and_not_those_of_the_folder_above() -> None:
    def make(disk: Disk) -> None:
        folder = FolderNode()
        disk.change((disk.root, "f", folder))
        node = FileNode(bytearray(b"1"))
        disk.change((folder, "a", node))
        disk.sync(node)
        disk.sync(folder)

    assert survivals(make) == {frozenset(), frozenset({("f", None), ("f/a", b"1")})}


def test_unsynced_blocks_may_be_torn() -> None:
    def make(disk: Disk) -> None:
        node = new_file(disk, "a", b"0" * 1024, is_synced=True)
        disk.sync(disk.root)
        node.data[:] = b"1" * 1024

    contents = {dict(tree)["a"] for tree in survivals(make)}
    assert {b"0" * 1024, b"1" * 1024, b"1" * 512 + b"0" * 512, b""} <= contents


def play(folder: Path, rng: Random) -> None:
    """Any calls on any names, those that fail among them."""
    names = [folder / name for name in ("a", "b", "c", "d/a", "d/b", "d/e/a", "d", "d/e")]
    for _ in range(60):
        one, other = rng.choice(names), rng.choice(names)
        try:
            match rng.randrange(9):
                case 0 | 1:
                    one.write_bytes(rng.randbytes(rng.randrange(3000)))
                case 2:
                    one.mkdir(parents=True, exist_ok=True)
                case 3:
                    one.rename(other)
                case 4:
                    one.unlink()
                case 5:
                    one.rmdir()
                case 6:
                    one.hardlink_to(other)
                case 7:
                    with one.open("r+b") as file:
                        file.seek(rng.randrange(4000))
                        file.write(b"in the middle")
                        file.truncate(rng.randrange(4000))
                case 8:
                    descriptor = os.open(one, os.O_RDONLY)
                    os.fsync(descriptor)
                    os.close(descriptor)
        except OSError:
            continue


@pytest.mark.parametrize("seed", range(25))
def test_the_model_shows_what_the_real_folder_shows(system: System, seed: int) -> None:
    rng = Random(seed)
    ending = run(system, lambda: play(system.folder, rng))
    assert not ending.foreign
    assert system.differences() == []
    system.cut_power()
    assert system.differences() == []


def test_what_is_written_around_the_interception_is_seen(system: System) -> None:
    run(system, lambda: (system.folder / "a").write_bytes(b"1"))
    (system.folder / "a").write_bytes(b"2")
    (system.folder / "b").write_bytes(b"2")
    assert system.differences() == ["a: other contents", "b: only in the folder"]


def test_a_killed_process_does_nothing_more_and_gives_up_its_locks(system: System) -> None:
    import fcntl

    path = system.folder / "lock"

    def hold() -> None:
        with path.open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            try:
                (system.folder / "made").mkdir()
            finally:
                path.unlink()

    assert run(system, hold, faults=Faults(crash_at=2)).is_crashed
    assert sorted(each.name for each in system.folder.iterdir()) == ["lock"]

    def take() -> None:
        with path.open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    ending = run(system, take)
    assert ending.is_over
    assert not ending.foreign


def test_what_processes_leave_open_is_closed(system: System) -> None:
    def leave_open() -> None:
        os.open(system.folder / "a", os.O_CREAT | os.O_WRONLY)
        (system.folder / "b").touch()

    before = len(list(Path("/proc/self/fd").iterdir()))
    crash = Faults(crash_at=2)
    run(system, leave_open, faults=crash)
    run_together(system, [(leave_open, crash), (leave_open, NONE)])
    system.cut_power()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
