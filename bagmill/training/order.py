"""The one order in which all ranks together go through the samples, and each rank's part of it.

A step is one batch on every rank. The order of an epoch follows from the seed, the epoch and nothing else: how many ranks
there are, how large their batches are and how many processes load them only says who takes which part of it, so that a run
goes on with the very next sample after any of them has changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bagmill.errors import TrainingError
from bagmill.training.permutation import Permutation

Tail = Literal["drop", "spread"]
"""What becomes of the samples at an epoch's end that fill no step: left out, or divided among the ranks."""
OrderKind = Literal["shuffled", "stored", "endless"]
_STATE_REMEDY: Final = (
    "Give the state back to a loader of the same samples, shares and seed, "
    "or begin anew, at the epoch wanted by `set_epoch`"
)


@dataclass(frozen=True, slots=True)
class Order:
    """Which sample stands where in an epoch."""

    num_samples: int
    """Of one epoch."""
    seed: int = 0
    kind: OrderKind = "shuffled"
    """`stored`: as the dataset has them, in every epoch; `endless`: samples count on from epoch to epoch, as a mixture's do."""
    snapshot: str = ""
    """What the samples are of: the id of a snapshot, or several."""
    chosen: str = ""
    """Which samples of it: a hash of the episodes and ticks, or several."""
    shares: str = ""
    """Of a mixture: each source's part of all draws."""

    def samples(self, epoch: int, positions: ArrayLike) -> NDArray[np.int64]:
        """Samples (N,) at positions (N,) of an epoch."""
        match self.kind:
            case "shuffled":
                return Permutation(self.num_samples, "order", self.seed, epoch)(positions)
            case "stored":
                return np.array(positions, np.int64)
            case "endless":
                return epoch * self.num_samples + np.array(positions, np.int64)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come."""

    epoch: int = 0
    num_consumed: int = 0
    """Samples of the epoch that all ranks together have had: the first so many of its order."""


@dataclass(frozen=True, slots=True)
class Steps:
    """An epoch from some position on, cut into steps.

    Raises:
        TrainingError: With `spread`, fewer samples are left than there are ranks, so that one would have nothing.
    """

    num_samples: int
    """Of the whole epoch."""
    batch_size: int
    """Of one rank."""
    world: int = 1
    """How many ranks."""
    tail: Tail = "drop"
    first: int = 0
    """The position it begins at."""

    def __post_init__(self) -> None:
        if self.tail not in get_args(Tail):
            raise TrainingError(f"no tail is called {self.tail!r}", remedy="It is drop or spread")
        for noun, number in (("batch size", self.batch_size), ("number of ranks", self.world)):
            if number < 1:
                raise TrainingError(f"expected a {noun} of at least 1, found {number}")
        if self.tail == "spread" and 0 < self.num_samples - self.first < self.world:
            raise TrainingError(
                f"{self.num_samples - self.first} samples are left of the epoch for {self.world} ranks",
                remedy="Use fewer ranks, leave the samples out with tail='drop', or begin the next epoch",
            )

    @property
    def num_steps(self) -> int:
        """Steps left: the same on every rank."""
        full, rest = divmod(self.num_samples - self.first, self._step_size)
        # Too few for a step of their own go into the last one: a rank without a batch would hang the others.
        return full + 1 if self.tail == "spread" and rest >= self.world else full

    def bounds(self, step: int) -> tuple[int, int]:
        """The positions [start, end) that a step takes, all ranks together."""
        start = self.first + step * self._step_size
        if self.tail == "spread" and step == self.num_steps - 1:
            return start, self.num_samples
        return start, start + self._step_size

    def positions(self, step: int, *, rank: int) -> NDArray[np.int64]:
        """The positions that a rank takes in a step: every `world`-th of it."""
        start, end = self.bounds(step)
        return np.arange(start + rank, end, self.world)

    @property
    def _step_size(self) -> int:
        return self.batch_size * self.world


class Batch(list[int]):
    """The samples of one batch, with the epoch they belong to, which no list of them would say."""

    def __init__(self, samples: list[int], *, epoch: int = 0) -> None:
        super().__init__(samples)
        self.epoch = epoch


class ShuffledBatches:
    """One rank's batches, an epoch at a time: a batch sampler for `torch.utils.data.DataLoader`, though it needs no torch.

    Iterating begins an epoch: the next one, or, where the last iteration was left early, the same once more. Only the first
    iteration after `load_state_dict` or `stand_at` begins in the middle.

    What it counts is what it has handed out: with workers that read ahead, more than a model has seen.
    `bagmill.training.torch.Loader` counts what it delivers.

    Args:
        order: The order of the samples.
        batch_size: Of this rank.
        rank: Which rank this is, from 0.
        world: How many ranks there are.
        tail: `drop` leaves out what fills no step; `spread` divides it among the ranks, whose last batches then differ by
            at most one sample. Where less than one sample a rank is left, the last full step takes it along.

    Raises:
        TrainingError: A batch size or rank that cannot be, or too few samples for one step.
    """

    def __init__(self, order: Order, *, batch_size: int, rank: int = 0, world: int = 1, tail: Tail = "drop") -> None:
        self.order = order
        if not order.num_samples:
            raise TrainingError(
                "the dataset has no samples",
                remedy="Ask for shorter windows, another padding than drop, or less in only_valid",
            )
        self.rank = rank
        self.whole = Steps(order.num_samples, batch_size, world, tail)
        """A whole epoch's steps."""
        self.set_ranks(rank, world)
        self.progress = Progress()
        self._is_resumed = False

    def set_ranks(self, rank: int, world: int) -> None:
        """Have the next iteration be that of another rank, or of another number of them.

        Raises:
            TrainingError: A rank that cannot be, or too few samples for one step.
        """
        whole = replace(self.whole, world=world)
        if not 0 <= rank < world:
            raise TrainingError(f"rank {rank} of {world} ranks: they count from 0 to {world - 1}")
        if not whole.num_steps:
            raise TrainingError(
                f"{whole.num_samples} samples do not fill one step of {world} × {whole.batch_size}",
                remedy="Take smaller batches, or tail='spread'",
            )
        self.rank, self.whole = rank, whole

    @property
    def batch_size(self) -> int:
        """Of this rank; the last batch may have one sample more."""
        return self.whole.batch_size

    def __len__(self) -> int:
        """Batches of a whole epoch, wherever it stands."""
        return self.whole.num_steps

    def __iter__(self) -> Iterator[Batch]:
        if not self._is_resumed:
            self.progress = Progress(self.progress.epoch)
        self._is_resumed = False
        epoch, steps = self.progress.epoch, self.steps_from(self.progress)
        for step in range(steps.num_steps):
            self.progress = after_step(epoch, steps, step)
            samples = self.order.samples(epoch, steps.positions(step, rank=self.rank))
            yield Batch(samples.tolist(), epoch=epoch)

    def steps_from(self, progress: Progress) -> Steps:
        """What is left of an epoch."""
        return replace(self.whole, first=progress.num_consumed)

    def stand_at(self, progress: Progress) -> None:
        """Have the next iteration begin there."""
        self.progress, self._is_resumed = progress, True

    def state_dict(self) -> dict[str, Any]:
        """Where it stands, and by which a state of other samples is told: plain values."""
        return state_of(self.order, self.progress)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Have the next iteration go on from where another one stood, whatever its batch size, rank and number of ranks.

        Where less is left of the epoch than a step of these ranks takes and `tail` is `drop`, the next epoch begins.

        Raises:
            TrainingError: It is the state of other samples or another seed, or fewer samples are left than there are ranks.
        """
        progress = progress_of(self.order, state)
        self.stand_at(progress if self.steps_from(progress).num_steps else Progress(progress.epoch + 1))


def after_step(epoch: int, steps: Steps, step: int) -> Progress:
    """Where a run stands once a step is done: after an epoch's last one, at the beginning of the next epoch."""
    return Progress(epoch + 1) if step + 1 >= steps.num_steps else Progress(epoch, steps.bounds(step)[1])


