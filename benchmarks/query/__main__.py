"""The command line: `python -m benchmarks.query --json FILE`."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import pandas as pd

from bagmill.dataset import Dataset, curate, load_snapshot, resolve_id, select
from benchmarks.child import run_child
from benchmarks.program import make_parser, num_rounds, publish
from benchmarks.query.library import make_library
from benchmarks.query.questions import QUESTIONS, Question
from benchmarks.rounds import Spread, paired_ratio, take_turns
from benchmarks.table import Column, Table

_SIZES: Final = (1_000, 10_000, 100_000)
_QUICK_SIZES: Final = (1_000, 10_000)
_NUM_CALLS: Final = 10
"""Of one contender, for one sample, which is the fastest of them: what else the machine does only adds to it."""
_MOST_MS: Final = 10.0
"""The bar, for 100,000 episodes."""
_MOST_OPEN_S: Final = 1.0
"""The bar, for 10,000 episodes."""

_ASKED: Final = (
    Column("num_episodes", "episodes", ",.0f"),
    Column("question", "condition on"),
    Column("num_rows", "rows chosen", ",.0f"),
    Column("select_ms", "select, ms", ".2f"),
    Column("query_ms", "DataFrame.query, ms", ".2f"),
    Column("mask_ms", "masks by hand, ms", ".2f"),
    Column("ratio_to_mask", "select to masks", ".2f"),
    Column("is_within_bar", f"≤ {_MOST_MS:.0f} ms"),
)
_OPENED: Final = (
    Column("num_episodes", "episodes", ",.0f"),
    Column("size_mb", "table, MB", ".2f"),
    Column("open_ms", "open, ms", ".1f"),
    Column("first_s", "first answer of a new process, s", ".2f"),
    Column("curate_ms", "curated snapshot with splits, ms", ".0f"),
    Column("is_within_bar", f"open ≤ {_MOST_OPEN_S:.0f} s"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        The exit code.
    """
    parser = make_parser("query", "Opening a snapshot, and asking which of its episodes are meant.")
    parser.add_argument(
        "--episodes", type=int, nargs="+", metavar="N", help="snapshots' sizes (default: 1000 10000 100000; quick: two)"
    )
    options = parser.parse_args(arguments)
    sizes = options.episodes or (_QUICK_SIZES if options.quick else _SIZES)
    asked: list[dict[str, Any]] = []
    opened: list[dict[str, Any]] = []
    samples: dict[str, Any] = {}
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="bagmill-bench-") as folder:
            dataset = make_library(Path(folder), size)
            of_opening, samples[f"open {size}"] = _measure_opening(dataset, size, rounds=num_rounds(options))
            opened.append(of_opening)
            table = load_snapshot(dataset)
            for question in QUESTIONS:
                row, samples[f"{question.name}, {size}"] = _measure_asking(table, question, rounds=num_rounds(options))
                asked.append(row)
    notes = [
        "From a table in memory to one of the chosen rows, every column: choosing and copying. The three agree in every row.",
        "; ".join(f"{question.name}: `{question.where}`" for question in QUESTIONS),
    ]
    tables = [
        Table("Asking a snapshot that is open", _ASKED, asked, notes),
        Table(
            "Opening one", _OPENED, opened, ["Opened: read, compared with its id, in memory; pandas imported before."]
        ),
    ]
    publish("query", tables, options=options, settings={"num_calls": _NUM_CALLS}, samples=samples)
    return 0


def _measure_asking(table: pd.DataFrame, question: Question, *, rounds: int) -> tuple[dict[str, Any], dict[str, Any]]:
    contenders: dict[str, Callable[[], pd.DataFrame]] = {
        "select": lambda: select(table, question.where),
        "query": lambda: table.query(question.pandas_where, engine="python"),
        "mask": lambda: table[question.mask(table)],
    }
    chosen = contenders["select"]()
    for name in ("query", "mask"):
        if not contenders[name]().reset_index(drop=True).equals(chosen):
            raise RuntimeError(f"{question.name}: {name} gives other rows than select")
    taken = take_turns({name: partial(_fastest_s, ask) for name, ask in contenders.items()}, num_rounds=rounds)
    select_ms = 1e3 * Spread.of(taken["select"]).median
    row = {
        "num_episodes": len(table),
        "question": question.name,
        "num_rows": len(chosen),
        "select_ms": select_ms,
        "query_ms": 1e3 * Spread.of(taken["query"]).median,
        "mask_ms": 1e3 * Spread.of(taken["mask"]).median,
        "ratio_to_mask": paired_ratio(taken["select"], taken["mask"]).median,
        "is_within_bar": select_ms <= _MOST_MS,
    }
    return row, dict(taken)


def _measure_opening(dataset: Dataset, size: int, *, rounds: int) -> tuple[dict[str, Any], dict[str, Any]]:
    snapshot_id = resolve_id(dataset, "latest")
    where = QUESTIONS[0].where

    def make_curated() -> float:
        started = time.perf_counter()
        curated = curate(dataset, where=where, splits={"train": 0.8, "val": 0.1, "test": 0.1})
        seconds = time.perf_counter() - started
        curated.path.unlink()
        return seconds

    def first_answer() -> float:
        arguments = {"dataset": str(dataset.path), "where": where}
        return run_child("benchmarks.query.first_answer:prepare", arguments).seconds

    contenders = {
        "open": lambda: _fastest_s(lambda: load_snapshot(dataset)),
        "curate": make_curated,
        "first": first_answer,
    }
    taken = take_turns(contenders, num_rounds=rounds)
    open_s = Spread.of(taken["open"]).median
    row = {
        "num_episodes": size,
        "size_mb": (dataset.snapshots_dir / f"{snapshot_id}.parquet").stat().st_size / 1e6,
        "open_ms": 1e3 * open_s,
        "first_s": Spread.of(taken["first"]).median,
        "curate_ms": 1e3 * Spread.of(taken["curate"]).median,
        "is_within_bar": open_s <= _MOST_OPEN_S,
    }
    return row, dict(taken)


def _fastest_s(ask: Callable[[], object]) -> float:
    samples = []
    for _ in range(_NUM_CALLS):
        started = time.perf_counter()
        ask()
        samples.append(time.perf_counter() - started)
    return min(samples)


if __name__ == "__main__":
    sys.exit(main())
