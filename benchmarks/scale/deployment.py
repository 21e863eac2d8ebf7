"""A deployment of many tiny recordings, with an instance of Dagster on disk, worked as a backfill works it.

Every run is a process of its own over a range of partitions, as Dagster's run launcher starts it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import dagster as dg
import yaml

from assets import EPISODES
from assets.batch import MAX_EPISODES_PER_RUN
from bagmill.testing import Settings, healthy, small_profile

_ROOT: Final = Path(__file__).resolve().parents[2]
_EPISODE: Final = Settings(num_frames=15)
"""Half a second of two cameras, depth and joints, 64×48."""


class TinyDeployment:
    """Recordings, dataset and Dagster's home below one folder.

    Args:
        folder: Empty.
    """

    def __init__(self, folder: Path) -> None:
        self.recordings = folder / "recordings"
        self.dataset = folder / "dataset"
        self._home = folder / "dagster"
        self._settings = folder / "deployment.yaml"
        self._template = folder / "template.mcap"
        self.recordings.mkdir()
        self._home.mkdir()
        shutil.copyfile(_ROOT / "pipelines" / "dagster.yaml", self._home / "dagster.yaml")
        (folder / "profile.yaml").write_text(yaml.safe_dump(small_profile()), encoding="utf-8")
        settings = {"profiles": [{"match": "*", "profile": "profile.yaml"}]}
        self._settings.write_text(yaml.safe_dump(settings), encoding="utf-8")
        healthy(self._template, settings=_EPISODE)

    def add(self, group: str, num_episodes: int) -> list[str]:
        """Lay down recordings and register their episodes; a group's are a range of partitions."""
        names = [f"{group}-{n:04d}.mcap" for n in range(num_episodes)]
        for name in names:
            shutil.copyfile(self._template, self.recordings / name)
        with self._instance() as instance:
            instance.add_dynamic_partitions(str(EPISODES.name), names)
        return names

    def change(self, episode: str) -> None:
        """Replace an episode's recording by a longer one."""
        healthy(self.recordings / episode, settings=Settings(num_frames=_EPISODE.num_frames + 5))

    def backfill(self, episodes: list[str]) -> float:
        """Run the job over episodes, a batch a run, and give the seconds it took.

        Raises:
            RuntimeError: A run failed.
        """
        started = time.perf_counter()
        for first in range(0, len(episodes), MAX_EPISODES_PER_RUN):
            self._run(episodes[first : first + MAX_EPISODES_PER_RUN])
        return time.perf_counter() - started

    def versions(self, episode: str) -> int:
        """How many versions of an episode are published."""
        return len(list((self.dataset / "episodes" / episode).glob("*.zarr")))

    def materialised(self) -> set[str]:
        """Episodes of which Dagster knows the last asset."""
        with self._instance() as instance:
            return set(instance.get_materialized_partitions(dg.AssetKey("preview")))

    @contextmanager
    def _instance(self) -> Iterator[dg.DagsterInstance]:
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
