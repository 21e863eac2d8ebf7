"""Batches of one rank, in an order that a run can be resumed in."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch
from torch import distributed

from bagmill.errors import TrainingError
from bagmill.training.augment import Augmentation
from bagmill.training.dataset import EpisodeDataset
from bagmill.training.mixture import Mixture
from bagmill.training.order import Order, Progress, ShuffledBatches, Tail, after_step, state_of
from bagmill.training.read_ahead import AnnouncedBatches
from bagmill.training.scaling import SignalScaling
from bagmill.training.torch.dataset import Images, Tensors, TorchDataset
from bagmill.training.torch.workers import StartMethod, Workers


class Loader:
    """Batches of one rank, decoded ahead, in an order that a run can be resumed in.

    Iterating gives the rest of the epoch it stands in, and leaves it at the beginning of the next one; where it was left in
    the middle, it goes on there. `make_loader` makes one.

    Args:
        dataset: What is read.
        batches: Which samples.
        num_workers: Processes that decode; 0: threads of this process, which copies nothing.
        prefetch: Batches that are decoded ahead; with processes, of each of them.
        read_ahead: Of a dataset in a store: batches that are fetched before they are decoded.
        start_method: How processes start; None: as torch has it.
    """

    def __init__(
        self,
        dataset: TorchDataset,
        batches: ShuffledBatches,
        *,
        num_workers: int = 0,
        prefetch: int = 2,
        read_ahead: int = 4,
        start_method: StartMethod | None = None,
    ) -> None:
        if num_workers < 0 or prefetch < 0 or read_ahead < 0:
            raise TrainingError("the numbers of workers and of batches read ahead are not negative")
        self.dataset = dataset
        self._batches = batches
        self._prefetch = prefetch
        self.progress = batches.progress
        """What was delivered, not what is decoded ahead of it."""
        self._num_steps = len(batches)
        source = dataset.dataset
        self._announced = (
            AnnouncedBatches(batches, source, num_ahead=read_ahead, is_for_others=num_workers > 0)
            if source.is_remote
            else batches
        )
        self._workers = (
            Workers(
                dataset, self._announced, num_workers=num_workers, prefetch=max(1, prefetch), start_method=start_method
            )
            if num_workers
            else None
        )

    def __len__(self) -> int:
        """Batches from where it stood when it was last iterated to the end of that epoch; from where it stands, otherwise."""
        return self._num_steps

    def __iter__(self) -> Iterator[Tensors]:
        self._stand_at(self.progress)
        epoch, steps = self.progress.epoch, self._batches.steps
        batches = self._read_ahead() if self._workers is None else self._workers.batches()
        try:
            for step, batch in enumerate(batches):
                self.progress = after_step(epoch, steps, step)
                yield batch
        finally:
            batches.close()
            self._stand_at(self.progress)

    def set_epoch(self, epoch: int) -> None:
        """Go to the beginning of an epoch; where it stands in this one already, it stays, as after `load_state_dict`."""
        if epoch != self.progress.epoch:
            self._stand_at(Progress(epoch))

    def rewind(self) -> None:
        """Go back to the beginning of the epoch: after an iteration that was left before its end."""
        self._stand_at(Progress(self.progress.epoch))

    def state_dict(self) -> dict[str, Any]:
        """Where it stands, the batch that was delivered last included: plain values, the same on all ranks."""
        return state_of(self._batches.order, self.progress)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where another loader stood, whatever its batch size, workers, rank and number of ranks.

        Raises:
            TrainingError: It is the state of other samples or another seed.
        """
        self._batches.load_state_dict(state)
        self._stand_at(self._batches.progress)

    def _stand_at(self, progress: Progress) -> None:
        self.progress = self._batches.progress = progress
        self._num_steps = len(self._batches)

    def _read_ahead(self) -> Generator[Tensors]:
        with ThreadPoolExecutor(1, thread_name_prefix="bagmill-read-ahead") as pool:
            waiting: deque[Future[Tensors]] = deque()
            try:
                for samples in self._announced:
                    waiting.append(pool.submit(self.dataset.__getitems__, samples))
                    if len(waiting) > self._prefetch:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                pool.shutdown(cancel_futures=True)


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
        rank: Which of the ranks this is; None: as `torch.distributed` says, 0 where that is not in use.
        world: How many ranks there are; None: likewise, 1.
        num_workers: Processes that decode; 0: threads of this process, which copies nothing.
        prefetch: Batches that are decoded ahead; with processes, of each of them.
        read_ahead: Of a dataset in a store: batches that are fetched before they are decoded.
        start_method: How processes start; None: as torch has it.
        images: See `TorchDataset`; so are the next two and `augment`.
        is_contiguous: Store pictures channel by channel.
        pin_memory: Whether tensors lie in page-locked memory; None: where there is a GPU of CUDA.
        scaling: Of the signals.
        augment: Changes to the pictures, one after the other.

    Raises:
        TrainingError: A batch size, rank or number that cannot be, or too few samples for one step.
    """
    if isinstance(dataset, Mixture):
        snapshot = ",".join(source.snapshot_id for source in dataset.sources)
        order = Order(len(dataset), seed=dataset.seed, kind="endless", snapshot=snapshot)
    else:
        order = Order(len(dataset), seed=seed, kind="shuffled" if shuffle else "stored", snapshot=dataset.snapshot_id)
    is_distributed = distributed.is_available() and distributed.is_initialized()
    batches = ShuffledBatches(
        order,
        batch_size=batch_size,
        rank=rank if rank is not None else distributed.get_rank() if is_distributed else 0,
        world=world if world is not None else distributed.get_world_size() if is_distributed else 1,
        tail=tail,
    )
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
    )
