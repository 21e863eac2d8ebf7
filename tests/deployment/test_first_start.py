"""The first start on an empty folder, of daemon and web server together, as the services' units start them."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from alembic.util import CommandError
from dagster._core.storage.sqlite import LAST_KNOWN_STAMPED_SQLITE_ALEMBIC_REVISION

from pipelines import database
from pipelines.deployment import ROOT
from tests.deployment.conftest import Postgres
from tests.units import commands_of

FILES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
PATIENCE_S = 240


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "dagster"
    home.mkdir()
    shutil.copy(ROOT / "pipelines" / "dagster.yaml", home)
    (tmp_path / "deployment.yaml").write_text("{}")
    (tmp_path / "workspace.yaml").write_text("load_from: []")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    monkeypatch.setenv("BAGMILL_DEPLOYMENT", str(tmp_path / "deployment.yaml"))
    return home


def start_together(home: Path) -> None:
    """Daemon and web server at the same instant, up to where both work; then their end."""
    script = " && ".join
    running = {}
    for unit in ("daemon", "webserver"):
        commands = commands_of(unit, {"/etc/bagmill/workspace.yaml": str(home.parent / "workspace.yaml")})
        text = script(" ".join(command) for command in commands[:-1])
        last = "exec " + " ".join(commands[-1])
        with (home / f"{unit}.log").open("wb") as log:
            running[unit] = subprocess.Popen(
                ["sh", "-c", f"{text} && {last}" if text else last], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
            )
    try:
        works = {"webserver": "Dagster's web UI at", "daemon": "Instance is configured with the following daemons"}
        deadline = time.monotonic() + PATIENCE_S
        while works:
            for unit, text in list(works.items()):
                said = (home / f"{unit}.log").read_text()
                assert running[unit].poll() is None, said[-3000:]
                assert time.monotonic() < deadline, said[-3000:]
                if text in said:
                    del works[unit]
            time.sleep(0.1)
    finally:
        for process in running.values():
            process.send_signal(signal.SIGINT)
        for process in running.values():
            process.wait(60)


def versions(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {row[0] for row in connection.execute("SELECT version_num FROM alembic_version")}


def assert_sound(home: Path) -> None:
    noted = [versions(home / name) for name in FILES]
    assert [len(each) for each in noted] == [1, 1, 1]
    assert len(set.union(*noted)) == 1
    for log in home.glob("*.log"):
        assert "Traceback" not in log.read_text()
    with dg.DagsterInstance.get() as instance:
        assert instance.run_storage.has_built_index("run_repo_label_tags")
        assert instance.event_log_storage.has_secondary_index("asset_key_table")


def test_both_at_once(home: Path) -> None:
    start_together(home)
    assert_sound(home)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(20))
def test_both_at_once_twenty_times(home: Path, number: int) -> None:
    start_together(home)
    assert_sound(home)


@pytest.mark.slow
def test_the_race_itself(tmp_path: Path) -> None:
    """Three processes that come to it at the same instant, over and over."""
    program = [sys.executable, "-m", "tests.deployment.first_starts", str(tmp_path), "20", "3", "prepared"]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr[-3000:]


def test_again_it_does_nothing(home: Path) -> None:
    database.prepare()
    before = {name: (home / name).read_bytes() for name in FILES}
    database.prepare()
    assert {name: (home / name).read_bytes() for name in FILES} == before


def _note(path: Path, *revisions: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany("INSERT OR IGNORE INTO alembic_version VALUES (?)", [(each,) for each in revisions])


def test_a_folder_that_was_left_with_two_versions_is_mended(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What two processes that were the first left behind: Dagster does not open it."""
    database.prepare()
    (head,) = versions(home / FILES[0])
    for name in FILES:
        # The version that Dagster notes where it finds tables that another process has just made.
        _note(home / name, LAST_KNOWN_STAMPED_SQLITE_ALEMBIC_REVISION)
    with pytest.raises(CommandError, match="more than one head"), dg.DagsterInstance.get():
        pass
    database.prepare()
    assert [versions(home / name) for name in FILES] == [{head}] * 3
    assert capsys.readouterr().err.count(f"{head} is kept") == 3
    assert_sound(home)


