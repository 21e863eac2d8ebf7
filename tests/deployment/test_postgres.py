"""PostgreSQL as the storage: Dagster's own class is the judge of what was written, and the server restarts at will."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg2
import pytest
import sqlalchemy as sa
from dagster_postgres.event_log import PostgresEventLogStorage
from sqlalchemy.exc import OperationalError, ProgrammingError

from bagmill.errors import SettingsError
from bagmill.testing import foreign_file, healthy, with_black_frames
from pipelines.postgres import PostgresEventLog
from pipelines.postgres.patience import WEB_PATIENCE_S, until_answered
from pipelines.postgres.url import url_of
from tests.postgres import Server, running_server, why_not

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))

COLUMNS = {
    "event_logs": "id, run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition",
    "asset_event_tags": "event_id, asset_key, key, value, event_timestamp",
    "asset_keys": "asset_key, last_materialization, last_run_id, last_materialization_timestamp",
    "asset_check_executions": "asset_key, check_name, partition, run_id, execution_status, evaluation_event_timestamp, "
    "evaluation_event_storage_id, materialization_event_storage_id",
}
ABOUT = {
    dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Not the other tests': it is stopped."""
    with running_server() as server:
        yield server


@pytest.fixture
def log(server: Server) -> Iterator[PostgresEventLog]:
    log = PostgresEventLog(url_of({"postgres_url": server.url(server.create_database())}))
    yield log
    log.dispose()


@pytest.fixture(scope="module")
def events(shared_line: Any) -> list[dg.EventLogEntry]:
    """What a run told of assets and checks."""
    for name, build in {"a.mcap": healthy, "b.mcap": with_black_frames, "c.mcap": foreign_file}.items():
        shared_line.add(name, build)
    shared_line.register()
    run = shared_line.ingest("a.mcap", "c.mcap").run_id
    events = [entry for entry in shared_line.instance.all_logs(run) if entry.dagster_event_type in ABOUT]
    assert {entry.dagster_event_type for entry in events} == ABOUT
    return events


def test_a_batch_is_stored_as_dagsters_own_class_stores_one_by_one(
    server: Server, log: PostgresEventLog, events: list[dg.EventLogEntry]
) -> None:
    own = PostgresEventLogStorage(url_of({"postgres_url": server.url(server.create_database())}))
    for entry in events:
        own.store_event(entry)
    log.store_event_batch(events[:30])
    log.store_event_batch(events[30:])
    for table, columns in COLUMNS.items():
        expected = _rows(own, table, columns)
        assert expected
        assert _rows(log, table, columns) == expected, table
    told = "evaluation_event", "evaluation_event_storage_id, execution_status"
    texts = [
        _rows(each, "asset_check_executions", ", ".join(told), "execution_status != 'PLANNED'") for each in (own, log)
    ]
    assert texts[0] == texts[1]


def test_one_by_one_is_the_same_as_together(
    server: Server, log: PostgresEventLog, events: list[dg.EventLogEntry]
) -> None:
    alone = PostgresEventLog(url_of({"postgres_url": server.url(server.create_database())}))
    for entry in events:
        alone.store_event(entry)
    log.store_event_batch(events)
    for table, columns in COLUMNS.items():
        assert _rows(alone, table, columns) == _rows(log, table, columns), table
    alone.dispose()


def test_a_batch_outlives_a_crash_of_the_server_and_is_there_once(
    server: Server, log: PostgresEventLog, events: list[dg.EventLogEntry]
) -> None:
    log.store_event_batch(events[:10])
    server.stop(is_crash=True)
    restart = threading.Timer(1.0, server.start)
    restart.start()
    log.store_event_batch(events[10:20])
    restart.join()
    assert len(log.get_logs_for_run(events[0].run_id)) == 20


def test_a_commit_whose_answer_was_lost_is_not_made_again(
    server: Server, log: PostgresEventLog, events: list[dg.EventLogEntry], monkeypatch: pytest.MonkeyPatch
) -> None:
    transaction = log.index_transaction
    num_committed = 0

    @contextmanager
    def lose_the_first_answer() -> Iterator[sa.Connection]:
        nonlocal num_committed
        with transaction() as connection:
            yield connection
        num_committed += 1
        if num_committed == 1:
            raise OperationalError("COMMIT", None, psycopg2.OperationalError("server closed the connection"))

    monkeypatch.setattr(log, "index_transaction", lose_the_first_answer)
    log.store_event_batch(events)
    assert num_committed == 1
    assert len(log.get_logs_for_run(events[0].run_id)) == len(events)


