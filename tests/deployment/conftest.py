"""A deployment over small real recordings, and an instance of Dagster with its storage on disk."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value

from assets import EPISODES, register_new
from bagmill.dataset import Dataset
from bagmill.testing import write_small_profile
from pipelines.definitions import build_defs
from pipelines.deployment import Deployment, ProfileChoice
from resources.recordings import RecordingsFolder
from resources.workers import LocalWorkers


@dataclass
class Line:
    """What a test of the deployment works with."""

    instance: dg.DagsterInstance
    deployment: Deployment
    workers: LocalWorkers = field(default_factory=lambda: LocalWorkers(processes=1))

    @property
    def dataset(self) -> Dataset:
        return Dataset(self.deployment.dataset)

    @property
    def defs(self) -> dg.Definitions:
        return build_defs(self.deployment, workers=self.workers)

    def add(self, name: str, build: Callable[[Path], object]) -> Path:
        path = self.deployment.recordings / name
        build(path)
        return path

    def register(self) -> list[str]:
        return register_new(self.instance, RecordingsFolder(folder=str(self.deployment.recordings)))

    def ingest(self, first: str, last: str | None = None, **kwargs: Any) -> dg.ExecuteInProcessResult:
        tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last or first}
        job = self.defs.resolve_job_def("ingest")
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        return job.execute_in_process(
            instance=self.instance, tags=tags, raise_on_error=False, run_config=quiet, **kwargs
        )

    def materialised(self, asset: str) -> set[str]:
        return set(self.instance.get_materialized_partitions(dg.AssetKey(asset)))

    def failed(self, asset: str) -> set[str]:
        with dg.partition_loading_context(dynamic_partitions_store=self.instance):
            status = get_and_update_asset_status_cache_value(self.instance, dg.AssetKey(asset), EPISODES)
            assert status is not None
            return set(status.deserialize_failed_partition_subsets(EPISODES).get_partition_keys())

    def check_state(self, asset: str, check: str) -> dict[str, set[str]]:
        key = dg.AssetCheckKey(dg.AssetKey(asset), check)
        with dg.partition_loading_context(dynamic_partitions_store=self.instance):
            state = self.instance.event_log_storage.get_asset_check_state([(key, EPISODES)])[key]
            return {
                status.value.lower(): set(map(str, subset.subset_value.get_partition_keys()))
                for status, subset in state.subsets.items()
                if not subset.is_empty
            }

    def evaluations(self, run_id: str) -> list[dg.AssetCheckEvaluation]:
        """What a run told of checks, in the order it told it."""
        told = self.instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
        return [entry.asset_check_evaluation for entry in told if entry.asset_check_evaluation]

    def latest(self, asset: str, episode: str) -> dg.AssetMaterialization:
        records = self.instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=[episode]), limit=1
        ).records
        materialisation = records[0].asset_materialization
        assert materialisation is not None
        return materialisation


@contextmanager
def _open_line(folder: Path) -> Iterator[Line]:
    recordings = folder / "recordings"
    recordings.mkdir()
    profile = write_small_profile(folder / "small.yaml")
    deployment = Deployment(
        recordings=recordings,
        dataset=folder / "dataset",
        profiles=(ProfileChoice(match="*", profile=profile),),
    )
    home = folder / "dagster"
    home.mkdir()
    event_log = {"module": "pipelines.event_log", "class": "PooledEventLog", "config": {"home": str(home)}}
    with dg.instance_for_test(temp_dir=str(home), overrides={"event_log_storage": event_log}) as instance:
        yield Line(instance, deployment)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    with _open_line(tmp_path) as line:
        yield line


@pytest.fixture(scope="module")
def shared_line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    with _open_line(tmp_path_factory.mktemp("shared")) as line:
        yield line
