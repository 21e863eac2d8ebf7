"""Scenes, cases and contenders brought together: every figure's samples, taken in turns."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

from benchmarks.child import run_child
from benchmarks.loader import cases
from benchmarks.loader.cases import Case
from benchmarks.loader.contenders import (
    CEILING,
    FILMS,
    OURS,
    OURS_WHOLE,
    SAME_PIXELS,
    Contender,
    array_contenders,
    depth_contenders,
    loader_contenders,
)
from benchmarks.loader.lerobot_environment import LeRobot
from benchmarks.loader.scenes import SMALL_SIZE, Scene
from benchmarks.loader.stores import Stores, write_stores
from benchmarks.rounds import take_turns
from benchmarks.standing import StandingChild

Taken = dict[str, list[dict[str, Any]]]
"""Contender → its answers, one a round."""
WARM, COLD = "warm", "cold"
_SMALL_BATCH: Final = 64
_PLAIN: Final = (cases.ONE, cases.TWO, cases.SIX, cases.EIGHT, cases.TWO_CAMERAS)


@dataclass(frozen=True, slots=True)
class Settings:
    """How large a contest is."""

    num_ticks: list[int]
    """Of every episode."""
    num_rounds: int
    num_threads: int
    turn_seconds: float
    """Of one contender's turn, at least two batches."""
    workers: tuple[int, ...]
    lerobot: LeRobot | None


@dataclass(frozen=True, slots=True)
class Figure:
    """One case of one scene, all contenders."""

    scene: str
    case: Case
    cache: str
    """`warm` or `cold`."""
    num_workers: int | None
    """None: called for arrays, without a loader around it."""
    taken: Taken

    def rates(self, contender: str) -> list[float]:
        """Samples a second, one figure a round."""
        return [answer["num_samples"] / answer["seconds"] for answer in self.taken[contender]]

    def cpu_seconds(self, contender: str) -> list[float] | None:
        """Of a sample, on all threads; None of what has workers, whose time is known when they have ended."""
        answers = self.taken[contender]
        if "cpu_seconds" not in answers[0]:
            return None
        return [answer["cpu_seconds"] / answer["num_samples"] for answer in answers]

    @property
    def key(self) -> str:
        """For the file of samples."""
        workers = "" if self.num_workers is None else f", {self.num_workers} workers"
        return f"{self.scene}, {self.case.name}, {self.cache}{workers}"


