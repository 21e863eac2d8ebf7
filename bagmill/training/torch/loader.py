"""Batches of one rank, in an order that a run can be resumed in."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import distributed

from bagmill.arguments import checked_arguments
from bagmill.errors import TrainingError
from bagmill.training.augment import Augmentation
from bagmill.training.dataset import EpisodeDataset
from bagmill.training.mixture import Mixture
from bagmill.training.order import Batch, Order, OrderKind, Progress, ShuffledBatches, Tail, after_step, state_of
from bagmill.training.read_ahead import AnnouncedBatches
from bagmill.training.scaling import SignalScaling
from bagmill.training.torch.dataset import Images, Tensors, TorchDataset, checked_dataset
from bagmill.training.torch.stalled import check_timeout, stalled
from bagmill.training.torch.workers import StartMethod, Workers

TIMEOUT_S: Final = 300.0
"""How long a batch is waited for, unless another time is asked for."""


class Loader:
    """Batches of one rank, decoded ahead, in an order that a run can be resumed in.

    Iterating begins an epoch: the next one, or, where the last iteration was left before its end, the same once more. Only
    the first iteration after `load_state_dict` gives the rest of an epoch. `make_loader` makes one.

    Args:
        dataset: What is read.
        batches: Which samples.
        num_workers: Processes that decode; 0: threads of this process, which copies nothing.
        prefetch: Batches that are decoded ahead; with processes, of each of them.
        read_ahead: Of a dataset in a store: batches that are fetched before they are decoded.
        start_method: How processes start; None: as torch has it.
        is_following: Be the rank that `torch.distributed` says, also where it says so only later: trainers begin it after
            the loader is made.
        timeout_s: How long a batch is waited for; None: for ever.
    """

    def __init__(
        self,
        dataset: TorchDataset,
        batches: ShuffledBatches,
        *,
        is_following: bool = False,
        num_workers: int = 0,
        prefetch: int = 2,
        read_ahead: int = 4,
        start_method: StartMethod | None = None,
        timeout_s: float | None = TIMEOUT_S,
    ) -> None:
        check_timeout(timeout_s)
        self._timeout_s = timeout_s
        if num_workers < 0 or prefetch < 0 or read_ahead < 0:
            raise TrainingError("the numbers of workers and of batches read ahead are not negative")
        self.dataset = dataset
        self._batches = batches
        self._is_following = is_following
        self._prefetch = prefetch
        self.progress = batches.progress
        """What was delivered, not what is decoded ahead of it."""
        self._is_resumed = False
        self._iteration: object = None
        """The one that is under way."""
        source = dataset.dataset
        self._announced = (
            AnnouncedBatches(batches, source, num_ahead=read_ahead, is_for_others=num_workers > 0)
            if source.is_remote
            else batches
        )
        self._workers = (
            Workers(
                dataset,
                self._announced,
                num_workers=num_workers,
                prefetch=max(1, prefetch),
                start_method=start_method,
                timeout_s=timeout_s,
            )
            if num_workers
            else None
        )

    def __len__(self) -> int:
        """Batches of a whole epoch, wherever it stands."""
        self._follow()
        return len(self._batches)

    def __iter__(self) -> Iterator[Tensors]:
        if not self._is_resumed:
            self.progress = Progress(self.progress.epoch)
        return self._iterate()

    def _iterate(self) -> Generator[Tensors]:
        # Begun when the first batch is asked for: trainers call `iter` more than once, and `set_epoch` after it.
        self._follow()
        if not self._is_resumed:
            self.progress = Progress(self.progress.epoch)
        self._is_resumed = False
        self._iteration = this = object()
        epoch, steps = self.progress.epoch, self._batches.steps_from(self.progress)
        self._batches.stand_at(self.progress)
        batches = self._read_ahead() if self._workers is None else self._workers.batches()
        try:
            for step in range(steps.num_steps):
                if self._iteration is not this:
                    raise TrainingError(
                        "the loader was iterated anew, or sent elsewhere, before this iteration was at its end",
                        remedy="Make a loader for each of several iterations at a time",
                    )
                batch = next(batches)
                self.progress = after_step(epoch, steps, step)
                yield batch
        finally:
            batches.close()

    def set_epoch(self, epoch: int) -> None:
        """Go to the beginning of an epoch; where it stands in this one already, it stays, as after `load_state_dict`."""
        if epoch < 0:
            raise TrainingError(f"there is no epoch {epoch}: they count from 0")
        if epoch != self.progress.epoch:
            self._go_to(Progress(epoch), is_resumed=False)

    def rewind(self) -> None:
        """Go back to the beginning of the epoch, after `load_state_dict` too."""
        self._go_to(Progress(self.progress.epoch), is_resumed=False)

    @property
    def batch_sampler(self) -> TrainersView:
        """What trainers look for, to say which epoch begins."""
        return TrainersView(self)

    def state_dict(self) -> dict[str, Any]:
        """Where it stands, the batch that was delivered last included: plain values, the same on all ranks."""
        return state_of(self._batches.order, self.progress)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Have the next iteration go on from where another loader stood, whatever its batch size, workers, rank and ranks.

        Raises:
            TrainingError: It is the state of other samples or another seed.
        """
        self._follow()
        self._batches.load_state_dict(state)
        self._go_to(self._batches.progress, is_resumed=True)

    def _follow(self) -> None:
        if self._is_following and distributed.is_available() and distributed.is_initialized():
            self._batches.set_ranks(distributed.get_rank(), distributed.get_world_size())

    def _go_to(self, progress: Progress, *, is_resumed: bool) -> None:
        self.progress, self._is_resumed = progress, is_resumed
        self._iteration = None

    @property
    def batch_size(self) -> int:
        """Of this rank."""
        return self._batches.batch_size

    def _read_ahead(self) -> Generator[Tensors]:
        pool = ThreadPoolExecutor(1, thread_name_prefix="bagmill-read-ahead")
        waiting: deque[tuple[Batch, Future[Tensors]]] = deque()
        is_stalled = False
        try:
            for samples in self._announced:
                waiting.append((samples, pool.submit(self.dataset.__getitems__, samples)))
                if len(waiting) > self._prefetch:
                    yield self._wait_for(*waiting.popleft())
            while waiting:
                yield self._wait_for(*waiting.popleft())
        except _StalledError as err:
            is_stalled = True
            raise err.told from None
        finally:
            # A thread that hangs in a read cannot be ended, and is not waited for.
            pool.shutdown(wait=not is_stalled, cancel_futures=True)

    def _wait_for(self, samples: Batch, made: Future[Tensors]) -> Tensors:
        if not wait([made], timeout=self._timeout_s).done:
            assert self._timeout_s is not None, "else it is waited for"
            raise _StalledError(stalled(self.dataset, samples, timeout_s=self._timeout_s, who="the reading thread"))
        return made.result()


