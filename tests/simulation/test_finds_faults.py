"""The simulation finds what it is there to find: with a line of bagmill taken away, some history shows what is wrong."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from bagmill.dataset import kept_snapshots, leftovers, whole_file
from bagmill.episodes import metadata, staging
from tests.simulation.__main__ import live
from tests.simulation.every_call import CASES, crashes, errors

MOST_HISTORIES = 120


def first_violation() -> str:
    """What is wrong in the first history in which anything is."""
    for seed in range(MOST_HISTORIES):
        told = live(seed)
        if told.problems:
            return told.problems[0]
    return ""


def moved_in_two_steps(self: staging.StagingFolder, target: Path, *, replaces: bool) -> bool:
    """As a folder was published once: what is there goes out of the way first."""
    if replaces and target.exists():
        target.rename(self.path.with_name(f"{self.path.name}.old"))
    self.path.rename(target)
    return True


BROKEN: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "episodes not synced": lambda patch: patch.setattr(staging, "_sync_tree", lambda folder: None),
    "names not synced": lambda patch: patch.setattr(whole_file, "sync_folder", lambda folder: None),
    "names of episodes not synced": lambda patch: patch.setattr(staging, "sync_folder", lambda folder: None),
    "names are not held": lambda patch: patch.setattr(kept_snapshots, "list_snapshot_names", lambda dataset: []),
    "staging is not swept": lambda patch: patch.setattr(leftovers, "sweep_staging", lambda parent: 0),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_fault_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BROKEN[name](monkeypatch)
    assert first_violation()


def test_two_renames_in_place_of_an_exchange_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging.StagingFolder, "_move_to", moved_in_two_steps)
    # Publishing is the last third of what it does.
    runs = crashes(CASES["forced"], is_power_cut=False, first=130)
    assert any("was made" in problem and "is gone" in problem for _, problems in runs for problem in problems)


def test_a_listing_that_leaves_out_what_it_may_not_see_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "files_below", lambda folder: sorted(folder.rglob("*.json")))
    runs = errors(CASES["first ingest"], error=errno.EACCES, is_lasting=False, first=150, every=3)
    assert any("can be seen and is not whole: zarr.json" in problem for _, problems in runs for problem in problems)
