"""What is killed: the work that a process does on a dataset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bagmill.dataset import Dataset, apply_prune, curate, make_snapshot, plan_prune
from bagmill.ingest import IngestRequest, ingest
from bagmill.profile import parse_profile
from bagmill.testing import Settings, healthy, small_profile

EPISODES: Final = ("run0.mcap", "run1.mcap", "run2.mcap")
_SETTINGS: Final = Settings(num_frames=20)


@dataclass(frozen=True, slots=True)
class Place:
    """Where recordings and dataset lie."""

    recordings: Path
    dataset: Path

    def make(self) -> None:
        """Write the recordings, ingest them, and make a snapshot: whoever reads has something to read from the start."""
        self.recordings.mkdir(parents=True)
        for episode in EPISODES:
            healthy(self.recordings / episode, settings=_SETTINGS)
            ingest_one(self, episode)
        make_snapshot(Dataset(self.dataset))


def ingest_one(place: Place, episode: str, *, is_slow: bool = False, is_forced: bool = False) -> None:
    """Ingest an episode by one of two profiles.

    Raises:
        RuntimeError: It was refused.
    """
    profile = small_profile() | {"preview": {"enabled": False}} | ({"rate_hz": 15} if is_slow else {})
    request = IngestRequest(
        episode, place.recordings / episode, place.dataset, parse_profile(profile), num_threads=2, is_forced=is_forced
    )
    outcome = ingest(request)
    if outcome.refusal is not None:
        raise RuntimeError(outcome.refusal.reason)


def _force(place: Place, number: int) -> None:
    ingest_one(place, EPISODES[number % len(EPISODES)], is_forced=True)


def _snapshot(place: Place, number: int) -> None:
    dataset = Dataset(place.dataset)
    make_snapshot(dataset, name=f"night-{number}")
    curate(dataset, splits={"train": 0.5, "val": 0.5})


def _prune(place: Place, _: int) -> None:
    dataset = Dataset(place.dataset)
    apply_prune(dataset, plan_prune(dataset, keep_snapshots=1))


def _alternate(place: Place, number: int) -> None:
    ingest_one(place, EPISODES[number % len(EPISODES)], is_slow=number % 2 == 1)
    make_snapshot(Dataset(place.dataset))


WORK: Final[dict[str, Callable[[Place, int], None]]] = {
    "ingest --force": _force,
    "ingest by another profile, snapshot": _alternate,
    "snapshot with a name, and a curated one": _snapshot,
    "prune": _prune,
}
"""By name; the number says which episode, profile or name."""