def state_of(order: Order, progress: Progress) -> dict[str, Any]:
    """Plain values that say where a run stands in which order."""
    return {
        "epoch": progress.epoch,
        "num_consumed": progress.num_consumed,
        "num_samples": order.num_samples,
        "seed": order.seed,
        "order": order.kind,
        "snapshot": order.snapshot,
        "chosen": order.chosen,
        "shares": order.shares,
    }


def progress_of(order: Order, state: Mapping[str, Any]) -> Progress:
    """Where a run stands, by what `state_of` said.

    Raises:
        TrainingError: It is no such state, or the state of another order.
    """
    try:
        progress = Progress(int(state["epoch"]), int(state["num_consumed"]))
        said = {key: state[key] for key in ("num_samples", "seed", "order", "snapshot")}
    except (KeyError, TypeError, ValueError, OverflowError) as err:
        raise TrainingError(f"is no state of a loader ({err!r})", remedy=_STATE_REMEDY) from err
    own = state_of(order, progress)
    # Older states say nothing of what was chosen of a snapshot, nor of shares: the first is let pass, for the number of
    # samples is compared, but a mixture of other shares has the same number.
    said |= {"chosen": state.get("chosen", order.chosen), "shares": state.get("shares", "")}
    for key, value in said.items():
        if value != own[key]:
            raise TrainingError(
                f"the state's {_NOUNS[key]} {value!r}, this loader's {own[key]!r}", remedy=_STATE_REMEDY
            )
    if progress.epoch < 0 or not 0 <= progress.num_consumed <= order.num_samples:
        raise TrainingError(
            f"the state is that of sample {progress.num_consumed} of epoch {progress.epoch}, which has "
            f"{order.num_samples}",
            remedy=_STATE_REMEDY,
        )
    return progress


_NOUNS: Final = {
    "num_samples": "number of samples is",
    "seed": "seed is",
    "order": "order is",
    "snapshot": "snapshot is",
    "chosen": "choice of episodes and ticks is",
    "shares": "shares of the mixture are",
}
"""What a state says of its order, in words."""
