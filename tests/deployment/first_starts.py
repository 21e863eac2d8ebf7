"""Processes that open Dagster's instance on an empty folder at the same instant: `python -m tests.deployment.first_starts`.

A program of its own, which forks: what takes time is the start of Python and the import of Dagster, and the race is over in less.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import traceback
from contextlib import closing
from pathlib import Path

import dagster as dg

from pipelines.database import prepare
from pipelines.deployment import ROOT

FILES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")


def main(folder: Path, rounds: int, processes: int, *, is_prepared: bool) -> int:
    """Print what went wrong in each round; the exit code is how many did."""
    wrong = 0
    for number in range(rounds):
        home = folder / str(number)
        home.mkdir(parents=True)
        shutil.copy(ROOT / "pipelines" / "dagster.yaml", home)
        os.environ["DAGSTER_HOME"] = str(home)
        problems = [*_start_together(processes, is_prepared=is_prepared), *_heads(home)]
        wrong += bool(problems)
        if problems:
            print(number, problems, flush=True)  # noqa: T201 - what the test reads
    return wrong


def _start_together(processes: int, *, is_prepared: bool) -> list[str]:
    reader, writer = os.pipe()
    children = []
    for _ in range(processes):
        child = os.fork()
        if child == 0:
            os.close(writer)
            os.read(reader, 1)  # until the parent closes its end
            os._exit(_open(is_prepared=is_prepared))
        children.append(child)
    os.close(reader)
    os.close(writer)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    return [f"exit code {code}" for code in codes if code]


def _open(*, is_prepared: bool) -> int:
    try:
        if is_prepared:
            prepare()
        with dg.DagsterInstance.get() as instance:
            instance.get_dynamic_partitions("episodes")
            instance.get_runs_count()
            instance.all_instigator_state()
    except BaseException:  # noqa: BLE001 - whatever it is, it is told
        traceback.print_exc()
        return 1
    return 0


def _heads(home: Path) -> list[str]:
    found = []
    for name in FILES:
        with closing(sqlite3.connect(home / name)) as connection:
            rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        if len(rows) != 1:
            found.append(f"{name}: {len(rows)} versions")
    return found


if __name__ == "__main__":
    place, count, together, how = sys.argv[1:]
    sys.exit(main(Path(place), int(count), int(together), is_prepared=how == "prepared"))
