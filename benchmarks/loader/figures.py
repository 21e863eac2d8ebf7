"""Samples → rows of tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from benchmarks.loader.bars import Growth, Opening
from benchmarks.loader.contenders import CEILING, OURS
from benchmarks.loader.contest import Figure
from benchmarks.rounds import Spread, paired_ratio
from benchmarks.table import Column, Record, Table

_COLUMNS: Final = (
    Column("scene", "scene"),
    Column("case", "a sample"),
    Column("cache", "files"),
    Column("num_workers", "workers"),
    Column("contender", "contender"),
    Column("samples_per_s", "samples/s", ",.0f"),
    Column("cpu_ms", "CPU ms a sample", ".3f"),
    Column("ratio_to_ceiling", "speed to the ceiling", ".2f"),
    Column("ours_is_faster", "bagmill is × as fast", ".2f"),
    Column("memory_mib", "memory MiB", ",.0f"),
    Column("spread_percent", "spread %", ".0f"),
)


def figure_table(title: str, figures: Sequence[Figure], *, notes: Sequence[str]) -> Table:
    """A row for every contender of every figure; columns in which there is nothing are left out."""
    rows = [_row(figure, name) for figure in figures for name in figure.taken]
    columns = [column for column in _COLUMNS if any(row[column.key] is not None for row in rows)]
    return Table(title, columns, rows, notes)


def growth_table(growths: Sequence[Growth]) -> Table:
    """Resident memory after so many samples."""
    points = list(growths[0].rss_bytes) if growths else []
    columns = [
        Column("name", "process"),
        *(Column(f"rss_mib, {point}", f"RSS MiB after {point:,} samples", ",.1f") for point in points),
        Column("growth_percent", "growth from the second to the last, %", ".2f"),
    ]
    rows: list[Record] = [
        {
            "name": growth.name,
            **{f"rss_mib, {point}": found / 2**20 for point, found in growth.rss_bytes.items()},
            "growth_percent": growth.percent,
        }
        for growth in growths
    ]
    return Table("Memory over many samples", columns, rows, ["96×96, one frame, state and 16 actions; one thread."])


def opening_table(openings: Sequence[Opening], *, notes: Sequence[str]) -> Table:
    """Seconds to the first batch of a large snapshot."""
    columns = [
        Column("num_episodes", "episodes", ","),
        Column("import_s", "import s", ".2f"),
        Column("open_s", "open s", ".2f"),
        Column("batch_s", "first batch s", ".3f"),
        Column("loader_s", "make_loader: open and first batch s", ".2f"),
    ]
    if not openings:
        return Table("Opening", columns)
    row: Record = {
        "num_episodes": openings[0].num_episodes,
        **{
            key: None if getattr(openings[0], key) is None else Spread.of([getattr(o, key) for o in openings]).median
            for key in ("import_s", "open_s", "batch_s", "loader_s")
        },
    }
    return Table("Opening", columns, [row], notes)


def _row(figure: Figure, name: str) -> dict[str, str | int | float | bool | None]:
    own = figure.taken[name]
    speed, cpu_seconds = Spread.of(figure.rates(name)), figure.cpu_seconds(name)
    return {
        "scene": figure.scene,
        "case": figure.case.name,
        "cache": figure.cache,
        "num_workers": figure.num_workers,
        "contender": name,
        "samples_per_s": speed.median,
        "cpu_ms": None if cpu_seconds is None else 1e3 * Spread.of(cpu_seconds).median,
        "ratio_to_ceiling": _ratio(figure, name, CEILING),
        "ours_is_faster": _ratio(figure, OURS, name),
        "memory_mib": Spread.of([answer["pss_bytes"] for answer in own]).median / 2**20,
        "spread_percent": speed.percent,
    }


def _ratio(figure: Figure, name: str, to: str) -> float | None:
    if name not in figure.taken or to not in figure.taken:
        return None
    return paired_ratio(figure.rates(name), figure.rates(to)).median