def test_versions_that_are_not_known_are_told(home: Path) -> None:
    database.prepare()
    _note(home / FILES[0], "of_the_future")
    with pytest.raises(
        database.DatabaseError, match=r"versions that this Dagster does not know \(.*of_the_future.*backup"
    ):
        database.prepare()


@pytest.mark.parametrize(
    "undo",
    [
        "DROP TABLE alembic_version",
        "DELETE FROM secondary_indexes",
        "DROP TABLE alembic_version; DROP TABLE secondary_indexes",
    ],
)
def test_a_start_that_was_killed_half_way_is_finished(home: Path, undo: str) -> None:
    database.prepare()
    for name in FILES:
        with closing(sqlite3.connect(home / name)) as connection:
            connection.executescript(undo)
    database.prepare()
    assert_sound(home)


def test_an_empty_file_is_no_hindrance(home: Path) -> None:
    for name in FILES:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).touch()
    database.prepare()
    assert_sound(home)


@pytest.fixture
def full(home: Path) -> Iterator[Path]:
    """A folder on a disk of its own, of two MiB."""
    folder = home.parent / "full"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount a file system")
    try:
        shutil.copy(home / "dagster.yaml", folder)
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("module", ["pipelines.database", "pipelines.web", "pipelines.ui"])
def test_a_full_disk_is_told_in_words(full: Path, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(full))
    more = [] if module == "pipelines.database" else ["--port", "0"]
    done = subprocess.run([sys.executable, "-m", module, *more], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    said = done.stderr.strip().splitlines()[-1]
    assert said.startswith(f"{full}: Dagster's database cannot be used (No space left on device).")
    assert f"Make room on its disk (df -h {full})" in said
    assert "Traceback" not in done.stderr


def test_a_folder_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for value, words in ((str(tmp_path / "absent"), "no folder that is there"), ("relative", "absolute path")):
        monkeypatch.setenv("DAGSTER_HOME", value)
        with pytest.raises(database.DatabaseError, match=words):
            database.prepare()
    monkeypatch.delenv("DAGSTER_HOME")
    with pytest.raises(database.DatabaseError, match="DAGSTER_HOME is not set"):
        database.prepare()


def test_a_damaged_file_is_told(home: Path) -> None:
    (home / "history").mkdir()
    (home / FILES[0]).write_bytes(b"no database" * 1000)
    with pytest.raises(database.DatabaseError, match="file is not a database.*from a backup"):
        database.prepare()


def test_on_postgresql_one_makes_the_tables(home: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """From several machines, which no lock of a folder holds apart."""
    shutil.copy(ROOT / "pipelines" / "dagster.postgres.yaml", home / "dagster.yaml")
    url = postgres.server.url(name := postgres.server.create_database())
    monkeypatch.setenv("BAGMILL_POSTGRES_URL", url)
    running = []
    for number in range(3):
        folder = home.parent / f"machine_{number}"
        shutil.copytree(home, folder)
        command = [sys.executable, "-m", "pipelines.database"]
        env = os.environ | {"DAGSTER_HOME": str(folder)}
        running.append(subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True))
    assert [(process.communicate()[1], process.returncode) for process in running] == [("", 0)] * 3
    assert postgres.server.query(name, "SELECT count(*) FROM alembic_version") == "1"


def test_a_variable_that_is_not_set_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(ROOT / "pipelines" / "dagster.postgres.yaml", home / "dagster.yaml")
    monkeypatch.delenv("BAGMILL_POSTGRES_URL", raising=False)
    with pytest.raises(database.DatabaseError, match="BAGMILL_POSTGRES_URL is not set, and dagster.yaml asks for it"):
        database.prepare()