def test_a_mistake_is_not_tried_again() -> None:
    attempts = 0

    def attempt() -> None:
        nonlocal attempts
        attempts += 1
        raise ProgrammingError("SELECT", None, psycopg2.ProgrammingError("no such table"))

    with pytest.raises(ProgrammingError):
        until_answered(attempt, patience_s=60)
    assert attempts == 1


def test_patience_has_an_end(server: Server, log: PostgresEventLog) -> None:
    log.patience_s = 0.5
    server.stop()
    try:
        with pytest.raises(OperationalError):
            log.get_logs_for_run("any")
    finally:
        server.start()


def test_the_web_server_is_less_patient_and_asks_again_after_a_restart(server: Server, log: PostgresEventLog) -> None:
    log.optimize_for_webserver(statement_timeout=5000, pool_recycle=-1, max_overflow=5)
    assert log.patience_s == WEB_PATIENCE_S
    assert log.get_logs_for_run("any") == []
    server.stop(is_crash=True)
    server.start()
    assert log.get_logs_for_run("any") == []


def test_the_example_opens_an_instance(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = Path(__file__).parents[2] / "pipelines" / "dagster.postgres.yaml"
    (tmp_path / "dagster.yaml").write_text(example.read_text())
    database = server.create_database()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("BAGMILL_POSTGRES_URL", server.url(database))
    with dg.DagsterInstance.get() as instance:
        assert isinstance(instance.event_log_storage, PostgresEventLog)
        instance.add_dynamic_partitions("episodes", ["a.mcap"])
        assert instance.run_retries_enabled
        assert instance.run_monitoring_enabled
        assert instance.run_launcher.supports_check_run_worker_health
        with dg.DagsterInstance.from_ref(instance.get_ref()) as again:  # as a run worker opens it
            assert again.get_dynamic_partitions("episodes") == ["a.mcap"]
    assert server.query(database, "SELECT partition FROM dynamic_partitions") == "a.mcap"
    assert not list((tmp_path).rglob("*.db"))


def test_moving_from_sqlite_makes_nothing_again(
    server: Server, shared_line: Any, events: list[dg.EventLogEntry], tmp_path: Path
) -> None:
    versions = shared_line.dataset.published("a.mcap")
    settings = {"module": "pipelines.postgres", "class": "PostgresStorage"}
    config = {"postgres_url": server.url(server.create_database())}
    overrides = {"storage": {"custom": {**settings, "config": config}}}
    with dg.instance_for_test(temp_dir=str(tmp_path), overrides=overrides) as instance:
        moved = replace(shared_line, instance=instance)
        assert moved.materialised("episode") == set()
        assert moved.register() == ["a.mcap", "b.mcap", "c.mcap"]
        moved.ingest("a.mcap", "c.mcap")
        assert moved.materialised("preview") == {"a.mcap"}
        assert moved.latest("episode", "a.mcap").metadata["is_reused"].value is True
        assert moved.failed("preview") == {"b.mcap", "c.mcap"}
    assert shared_line.dataset.published("a.mcap") == versions


def _rows(log: PostgresEventLogStorage, table: str, columns: str, where: str = "true") -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(log.postgres_url.replace("+psycopg2", ""))
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {columns} FROM {table} WHERE {where} ORDER BY {columns}")  # noqa: S608 - our names
            return cursor.fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize("password", ["hun@ter2", "hun/ter2", "hun#ter2", "hun?ter2", "a:b/c@d"])
def test_a_password_that_would_be_cut_is_refused_and_not_told(password: str) -> None:
    with pytest.raises(SettingsError, match="%40") as refused:
        url_of({"postgres_url": f"postgresql://user:{password}@host/dagster"})
    assert password not in str(refused.value)
    assert "ter2" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:hun%40ter2@host:5432/dagster",
        "postgresql:///dagster?host=/var/run/postgresql",
        "postgresql://%2Frun%2Fpg/dagster",
        "postgresql://user:word@host/dagster?options=-c%20a=b@c",
        "postgres://user@host/dagster",
    ],
)
def test_other_addresses_of_databases_stay(url: str) -> None:
    assert url_of({"postgres_url": url}).partition("://")[2] == url.partition("://")[2]
