"""What the loader is held to, and what was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from benchmarks.loader import cases
from benchmarks.loader.contenders import CEILING, OURS, OURS_WHOLE
from benchmarks.loader.contest import WARM, Figure, film_contenders
from benchmarks.rounds import Spread, paired_ratio
from benchmarks.table import Column, Record, Table

_TO_CEILING: Final = 0.9
_TO_LEROBOT: Final = 4.0
_SMALL_TO_FULL: Final = 1.3
_WINDOW_TO_FILM: Final = 1.5
_SMALL_WINDOW_TO_FILM: Final = 3.0
_DEPTH_TIME: Final = 1.3
_MOST_GROWTH_PERCENT: Final = 2.0
"""Of a process between the second and the last look: what an allocator may still be about."""
_MOST_OPEN_S: Final = 1.0
_MOST_BATCH_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Growth:
    """A process's resident memory by the number of samples that it had loaded."""

    name: str
    rss_bytes: dict[int, int]

    @property
    def percent(self) -> float:
        """From the second look to the last one."""
        found = list(self.rss_bytes.values())
        return 100 * (found[-1] / found[1] - 1)


@dataclass(frozen=True, slots=True)
class Opening:
    """Seconds of one process."""

    num_episodes: int
    import_s: float
    open_s: float
    batch_s: float
    loader_s: float | None
    """With a dataset of its own, opened and read by `make_loader`; None where there is no torch."""

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def table(
    arrays: Sequence[Figure],
    depth: Sequence[Figure],
    loaders: Sequence[Figure],
    growths: Sequence[Growth],
    openings: Sequence[Opening],
) -> Table:
    """A row for every bar that could be measured."""
    columns = [
        Column("bar", "bar"),
        Column("where", "where"),
        Column("wanted", "wanted"),
        Column("found", "found", ".2f"),
        Column("low", "least", ".2f"),
        Column("high", "greatest", ".2f"),
        Column("by_cpu", "by processor time", ".2f"),
        Column("is_met", "met"),
    ]
    rows = [*_of_arrays(arrays), *_of_depth(depth), *_of_loaders(loaders), *_of_memory(growths), *_of_opening(openings)]
    notes = [
        "Warm. Found: the median; least and greatest of the rounds. By processor time: the same ratio of the CPU seconds of a "
        "sample, which a machine with other work on it disturbs less."
    ]
    return Table("Against what is wanted", columns, rows, notes)


def _of_arrays(figures: Sequence[Figure]) -> Iterator[Record]:
    for figure in figures:
        if figure.cache != WARM:
            continue
        films = film_contenders(figure.taken)
        match figure.case.name:
            case cases.ONE.name:
                yield _faster("random full frame, × the ceiling's rate", figure, CEILING, _TO_CEILING)
            case cases.SMALL.name:
                yield _faster("224×224 from 640×480, × the full frame's rate", figure, OURS_WHOLE, _SMALL_TO_FULL)
            case cases.EIGHT.name if films:
                best = _fastest(figure, films)
                yield _faster(f"{figure.case.name}, × {best}", figure, best, _WINDOW_TO_FILM)
            case cases.SMALL_EIGHT.name if films:
                best = _fastest(figure, films)
                yield _faster(f"{figure.case.name}, × {best}", figure, best, _SMALL_WINDOW_TO_FILM)


def _of_depth(figures: Sequence[Figure]) -> Iterator[Record]:
    for figure in figures:
        if figure.cache == WARM:
            found = paired_ratio(figure.rates(CEILING), figure.rates(OURS))
            by_cpu = _cpu_ratio(figure, OURS, CEILING)
            yield _at_most("random depth frame, × the time of zstd alone", figure.scene, _DEPTH_TIME, found, by_cpu)


def _of_loaders(figures: Sequence[Figure]) -> Iterator[Record]:
    for figure in figures:
        rivals = [name for name in figure.taken if name.startswith("LeRobot")]
        if OURS in figure.taken and rivals and figure.cache == WARM and figure.case.name == cases.ONE.name:
            best = _fastest(figure, rivals)
            yield _faster(f"random full frame, × {best}", figure, best, _TO_LEROBOT)


def _of_memory(growths: Sequence[Growth]) -> Iterator[Record]:
    for growth in growths:
        grown = Spread.of([growth.percent])
        yield _at_most("memory's growth to the last sample, %", growth.name, _MOST_GROWTH_PERCENT, grown)


def _of_opening(openings: Sequence[Opening]) -> Iterator[Record]:
    if openings:
        where = f"{openings[0].num_episodes:,} episodes"
        yield _at_most("opening a snapshot, s", where, _MOST_OPEN_S, Spread.of([each.open_s for each in openings]))
        firsts = [each.open_s + each.batch_s for each in openings]
        yield _at_most("opening it and the first batch, s", where, _MOST_BATCH_S, Spread.of(firsts))


def _faster(bar: str, figure: Figure, than: str, wanted: float) -> Record:
    found = paired_ratio(figure.rates(OURS), figure.rates(than))
    workers = "" if figure.num_workers is None else f", {figure.num_workers} workers"
    by_cpu = _cpu_ratio(figure, than, OURS)
    return _row(bar, f"{figure.scene}{workers}", f"≥ {wanted:g}", found, by_cpu, is_met=found.median >= wanted)


def _at_most(bar: str, where: str, wanted: float, found: Spread, by_cpu: float | None = None) -> Record:
    return _row(bar, where, f"≤ {wanted:g}", found, by_cpu, is_met=found.median <= wanted)


def _row(bar: str, where: str, wanted: str, found: Spread, by_cpu: float | None, *, is_met: bool) -> Record:
    return {
        "bar": bar,
        "where": where,
        "wanted": wanted,
        "found": found.median,
        "low": found.low,
        "high": found.high,
        "by_cpu": by_cpu,
        "is_met": is_met,
    }


def _fastest(figure: Figure, names: Sequence[str]) -> str:
    return max(names, key=lambda name: Spread.of(figure.rates(name)).median)


def _cpu_ratio(figure: Figure, name: str, to: str) -> float | None:
    own, others = figure.cpu_seconds(name), figure.cpu_seconds(to)
    return None if own is None or others is None else paired_ratio(own, others).median
