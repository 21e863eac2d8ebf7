"""The list of shards on this machine: what may be fetched, and what goes for it."""

import os
import time
from pathlib import Path

import pytest

from bagmill.errors import StorageError
from bagmill.stores.ledger import Ledger
from bagmill.stores.wire import Bound


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def bound(folder: Path, max_bytes: int, *, started_ns: int | None = None) -> Bound:
    return Bound(str(folder / "ledger"), max_bytes, time.time_ns() if started_ns is None else started_ns)


def enter(ledger: Ledger, file: Path, size_bytes: int, within: Bound) -> bool:
    is_entered = ledger.enter(str(file), size_bytes, within)
    if is_entered:
        file.write_bytes(bytes(size_bytes))
    return is_entered


def test_what_this_run_uses_stays_and_what_is_too_much_is_not_entered(folder: Path):
    ledger, within = Ledger(folder / "ledger"), bound(folder, 100)
    assert enter(ledger, folder / "a", 60, within)
    assert not enter(ledger, folder / "b", 41, within)
    assert enter(ledger, folder / "c", 40, within)
    assert not enter(ledger, folder / "d", 101, within)
    assert sorted(path.name for path in folder.iterdir() if path.stat().st_size in (60, 40)) == ["a", "c"]


def test_a_later_run_lets_go_what_was_not_used_for_longest(folder: Path):
    ledger = Ledger(folder / "ledger")
    for name in "abc":
        assert enter(ledger, folder / name, 30, bound(folder, 90))
    later = time.time_ns()
    # `a` was read after it was fetched: its file says so.
    os.utime(folder / "a", ns=(later - 1, later - 1))
    assert enter(ledger, folder / "d", 30, bound(folder, 90, started_ns=later))
    assert not (folder / "b").exists()
    assert (folder / "a").exists()
    assert enter(ledger, folder / "e", 40, bound(folder, 90, started_ns=later))
    assert sorted(path.name for path in folder.glob("?")) == ["d", "e"]


def test_what_another_run_has_used_since_is_not_taken_from_it(folder: Path):
    ledger = Ledger(folder / "ledger")
    assert enter(ledger, folder / "a", 60, bound(folder, 100))
    started_ns = time.time_ns()
    os.utime(folder / "a", ns=(started_ns + 1, started_ns + 1))
    assert not enter(ledger, folder / "b", 60, bound(folder, 100, started_ns=started_ns))
    assert (folder / "a").exists()


def test_an_entry_is_counted_once_however_often_its_file_is_fetched(folder: Path):
    ledger, within = Ledger(folder / "ledger"), bound(folder, 100)
    for _ in range(3):
        assert enter(ledger, folder / "a", 60, within)
    ledger.strike(str(folder / "a"))
    assert enter(ledger, folder / "b", 100, within)


def test_several_processes_keep_one_list(folder: Path):
    # SQLite takes two connections of a process as it takes two processes.
    one, other = Ledger(folder / "ledger"), Ledger(folder / "ledger")
    within = bound(folder, 100)
    assert enter(one, folder / "a", 60, within)
    assert not enter(other, folder / "b", 60, within)


def test_a_list_that_is_none_is_told(folder: Path):
    folder.mkdir()
    (folder / "ledger").write_bytes(b"no database" * 100)
    with pytest.raises(StorageError, match=r"ledger: the list of shards .* delete the cache's folder"):
        Ledger(folder / "ledger")
