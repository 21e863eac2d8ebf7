"""What people do with a dataset: each step is the work of one process, and what its ending means for what was promised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Protocol

from bagmill.dataset import (
    Dataset,
    apply_prune,
    curate,
    load_snapshot,
    make_snapshot,
    plan_prune,
    release_for_retry,
)
from bagmill.dataset.snapshot import load_rows
from bagmill.episodes import Episode, verify_episode
from bagmill.errors import QueryError
from bagmill.ingest import IngestOutcome, ingest, split_finished
from tests.simulation import library
from tests.simulation.ledger import Ledger
from tests.simulation.library import CONTENTS, EPISODES, PROFILES, Wish
from tests.simulation.processes import Ending


@dataclass(slots=True)
class Scene:
    """What steps are about."""

    dataset: Dataset
    recordings: Path
    ledger: Ledger
    rng: Random
    contents: dict[str, str] = field(default_factory=dict)
    """By episode, what its recording holds now."""
    num_written: int = 0
    wrong: list[str] = field(default_factory=list)
    """What was found to be wrong while a step ran."""

    def recording_of(self, wish: Wish) -> Path:
        """The recording, holding what the wish is about."""
        if self.contents.get(wish.episode) != wish.content:
            self.contents[wish.episode] = wish.content
            self.num_written += 1
            mtime_ns = library.START_NS + self.num_written * 1_000_000_000
            library.put_recording(self.recordings, wish.episode, wish.content, mtime_ns=mtime_ns)
        return self.recordings / wish.episode


class Step(Protocol):
    """One step."""

    num_changes: int
    """About how many calls that change something it makes at most: crashes are spread over as many."""

    wishes: list[Wish]
    """What it may make."""

    def work(self) -> Any:
        """What its process does."""

    def ended(self, ending: Ending) -> None:
        """What the ending means; adds to what is wrong."""


def _refused_for_nothing(ending: Ending, told: str) -> list[str]:
    return [] if ending.process.num_errors else [f"refused though nothing was wrong: {told}"]


@dataclass(slots=True)
class Ingest:
    """Ask for one episode."""

    scene: Scene
    wish: Wish
    is_forced: bool = False
    num_changes: int = 220

    @property
    def wishes(self) -> list[Wish]:
        return [self.wish]

    def work(self) -> IngestOutcome:
        path = self.scene.recording_of(self.wish)
        self.scene.ledger.ask(self.wish)
        return ingest(library.request(self.wish, path, self.scene.dataset.path, is_forced=self.is_forced))

    def ended(self, ending: Ending) -> None:
        _judge(self.scene, self.wish, ending.value if ending.is_over else None, ending)


def _judge(scene: Scene, wish: Wish, outcome: IngestOutcome | None, ending: Ending) -> None:
    """What became of one episode."""
    told = library.made(wish)
    if outcome is None:
        scene.ledger.cut_short(wish)
        if ending.error is not None:
            scene.ledger.failed(wish)
            scene.wrong.append(f"ingest raised what it should have put into its outcome: {ending.error}")
    elif outcome.refusal is None:
        if told.is_refused:
            scene.wrong.append(f"{wish} was made, and should have been refused")
        if outcome.report.version != told.version:
            scene.wrong.append(f"{wish} became {outcome.report.version}, not {told.version}")
        scene.ledger.settle(wish)
    elif told.is_refused and not outcome.refusal.is_passing and not ending.process.num_errors:
        scene.ledger.settle(wish)
    else:
        scene.wrong += _refused_for_nothing(ending, outcome.refusal.reason)
        scene.ledger.failed(wish)


@dataclass(slots=True)
class Again:
    """Ask for all that was ever asked for again, as the nightly run does."""

    scene: Scene
    num_changes: int = 120
    _done: list[tuple[Wish, IngestOutcome]] = field(default_factory=list)
    _under_way: Wish | None = None
    wishes: list[Wish] = field(init=False)

    def __post_init__(self) -> None:
        self.wishes = list(self.scene.ledger.wishes.values())

    def work(self) -> None:
        scene, wishes = self.scene, {wish.episode: wish for wish in self.wishes}
        requests = {
            wish.episode: library.request(wish, scene.recording_of(wish), scene.dataset.path) for wish in self.wishes
        }
        finished, others = split_finished(requests.values())
        for each in finished:
            self._done.append((wishes[each.request.episode], each.recall()))
        for request in others:
            self._under_way = wishes[request.episode]
            self._done.append((self._under_way, ingest(request)))
            self._under_way = None

    def ended(self, ending: Ending) -> None:
        for wish, outcome in self._done:
            _judge(self.scene, wish, outcome, ending)
        if self._under_way is not None:
            _judge(self.scene, self._under_way, None, ending)
        elif ending.error is not None:
            self.scene.wrong += _refused_for_nothing(ending, str(ending.error))


@dataclass(slots=True)
class Release:
    """Release an episode from quarantine, and ask for it again."""

    scene: Scene
    wish: Wish
    num_changes: int = 220
    _is_asked: bool = False

    @property
    def wishes(self) -> list[Wish]:
        return [self.wish]

    def work(self) -> IngestOutcome:
        release_for_retry(self.scene.dataset, self.wish.episode, now_ns=1)
        self._is_asked = True
        return ingest(library.request(self.wish, self.scene.recording_of(self.wish), self.scene.dataset.path))

    def ended(self, ending: Ending) -> None:
        if self._is_asked:
            _judge(self.scene, self.wish, ending.value if ending.is_over else None, ending)
        elif ending.error is not None:
            self.scene.wrong += _refused_for_nothing(ending, str(ending.error))


@dataclass(slots=True)
class MakeSnapshot:
    """Write down what the dataset has."""

    scene: Scene
    name: str | None = None
    num_changes: int = 24
    wishes: list[Wish] = field(default_factory=list)

    def work(self) -> Any:
        return make_snapshot(self.scene.dataset, name=self.name)

    def ended(self, ending: Ending) -> None:
        ledger = self.scene.ledger
        if ending.is_over and ending.error is None:
            snapshot = ending.value
            rows = load_rows(self.scene.dataset, snapshot.id)
            # A report that cannot be read leaves out its episode, and is told.
            if not (snapshot.damaged and ending.process.num_errors):
                self.scene.wrong += ledger.rows_fit(rows)
            ledger.snapshot_made(snapshot.id, rows, is_named=True)
            ledger.latest, ledger.has_latest = snapshot.id, True
            if self.name is not None:
                ledger.names[self.name] = snapshot.id
            return
        ledger.latest = None
        if self.name is not None:
            ledger.attempted_names.add(self.name)
        if ending.error is not None and not ending.process.num_errors:
            is_empty = all(None in wanted for wanted in ledger.possible.values())
            is_given = self.name is not None and self.name in {*ledger.names, *ledger.attempted_names}
            if not (is_empty or is_given):
                self.scene.wrong.append(f"no snapshot though nothing was wrong: {ending.error}")


@dataclass(slots=True)
class Curate:
    """Choose from `latest`."""

    scene: Scene
    how: dict[str, Any]
    num_changes: int = 16
    wishes: list[Wish] = field(default_factory=list)

    def work(self) -> Any:
        return curate(self.scene.dataset, **self.how)

    def ended(self, ending: Ending) -> None:
        ledger, name = self.scene.ledger, self.how.get("name")
        if ending.is_over and ending.error is None:
            if name is not None or ending.value.id not in ledger.just_pruned:
                rows = load_rows(self.scene.dataset, ending.value.id)
                ledger.snapshot_made(ending.value.id, rows, is_named=name is not None)
            if name is not None:
                ledger.names[name] = ending.value.id
            return
        if name is not None:
            is_given = name in {*ledger.names, *ledger.attempted_names}
            ledger.attempted_names.add(name)
            if is_given:
                return
        if ending.error is not None and not isinstance(ending.error, QueryError) and ledger.has_latest:
            self.scene.wrong += _refused_for_nothing(ending, str(ending.error))


@dataclass(slots=True)
class Prune:
    """Remove what nothing needs."""

    scene: Scene
    keep_snapshots: int | None = None
    num_changes: int = 90
    wishes: list[Wish] = field(default_factory=list)

    def work(self) -> Any:
        plan = plan_prune(self.scene.dataset, keep_snapshots=self.keep_snapshots)
        self.scene.wrong += self.scene.ledger.pruned(
            (each.id for each in plan.snapshots), ((each.episode, each.version) for each in plan.versions)
        )
        return apply_prune(self.scene.dataset, plan)

    def ended(self, ending: Ending) -> None:
        if ending.error is not None:
            self.scene.wrong += _refused_for_nothing(ending, str(ending.error))


@dataclass(slots=True)
class Read:
    """Verify what is published, and read what `latest` names, as training does."""

    scene: Scene
    num_changes: int = 1
    wishes: list[Wish] = field(default_factory=list)

    def work(self) -> list[str]:
        dataset = self.scene.dataset
        wrong = []
        for episode in dataset.episodes():
            for version in dataset.published(episode):
                report = verify_episode(dataset.episode_path(episode, version))
                wrong += [f"{episode} {version}: {damage}" for damage in report.damages]
        if self.scene.ledger.has_latest:
            for path in load_snapshot(dataset)["path"]:
                Episode.open(dataset.path / path).signal("state")
        return wrong

    def ended(self, ending: Ending) -> None:
        if ending.is_over and not ending.process.num_errors:
            self.scene.wrong += ending.value or ([] if ending.error is None else [str(ending.error)])


def random_step(scene: Scene) -> Step:
    """The next step of a history."""
    rng, ledger = scene.rng, scene.ledger
    refused = sorted(episode for episode in ledger.wishes if None in ledger.possible[episode])
    choices: dict[str, tuple[int, Callable[[], Step]]] = {
        "ingest": (5, lambda: Ingest(scene, _wish(scene), is_forced=rng.random() < 0.3)),
        "again": (3 if ledger.wishes else 0, lambda: Again(scene)),
        "release": (2 if refused else 0, lambda: Release(scene, ledger.wishes[rng.choice(refused)])),
        "snapshot": (4, lambda: MakeSnapshot(scene, name=rng.choice((None, None, "a", "b")))),
        "curate": (2 if ledger.has_latest else 0, lambda: Curate(scene, rng.choice(_CURATIONS))),
        "prune": (3, lambda: Prune(scene, keep_snapshots=rng.choice((None, 0, 0, 1)))),
        "read": (1, lambda: Read(scene)),
    }
    name = rng.choices(list(choices), [weight for weight, _ in choices.values()])[0]
    return choices[name][1]()


def steps_at_once(scene: Scene) -> list[Step]:
    """Two steps that two people may take at the same time, and whose outcome can still be told."""
    while True:
        steps = [random_step(scene), random_step(scene)]
        asked = [{wish.episode for wish in step.wishes} for step in steps]
        kinds = {type(step) for step in steps}
        # Of two wishes for one episode, nobody can tell which came last; a reader may find gone what is pruned.
        if not asked[0] & asked[1] and not {Read, Prune} <= kinds:
            return steps


_CURATIONS: tuple[dict[str, Any], ...] = (
    {"splits": {"train": 0.5, "val": 0.5}},
    {"splits": {"train": 0.5, "val": 0.5}, "name": "split"},
    {"where": "num_ticks > 6"},
    {"exclude": (EPISODES[0],), "name": "less"},
)


def _wish(scene: Scene) -> Wish:
    rng = scene.rng
    return Wish(
        rng.choices(EPISODES, (5, 3, 1))[0],
        rng.choices(CONTENTS, (6, 3, 2, 1))[0],
        rng.choices(PROFILES, (6, 4, 1))[0],
    )
