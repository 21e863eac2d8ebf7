"""What a dataset has promised so far: what was told to be done, and what may be there of work that was cut short."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from tests.simulation.library import EPISODES, Made, Wish, made

Row = tuple[str, str]
"""Episode and version."""


@dataclass(slots=True)
class Ledger:
    """The promises of one history."""

    wishes: dict[str, Wish] = field(default_factory=dict)
    """By episode, what was asked for last."""
    possible: dict[str, set[str | None]] = field(default_factory=lambda: {episode: {None} for episode in EPISODES})
    """By episode, the versions one of which is the current one; None: the episode is not in a snapshot."""
    refused: set[str] = field(default_factory=set)
    """Episodes that were told to be refused, for what is in them."""
    known: dict[Row, Made] = field(default_factory=dict)
    """Every version that was ever asked for."""
    snapshots: dict[str, frozenset[Row]] = field(default_factory=dict)
    """By id: what stands for good, until it is pruned."""
    names: dict[str, str] = field(default_factory=dict)
    """Name → id, `latest` not among them."""
    attempted_names: set[str] = field(default_factory=set)
    """Names that may have been given when a process was cut short."""
    can_exchange: bool = True
    """The file system can exchange two names. Where it cannot, there is a moment without an episode that is made anew, after
    which the next run puts back what was there."""
    just_pruned: set[str] = field(default_factory=set)
    """Snapshots that a prune was about to remove when this step began."""
    latest: str | None = None
    """The id that it points at; None: not certain, or nowhere."""
    has_latest: bool = False
    """It was given, and is never taken away."""

    def ask(self, wish: Wish) -> Made:
        """An episode is asked for, from now on."""
        self.wishes[wish.episode] = wish
        told = made(wish)
        if told.version is not None:
            self.known[wish.episode, told.version] = told
        return told

    def cut_short(self, wish: Wish) -> None:
        """An ingest did not come to its end: it may count or not."""
        told = made(wish)
        self.possible[wish.episode].add(None if told.is_refused else told.version)
        self.refused.discard(wish.episode)

    def failed(self, wish: Wish) -> None:
        """An ingest was refused for the disk's sake: the episode may be in quarantine, or stand as it stood."""
        self.cut_short(wish)
        self.possible[wish.episode].add(None)

    def settle(self, wish: Wish) -> None:
        """An ingest has come to its end."""
        told = made(wish)
        self.possible[wish.episode] = {None if told.is_refused else told.version}
        (self.refused.add if told.is_refused else self.refused.discard)(wish.episode)

    def rows_fit(self, rows: Iterable[Row]) -> list[str]:
        """What is wrong with the rows of a snapshot that was just made."""
        found = dict(rows)
        return [
            f"{episode} stands in the snapshot as {found.get(episode)}, not as one of {sorted(map(str, wanted))}"
            for episode, wanted in self.possible.items()
            if found.get(episode) not in wanted
        ]

    def snapshot_made(self, snapshot_id: str, rows: Collection[Row], *, is_named: bool) -> None:
        """A snapshot stands; without a name, not against a prune at the same time."""
        if is_named or snapshot_id not in self.just_pruned:
            self.snapshots[snapshot_id] = frozenset(rows)

    def pruned(self, snapshots: Iterable[str], versions: Iterable[Row]) -> list[str]:
        """A prune is about to remove something; says what it should not."""
        gone = set(snapshots)
        self.just_pruned |= gone
        named = {*self.names.values(), *([self.latest] if self.latest else [])}
        wrong = [f"snapshot {each} has a name and is to go" for each in sorted(gone & named)]
        for snapshot_id in gone:
            self.snapshots.pop(snapshot_id, None)
        needed = {row: snapshot_id for snapshot_id, rows in self.snapshots.items() for row in rows}
        for episode, version in versions:
            if (episode, version) in needed:
                wrong.append(f"{episode} {version} is to go, and snapshot {needed[episode, version]} names it")
            if self.possible[episode] == {version}:
                wrong.append(f"{episode} {version} is to go, and is the current one")
        return wrong
