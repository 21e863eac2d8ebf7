"""A dataset that has one of everything, made by the command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from bagmill.testing import Settings, healthy, with_gap, write_small_profile

EPISODES: Final = ("run0.mcap", "run1.mcap", "run2.mcap")
REFUSED: Final = "gap.mcap"
_SETTINGS: Final = Settings(num_frames=20)
_LONG: Final = Settings(num_frames=60)


def write_recordings(folder: Path) -> Path:
    """Three healthy recordings and one that is refused, and the profile they are meant for, which is returned."""
    folder.mkdir(parents=True)
    for number, name in enumerate(EPISODES):
        healthy(folder / name, settings=Settings(num_frames=_SETTINGS.num_frames + number))
    with_gap(folder / REFUSED, settings=_LONG)
    return write_small_profile(folder.with_name("robot.yaml"))


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `bagmill` in a process of its own."""
    line = [sys.executable, "-c", "from bagmill.cli import main; main()", *map(str, arguments)]
    return subprocess.run(line, check=False, capture_output=True, text=True)


def make_dataset(folder: Path) -> Path:
    """A dataset with episodes, films, pictures, reports, snapshots, names, statistics, a refused episode.

    Raises:
        RuntimeError: A command said something else than it should.
    """
    dataset = folder / "dataset"
    profile = write_recordings(folder / "recordings")
    for arguments, code in (
        (("ingest", folder / "recordings", "-p", profile, "-o", dataset), 1),
        (("snapshot", "make", dataset, "--name", "all"), 0),
        (("snapshot", "make", dataset, "--split", "train=0.5", "--split", "val=0.5", "--name", "split"), 0),
        (("stats", dataset), 0),
    ):
        done = command(*arguments)
        if done.returncode != code:
            raise RuntimeError(f"{arguments[0]} ended with {done.returncode}, not {code}: {done.stderr or done.stdout}")
    return dataset
