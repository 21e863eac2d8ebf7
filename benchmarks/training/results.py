"""Runs → tables: how long a step takes, whose time it is, and what that is held to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.loader.contenders import KEPT, OURS
from benchmarks.rounds import Spread, paired_ratio
from benchmarks.table import Column, Record, Table

_TO_SLOWEST: Final = 7.7
_TO_FASTEST: Final = 2.0
_MOST_SHARE_PERCENT: Final = 25.0
_SMALL_POLICIES: Final = ("CNN-BC", "MLP")
_COLUMNS: Final = (
    Column("scene", "scene"),
    Column("policy", "policy"),
    Column("num_workers", "workers"),
    Column("contender", "contender"),
    Column("ms_per_step", "ms a step", ",.1f"),
    Column("wait_percent", "waiting for data, %", ".1f"),
    Column("compute_ms", "computing, ms", ",.1f"),
    Column("ours_is_faster", "bagmill's training is × as fast", ".2f"),
    Column("start_s", "start to first batch, s", ".2f"),
    Column("last_loss", "loss at the last common step", ".6f"),
    Column("has_our_losses", "bagmill's losses"),
    Column("spread_percent", "spread %", ".0f"),
)


@dataclass(frozen=True, slots=True)
class Result:
    """All rounds of one contender with one policy."""

    scene: str
    policy: str
    num_workers: int
    contender: str
    answers: Sequence[Mapping[str, Any]]

    @property
    def key(self) -> str:
        """For the file of samples."""
        return f"{self.scene}, {self.policy}, {self.num_workers} workers, {self.contender}"

    @property
    def step_seconds(self) -> list[float]:
        """Of a step, waiting included; one figure a round."""
        return [answer["total_s"] / answer["num_steps"] for answer in self.answers]

    @property
    def wait_shares(self) -> list[float]:
        """Of the time, that went into waiting; one figure a round."""
        return [answer["wait_s"] / answer["total_s"] for answer in self.answers]


def result_table(results: Sequence[Result], notes: Sequence[str]) -> Table:
    """A row for every contender, policy and number of workers."""
    return Table("Training", _COLUMNS, [_row(result, results) for result in results], notes)


def bar_table(results: Sequence[Result]) -> Table:
    """What training with bagmill's loader is held to, each contender with the workers that suit it best."""
    columns = [
        Column("bar", "bar"),
        Column("where", "where"),
        Column("wanted", "wanted"),
        Column("found", "found", ".2f"),
        Column("is_met", "met"),
    ]
    notes = [
        "Each with the number of workers that it is fastest with. Native: all but bagmill. Share: of bagmill's own time.",
        "`bagmill, frames kept` has bagmill's frame cache, which is on by default for datasets as small as this one.",
    ]
    rows = [row for scene in dict.fromkeys(r.scene for r in results) for row in _bars(results, scene)]
    return Table("Against what is wanted", columns, rows, notes)


def _row(result: Result, results: Sequence[Result]) -> Record:
    ours = _ours(result, results)
    common = min(answer["num_steps"] for each in (result, ours) for answer in each.answers)
    own, reference = result.answers[0]["losses"][: common + 1], ours.answers[0]["losses"][: common + 1]
    step_s, share = Spread.of(result.step_seconds), Spread.of(result.wait_shares).median
    return {
        "scene": result.scene,
        "policy": result.policy,
        "num_workers": result.num_workers,
        "contender": result.contender,
        "ms_per_step": 1e3 * step_s.median,
        "wait_percent": 100 * share,
        "compute_ms": 1e3 * step_s.median * (1 - share),
        "ours_is_faster": paired_ratio(result.step_seconds, ours.step_seconds).median,
        "start_s": Spread.of([answer["start_s"] for answer in result.answers]).median,
        "last_loss": own[-1],
        "has_our_losses": own == reference,
        "spread_percent": step_s.percent,
    }


def _ours(result: Result, results: Sequence[Result]) -> Result:
    """Bagmill's run beside a contender's."""
    same = (result.scene, result.policy, result.num_workers)
    return next(
        each for each in results if each.contender == OURS and (each.scene, each.policy, each.num_workers) == same
    )


def _bars(results: Sequence[Result], scene: str) -> Iterator[Record]:
    for policy in dict.fromkeys(result.policy for result in results):
        best: dict[str, Result] = {}
        for result in results:
            if (result.scene, result.policy) == (scene, policy):
                held = best.setdefault(result.contender, result)
                if _step(result) < _step(held):
                    best[result.contender] = result
        natives = [result for name, result in best.items() if name not in (OURS, KEPT)]
        slowest, fastest = max(natives, key=_step), min(natives, key=_step)
        for ours in (best[name] for name in (OURS, KEPT) if name in best):
            where = f"{scene}, {policy}, {ours.contender}"
            if policy in _SMALL_POLICIES:
                yield _bar(f"training, × the slowest: {slowest.contender}", where, _TO_SLOWEST, slowest, ours)
                yield _bar(f"training, × the fastest: {fastest.contender}", where, _TO_FASTEST, fastest, ours)
            else:
                percent = 100 * Spread.of(ours.wait_shares).median
                yield {
                    "bar": "waiting for data, %",
                    "where": where,
                    "wanted": f"≤ {_MOST_SHARE_PERCENT:g}",
                    "found": percent,
                    "is_met": percent <= _MOST_SHARE_PERCENT,
                }


def _bar(bar: str, where: str, wanted: float, other: Result, ours: Result) -> Record:
    found = paired_ratio(other.step_seconds, ours.step_seconds).median
    return {"bar": bar, "where": where, "wanted": f"≥ {wanted:g}", "found": found, "is_met": found >= wanted}


def _step(result: Result) -> float:
    return Spread.of(result.step_seconds).median