class SceneContest:
    """All contenders on one scene.

    Args:
        scene: Which.
        settings: How large.
        folder: An empty one for the stores.
    """

    def __init__(self, scene: Scene, settings: Settings, folder: Path) -> None:
        self.scene, self._settings, self._folder = scene, settings, folder
        self.stores: Stores = write_stores(scene, folder, settings.num_ticks)
        if settings.lerobot is not None:
            run_child(
                "benchmarks.loader.lerobot:prepare_writing",
                {"folder": str(folder)},
                python=settings.lerobot.python,
                environment=settings.lerobot.environment,
            )

    def arrays(self) -> list[Figure]:
        """Batches of arrays, in the contender's own process, warm; the single frame cold as well."""
        num_threads, is_small = self._settings.num_threads, self.scene.size == SMALL_SIZE
        contenders = array_contenders(self._settings.lerobot, num_threads=num_threads, is_small=is_small)
        # Pictures of 96×96 pixels would be enlarged.
        small: tuple[Case, ...] = () if is_small else (cases.SMALL, cases.SMALL_EIGHT)
        with _Standing(contenders, self._folder) as standing:
            self._compare(standing, _sized(cases.EIGHT, self.scene))
            asked = [_sized(case, self.scene) for case in (*_PLAIN, *small)]
            figures = [self._array_figure(standing, case, WARM) for case in asked]
            # The ceiling reads no file, so nothing of it can be cold.
            return [*figures, self._array_figure(standing, asked[0], COLD)]

    def depth(self) -> list[Figure]:
        """Single depth frames, warm and cold."""
        if not self.scene.has_depth:
            return []
        with _Standing(depth_contenders(num_threads=self._settings.num_threads), self._folder) as standing:
            self._compare(standing, cases.DEPTH_ONE)
            return [self._array_figure(standing, cases.DEPTH_ONE, cache) for cache in (WARM, COLD)]

    def loaders(self) -> list[Figure]:
        """Batches of tensors by loaders with workers: the single frame warm and cold, a window of two warm."""
        figures = []
        contenders = loader_contenders(self._settings.lerobot, is_small=self.scene.size == SMALL_SIZE)
        with _Standing(contenders, self._folder) as standing:
            for case, cache in ((cases.ONE, WARM), (cases.TWO, WARM), (cases.ONE, COLD)):
                asked = _sized(case, self.scene)
                for num_workers in self._settings.workers:
                    question = {"case": asked.as_json(), "num_workers": num_workers, "is_cold": cache == COLD}
                    taken = self._turns(standing.children, dict.fromkeys(standing.children, question))
                    figures.append(Figure(self.scene.name, asked, cache, num_workers, taken))
        return figures

    def _array_figure(self, standing: _Standing, case: Case, cache: str) -> Figure:
        questions = {name: {"case": case.as_json(), "is_cold": cache == COLD} for name in standing.children}
        children = dict(standing.children)
        if case.name == cases.SMALL.name:
            # What it is held against takes its turns with it.
            children[OURS_WHOLE] = children[OURS]
            questions[OURS_WHOLE] = {**questions[OURS], "case": cases.ONE.as_json()}
        for name, child in children.items():
            # What is opened and allocated once is none of a batch's cost.
            child.ask(**{**questions[name], "is_cold": False}, seed=0, seconds=0.0)
        return Figure(self.scene.name, case, cache, None, self._turns(children, questions))

    def _turns(self, children: Mapping[str, StandingChild], questions: Mapping[str, Mapping[str, Any]]) -> Taken:
        first = next(iter(questions.values()))
        of_workers = f", {first['num_workers']} workers" if "num_workers" in first else ""
        cache = COLD if first["is_cold"] else WARM
        print(f"  {first['case']['name']}, {cache}{of_workers} …", file=sys.stderr, flush=True)
        seeds = {name: iter(range(1, self._settings.num_rounds + 1)) for name in children}

        def ask(name: str) -> dict[str, Any]:
            seconds = self._settings.turn_seconds
            return children[name].ask(**questions[name], seed=next(seeds[name]), seconds=seconds)

        turns: dict[str, Callable[[], dict[str, Any]]] = {name: partial(ask, name) for name in children}
        return take_turns(turns, num_rounds=self._settings.num_rounds)

    @staticmethod
    def _compare(standing: _Standing, case: Case) -> None:
        """That all who read the same bytes give the same pixels."""
        found = {
            name: child.ask(case=case.as_json(), seed=5, seconds=0.0, is_compared=True)["digests"]
            for name, child in standing.children.items()
            if name in SAME_PIXELS
        }
        for name, digests in found.items():
            if digests != found[CEILING]:
                raise RuntimeError(f"{name} gives other pixels than the decoder alone: {digests}, {found[CEILING]}")


class _Standing:
    """The contenders' processes."""

    def __init__(self, contenders: Sequence[Contender], folder: Path) -> None:
        self._contenders, self._folder = contenders, folder
        self._stack = ExitStack()
        self.children: dict[str, StandingChild] = {}

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for contender in self._contenders:
                self.children[contender.name] = stack.enter_context(contender.start(self._folder))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()


def film_contenders(taken: Taken) -> list[str]:
    """Those that are torchcodec by itself."""
    return [name for name in FILMS if name in taken]


def _sized(case: Case, scene: Scene) -> Case:
    """A case with larger batches where the pictures are small."""
    return replace(case, batch_size=_SMALL_BATCH) if scene.size == SMALL_SIZE else case
