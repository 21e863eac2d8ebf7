"""A deployment of many alike recordings, with an instance of Dagster on disk, worked as a backfill works it.

Every run is a process of its own over a range of partitions, as Dagster's run launcher starts it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dagster as dg
import yaml

from assets import EPISODES
from assets.batch import MAX_EPISODES_PER_RUN
from bagmill.testing import Settings, healthy, small_profile
from benchmarks.child import run_child
from benchmarks.frames import HEIGHT, WIDTH, Frames
from benchmarks.ingest.sources import Source, profile_of, write_source

_ROOT: Final = Path(__file__).resolve().parents[2]
_WRITER: Final = b"bagmill.testing"
_HEADER_BYTES: Final = 256
_LONG_AGO_S: Final = 600
"""Old enough for sensors, which leave alone what may still be written to."""


@dataclass(frozen=True, slots=True)
class EpisodeKind:
    """What all recordings of a deployment are."""

    name: str
    write: Callable[[Path, int], object]
    """Writes a recording, by so many frames longer than they all are."""
    profile: Mapping[str, Any]


TINY: Final = EpisodeKind(
    "0.5 s, 64×48",
    write=lambda path, more: healthy(path, settings=Settings(num_frames=15 + more)),
    profile=small_profile(),
)
"""Half a second of two cameras, depth and joints."""


def camera_kind(rgb: Frames, *, seconds: int) -> EpisodeKind:
    """One camera of a real robot at 30 Hz, raw, and 14 joints; with a preview, as profiles have it unless told otherwise."""
    source = Source("raw RGB, MCAP", "mcap")
    return EpisodeKind(
        f"{seconds} s, {WIDTH}×{HEIGHT}",
        write=lambda path, more: write_source(source, path, num_frames=30 * seconds + more, rgb=rgb, depth=rgb),
        profile={**profile_of(source), "preview": {"enabled": True}},
    )


class ManyEpisodes:
    """Recordings, dataset and Dagster's home below one folder.

    Args:
        folder: Empty.
        kind: Of all recordings.
    """

    def __init__(self, folder: Path, kind: EpisodeKind) -> None:
        self.kind: Final = kind
        self.recordings = folder / "recordings"
        self.dataset = folder / "dataset"
        self._folder = folder
        self._home = folder / "dagster"
        self._settings = folder / "deployment.yaml"
        self._template = folder / "template.mcap"
        self.recordings.mkdir()
        self._home.mkdir()
        shutil.copyfile(_ROOT / "pipelines" / "dagster.yaml", self._home / "dagster.yaml")
        (folder / "profile.yaml").write_text(yaml.safe_dump(dict(kind.profile)), encoding="utf-8")
        settings = {"profiles": [{"match": "*", "profile": "profile.yaml"}]}
        self._settings.write_text(yaml.safe_dump(settings), encoding="utf-8")
        kind.write(self._template, 0)
        _make_old(self._template)

    def add(self, group: str, num_episodes: int) -> list[str]:
        """Lay down recordings and register their episodes; a group's are a range of partitions."""
        names = [f"{group}-{n:04d}.mcap" for n in range(num_episodes)]
        for name in names:
            copy_as_another(self._template, self.recordings / name)
        with self.instance() as instance:
            instance.add_dynamic_partitions(str(EPISODES.name), names)
        return names

    def change(self, episode: str, *, num_more_frames: int) -> None:
        """Replace an episode's recording by a longer one."""
        path = self.recordings / episode
        path.unlink()
        self.kind.write(path, num_more_frames)
        _make_old(path)

    def backfill(self, episodes: list[str]) -> float:
        """Run the job over episodes, a batch a run, and give the seconds it took.

        Raises:
            RuntimeError: A run failed.
        """
        started = time.perf_counter()
        for first in range(0, len(episodes), MAX_EPISODES_PER_RUN):
            self._run(episodes[first : first + MAX_EPISODES_PER_RUN])
        return time.perf_counter() - started

    def look(self, *, num_unfinished: int) -> float:
        """Have the sensor look for what is unfinished, run that, and give the seconds it took.

        Raises:
            RuntimeError: It found something else, or a run failed.
        """
        arguments = {"home": str(self._home), "settings": str(self._settings)}
        looked = run_child("benchmarks.scale.look:prepare", arguments)
        runs = [list(run) for run in looked.result["runs"]]
        if sum(len(run) for run in runs) != num_unfinished:
            raise RuntimeError(f"the sensor found {runs}, not {num_unfinished} unfinished")
        started = time.perf_counter()
        for run in runs:
            self._run(run)
        return looked.seconds + time.perf_counter() - started

    def library(self, episodes: list[str], *, num_finished: int = 0) -> float:
        """Have the library alone do the same, into a dataset of its own, and give the seconds it took.

        Raises:
            RuntimeError: Another number was finished already.
        """
        arguments = {
            "recordings": str(self.recordings),
            "dataset": str(self._folder / "alone"),
            "profile": str(self._folder / "profile.yaml"),
            "episodes": episodes,
        }
        measured = run_child("benchmarks.scale.library:prepare", arguments)
        if measured.result["num_finished"] != num_finished:
            raise RuntimeError(f"{measured.result['num_finished']} episodes were finished, not {num_finished}")
        return measured.seconds

    def versions(self, episode: str) -> int:
        """How many versions of an episode are published."""
        return len(list((self.dataset / "episodes" / episode).glob("*.zarr")))

    def materialised(self) -> set[str]:
        """Episodes of which Dagster knows the asset `episode`."""
        with self.instance() as instance:
            return set(instance.get_materialized_partitions(dg.AssetKey("episode")))

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """The instance as a process of the deployment has it: its file may name `DAGSTER_HOME`."""
        before = os.environ.get("DAGSTER_HOME")
        os.environ["DAGSTER_HOME"] = str(self._home)
        try:
            with dg.DagsterInstance.get() as instance:
                yield instance
        finally:
            del os.environ["DAGSTER_HOME"]
            if before is not None:
                os.environ["DAGSTER_HOME"] = before

    def _run(self, episodes: list[str]) -> None:
        tags = {"dagster/asset_partition_range_start": episodes[0], "dagster/asset_partition_range_end": episodes[-1]}
        job = ["job", "execute", "-f", "pipelines/definitions.py", "-d", ".", "-j", "ingest"]
        done = subprocess.run(
            [sys.executable, "-m", "dagster", *job, "--tags", json.dumps(tags)],
            cwd=_ROOT,
            env=os.environ | {"DAGSTER_HOME": str(self._home), "BAGMILL_DEPLOYMENT": str(self._settings)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"Dagster's run over {len(episodes)} episodes failed:\n{done.stderr[-2000:]}")


def copy_as_another(recording: Path, path: Path) -> None:
    """Copy an MCAP file of `bagmill.testing` so that it is another recording with the same messages.

    Its header names the program that wrote it; the copy's names the copy, in as many bytes. No CRC covers them.
    """
    shutil.copyfile(recording, path)
    with path.open("r+b") as file:
        file.seek(file.read(_HEADER_BYTES).index(_WRITER))
        file.write(hashlib.blake2b(path.name.encode(), digest_size=len(_WRITER) // 2).hexdigest().encode())
    _make_old(path)


def _make_old(path: Path) -> None:
    then = time.time() - _LONG_AGO_S
    os.utime(path, (then, then))