class _StalledError(Exception):
    """A batch did not come in time."""

    def __init__(self, told: TrainingError) -> None:
        self.told = told


@dataclass(frozen=True, slots=True)
class TrainersView:
    """A loader as trainers see a `DataLoader`'s batch sampler: Lightning calls `batch_sampler.sampler.set_epoch`.

    Without it, every epoch of a trainer that takes a part of an epoch only (`limit_train_batches`) would be the same part.
    """

    loader: Loader

    @property
    def batch_size(self) -> int:
        """Of this rank."""
        return self.loader.batch_size

    @property
    def sampler(self) -> TrainersView:
        """Itself."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Go to the beginning of an epoch; see `Loader.set_epoch`."""
        self.loader.set_epoch(epoch)


@checked_arguments(TrainingError, leaves=["dataset"])
def make_loader(  # noqa: PLR0913 - every choice that a batch depends on, each by its name
    dataset: EpisodeDataset | Mixture,
    *,
    batch_size: int,
    seed: int = 0,
    shuffle: bool = True,
    tail: Tail = "drop",
    rank: int | None = None,
    world: int | None = None,
    num_workers: int = 0,
    prefetch: int = 2,
    read_ahead: int = 4,
    start_method: StartMethod | None = None,
    timeout_s: float | None = TIMEOUT_S,
    images: Images = "uint8",
    is_contiguous: bool = False,
    pin_memory: bool | None = None,
    scaling: SignalScaling | None = None,
    augment: Sequence[Augmentation] = (),
) -> Loader:
    """A loader of one rank's batches.

    Args:
        dataset: What is read.
        batch_size: Of each rank.
        seed: The order and the augmentations follow from it; a mixture's order follows from its own.
        shuffle: False: as the dataset has them. A mixture is always shuffled.
        tail: What becomes of the samples at an epoch's end that fill no step; see `ShuffledBatches`.
        rank: Which of the ranks this is; give both of these or none. None: as `torch.distributed` says, whenever it begins;
            0 where it is not in use.
        world: How many ranks there are; None: likewise, 1.
        num_workers: Processes that decode; 0: threads of this process, which copies nothing.
        prefetch: Batches that are decoded ahead; with processes, of each of them.
        read_ahead: Of a dataset in a store: batches that are fetched before they are decoded.
        start_method: How processes start; None: as torch has it.
        timeout_s: How long a batch is waited for, which holds for the first one and the start of the processes, too. None:
            for ever.
        images: See `TorchDataset`; so are the next two and `augment`.
        is_contiguous: Store pictures channel by channel.
        pin_memory: Whether tensors lie in page-locked memory; None: where there is a GPU of CUDA.
        scaling: Of the signals.
        augment: Changes to the pictures, one after the other.

    Raises:
        TrainingError: A batch size, rank or number that cannot be, or too few samples for one step. While iterating: a batch
            did not come in time.
    """
    order = _order_of(checked_dataset(dataset), seed=seed, shuffle=shuffle)
    if (rank is None) is not (world is None):
        raise TrainingError("rank and world go together", remedy="Give both, or none where torch.distributed is in use")
    is_distributed = distributed.is_available() and distributed.is_initialized()
    if rank is None or world is None:
        own = (distributed.get_rank(), distributed.get_world_size()) if is_distributed else (0, 1)
    else:
        own = (rank, world)
    batches = ShuffledBatches(order, batch_size=batch_size, rank=own[0], world=own[1], tail=tail)
    tensors = TorchDataset(
        dataset,
        images=images,
        is_contiguous=is_contiguous,
        scaling=scaling,
        augmentations=augment,
        seed=seed,
        is_pinned=torch.cuda.is_available() if pin_memory is None else pin_memory,
    )
    return Loader(
        tensors,
        batches,
        num_workers=num_workers,
        prefetch=prefetch,
        read_ahead=read_ahead,
        start_method=start_method,
        timeout_s=timeout_s,
        is_following=rank is None,
    )


def _order_of(dataset: EpisodeDataset | Mixture, *, seed: int, shuffle: bool) -> Order:
    if isinstance(dataset, Mixture):
        return Order(
            len(dataset),
            seed=dataset.seed,
            kind="endless",
            snapshot=",".join(source.snapshot_id for source in dataset.sources),
            chosen="; ".join(source.fingerprint for source in dataset.sources),
            shares=", ".join(map(str, dataset.shares)),
        )
    kind: OrderKind = "shuffled" if shuffle else "stored"
    return Order(len(dataset), seed=seed, kind=kind, snapshot=dataset.snapshot_id, chosen=dataset.fingerprint)
