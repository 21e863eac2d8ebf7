"""A deployment over small real recordings, and an instance of Dagster with its storage on disk."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value

from assets import EPISODES, register_new
from bagmill.dataset import Dataset
from bagmill.deployment import Deployment, ProfileChoice
from bagmill.testing import write_small_profile
from pipelines.definitions import build_defs
from resources.recordings import RecordingsFolder
from resources.workers import LocalWorkers
from tests.alert_receiver import Receiver, running_receiver
from tests.postgres import Server, running_server, why_not


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
def _open_line(folder: Path, empty_home: Path, *, database: Mapping[str, Any] | None) -> Iterator[Line]:
    """A line.

    Args:
        folder: Empty.
        empty_home: What to begin with where the storage is SQLite's.
        database: Of the instance's settings what says where it keeps its storage; None: in SQLite.
    """
    recordings = folder / "recordings"
    recordings.mkdir()
    profile = write_small_profile(folder / "small.yaml")
    deployment = Deployment(
        recordings=recordings,
        dataset=folder / "dataset",
        profiles=(ProfileChoice(match="*", profile=profile),),
    )
    home = folder / "dagster"
    if database is None:
        shutil.copytree(empty_home, home)
        database = on_sqlite(home)
    else:
        home.mkdir()
    with dg.instance_for_test(temp_dir=str(home), overrides=dict(database)) as instance:
        yield Line(instance, deployment)


def on_sqlite(home: Path) -> dict[str, Any]:
    """As `pipelines/dagster.yaml` has it."""
    event_log = {"module": "pipelines.event_log", "class": "PooledEventLog", "config": {"home": str(home)}}
    return {"event_log_storage": event_log}


def on_postgres(url: str) -> dict[str, Any]:
    """As `pipelines/dagster.postgres.yaml` has it."""
    return {
        "storage": {
            "custom": {"module": "pipelines.postgres", "class": "PostgresStorage", "config": {"postgres_url": url}}
        }
    }


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DAGSTER_HOME with Dagster's tables in SQLite, empty, to make copies of: a copy costs a third of making them."""
    home = tmp_path_factory.mktemp("empty_home")
    with dg.instance_for_test(temp_dir=str(home), overrides=on_sqlite(home)) as instance:
        assert instance.get_runs_count() == 0  # the first to open each of the databases makes its tables
        assert instance.get_dynamic_partitions("episodes") == []
    (home / "dagster.yaml").unlink()  # it says where this home lies
    return home


@dataclass(frozen=True)
class Postgres:
    """A server, and a database on it with Dagster's tables, empty, to make copies of."""

    server: Server
    template: str

    def create_database(self) -> str:
        """The URL of a copy."""
        return self.server.url(self.server.create_database(template=self.template))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    if reason := why_not():
        pytest.skip(reason)
    with running_server() as server:
        template = server.create_database()
        home = tmp_path_factory.mktemp("template")
        with dg.instance_for_test(temp_dir=str(home), overrides=on_postgres(server.url(template))):
            pass  # the first to open it makes the tables
        yield Postgres(server, template)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests marked `both_databases` run on either, on PostgreSQL where time is no matter; the others on SQLite.

    Those of the event log, whose PostgreSQL is our own, are run on it every time.
    """
    if metafunc.definition.get_closest_marker("both_databases") and "database" in metafunc.fixturenames:
        is_ours = metafunc.module.__name__.endswith("test_event_log")
        postgres = pytest.param("postgres", marks=() if is_ours else pytest.mark.slow)
        metafunc.parametrize("database", ["sqlite", postgres], indirect=True, scope="module")


@pytest.fixture(scope="module")
def database(request: pytest.FixtureRequest) -> Callable[[], Mapping[str, Any] | None]:
    """Makes settings for a database of one's own."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return lambda: None
    server: Postgres = request.getfixturevalue("postgres")
    return lambda: on_postgres(server.create_database())


@pytest.fixture
def line(tmp_path: Path, empty_home: Path, database: Callable[[], Mapping[str, Any] | None]) -> Iterator[Line]:
    with _open_line(tmp_path, empty_home, database=database()) as line:
        yield line


@pytest.fixture(scope="module")
def shared_line(
    tmp_path_factory: pytest.TempPathFactory, empty_home: Path, database: Callable[[], Mapping[str, Any] | None]
) -> Iterator[Line]:
    with _open_line(tmp_path_factory.mktemp("shared"), empty_home, database=database()) as line:
        yield line


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A server that answers with statuses in turn, then 204."""
    with running_receiver() as receiver:
        yield receiver
