"""Dagster's database made ready, once, before anything that uses it starts: `python -m pipelines.database`.

Whichever process of Dagster comes first makes the tables. Where two come first, each finds half of what the other makes: one of
them ends with an error, or two versions are noted, and nothing starts any more. So whatever starts processes comes here before.
"""

from __future__ import annotations

import argparse
import fcntl
import importlib.util
import os
import re
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic.script import ScriptDirectory
from dagster import DagsterError, DagsterInstance

from bagmill.errors import BagmillError

_LOCK: Final = ".first_start.lock"
_FILES: Final = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
"""Where Dagster keeps its SQLite databases, but for those of single runs."""
_ROOM_BYTES: Final = 4 * 2**20
"""What a start alone writes, and some more: with less, the first sensor's tick would end in an error."""

_UNSET: Final = re.compile(r'environment variable "(\w+)" which is not set')
"""As Dagster says it, between pages of its own code."""


class DatabaseError(BagmillError):
    """Dagster's folder or database is not there, cannot be written, or is of another version."""


def prepare() -> None:
    """Make or mend the database of `DAGSTER_HOME`; one process at a time does, the others wait for it.

    Raises:
        DatabaseError: What is wrong with the folder or the database, and what to do.
    """
    home = _home()
    with _locked(home):
        for name in _FILES:
            if (home / name).is_file():
                _keep_one_version(home / name)
        try:
            with DagsterInstance.get() as instance:
                _make(instance)
        except (DagsterError, sa.exc.SQLAlchemyError, OSError, sqlite3.Error) as err:
            raise _told(err, home) from err


def _home() -> Path:
    named = os.environ.get("DAGSTER_HOME")
    if not named:
        raise DatabaseError(
            "DAGSTER_HOME is not set", remedy="Set it to the folder that Dagster keeps its history in: an absolute path"
        )
    home = Path(named)
    if not home.is_absolute() or not home.is_dir():
        raise DatabaseError(
            "DAGSTER_HOME is no folder that is there, by an absolute path",
            path=home,
            remedy="Make it, and put pipelines/dagster.yaml into it",
        )
    return home


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Hold the folder's lock, which ends with the process; nothing else is written where there is no room."""
    try:
        with (home / _LOCK).open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with tempfile.TemporaryFile(dir=home) as probe:
                probe.write(bytes(_ROOM_BYTES))
                probe.flush()
                os.fsync(probe.fileno())
            yield
    except OSError as err:
        raise _told(err, home) from err


def _told(err: Exception, home: Path) -> DatabaseError:
    """A failure in one sentence, and what can be done."""
    if missing := _UNSET.search(str(err)):
        return DatabaseError(
            f"Dagster's database cannot be used: {missing[1]} is not set, and dagster.yaml asks for it",
            path=home,
            remedy="Set it as /etc/bagmill/environment does for the services, and start again",
        )
    reason = str(getattr(err, "orig", None) or getattr(err, "strerror", None) or err).strip().split("\n")[0]
    remedies = {
        ("no space left", "is full", "quota"): f"Make room on its disk (df -h {home}), and start again",
        ("read-only", "readonly", "permission denied", "unable to open"): (
            "Let the account that this runs as write there (ls -ld, id), and start again"
        ),
        (
            "malformed",
            "not a database",
        ): "Put it back from a backup, or move it away: episodes are not in it, only history",
        ("connection", "connect"): "Start the database's server, or mend BAGMILL_POSTGRES_URL",
    }
    remedy = next((text for words, text in remedies.items() if any(word in reason.lower() for word in words)), None)
    return DatabaseError(f"Dagster's database cannot be used ({reason})", path=home, remedy=remedy)


def _keep_one_version(path: Path) -> None:
    """Of several versions noted by processes that started together, keep the last: the tables were made for it."""
    try:
        with closing(sqlite3.connect(path, timeout=60)) as connection, connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
                return
            noted = {str(row[0]) for row in connection.execute("SELECT version_num FROM alembic_version")}
            if len(noted) < 2:
                return
            last = _last_of(noted, path)
            connection.execute("DELETE FROM alembic_version WHERE version_num != ?", (last,))
    except sqlite3.Error as err:
        raise _told(err, path) from err
    print(f"{path} had {len(noted)} versions noted, of a first start that went wrong: {last} is kept.", file=sys.stderr)


def _last_of(noted: set[str], path: Path) -> str:
    spec = importlib.util.find_spec("dagster")
    assert spec is not None
    assert spec.origin is not None
    script = ScriptDirectory(str(Path(spec.origin).parent / "_core" / "storage" / "alembic"))
    known = [str(revision.revision) for revision in script.walk_revisions()]  # the newest first
    if not noted <= set(known):
        raise DatabaseError(
            f"Dagster's database is of versions that this Dagster does not know ({', '.join(sorted(noted))})",
            path=path,
            remedy="Put it back from a backup, or install the Dagster that it was made with",
        )
    return next(revision for revision in known if revision in noted)


def _make(instance: DagsterInstance) -> None:
    """Have every table made, and what a process that was killed over it left undone."""
    storages = (instance.run_storage, instance.event_log_storage, instance.schedule_storage)
    is_behind = any(len(set(storage.alembic_version() or ())) > 1 for storage in storages if storage is not None)
    if is_behind and instance.get_runs_count() == 0:
        instance.upgrade()
    elif is_behind:
        print(
            "Dagster's database is of an older Dagster. Stop the services, copy DAGSTER_HOME, and run: dagster instance migrate",
            file=sys.stderr,
        )
        return
    instance.run_storage.migrate()
    instance.run_storage.optimize()
    instance.event_log_storage.reindex_events()
    instance.event_log_storage.reindex_assets()
    if instance.schedule_storage is not None:
        instance.schedule_storage.migrate()
        instance.schedule_storage.optimize()


def main(arguments: list[str] | None = None) -> int:
    """Make it ready; the exit code is 2 where that cannot be done."""
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.database",
        description="Make the database of DAGSTER_HOME ready, before Dagster's processes start. Where it is, nothing is done.",
    )
    parser.parse_args(arguments)
    try:
        prepare()
    except BagmillError as err:
        print(err, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
