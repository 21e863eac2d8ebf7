"""Processes that decode batches into memory they share with the one that asked for them."""

from __future__ import annotations

import os
import time
import weakref
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import Any, Final, Literal, get_args

import cv2
import torch
from torch.utils.data import DataLoader, get_worker_info
from torch.utils.data import Dataset as MapDataset

from bagmill.cores import usable_cores
from bagmill.errors import BagmillError, TrainingError
from bagmill.training.order import Batch, ShuffledBatches
from bagmill.training.read_ahead import AnnouncedBatches
from bagmill.training.slots import SlotLayout, Slots
from bagmill.training.torch.dataset import Tensors, TorchDataset, as_is, shared_bytes
from bagmill.training.torch.stalled import stalled

StartMethod = Literal["fork", "spawn", "forkserver"]

_PATIENCE_S: Final = 5.0
"""After which it is looked whether the workers live; torch looks as often where it has no timeout."""
_TORCHS_TIMEOUT: Final = "DataLoader timed out"
"""Begins torch's error of a timeout, after which the same batch can be asked for once more."""
_HELD: Final = 2
"""Batches that the model's loop holds while it asks for the next: the last one, and the one it is just given."""


class Workers:
    """A `DataLoader` whose workers write batches to slots of shared memory.

    Args:
        dataset: What is read.
        batches: Which samples.
        num_workers: How many processes.
        prefetch: Batches that each decodes ahead.
        start_method: How they start; None: as torch has it.
        timeout_s: How long a batch is waited for; None: for ever.
    """

    def __init__(
        self,
        dataset: TorchDataset,
        batches: ShuffledBatches | AnnouncedBatches,
        *,
        num_workers: int,
        prefetch: int,
        start_method: StartMethod | None,
        timeout_s: float | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        if start_method is not None and start_method not in get_args(StartMethod):
            raise TrainingError(f"no start_method is called {start_method!r}", remedy="It is fork, spawn or forkserver")
        self._dataset = dataset
        # One sample more than the batch size: see `Tail`.
        self._layout = SlotLayout(dataset.memory_spec, num_rows=batches.batch_size + 1)
        num_slots = num_workers * prefetch + _HELD
        memory = [shared_bytes(self._layout.size_bytes) for _ in range(num_slots)]
        # Not a method of this: in a circle of references its processes would outlive it until the next collection.
        self._slots = Slots(num_slots, lambda slot: memory[slot].numpy())
        self._number = next(_numbers)
        _known[self._number] = self
        self._batches = _BatchesWithSlots(batches, self._slots)
        self._make_loader: Callable[[], DataLoader[Any]] = partial(
            DataLoader,
            _WorkerDataset(dataset, self._layout, memory, loader=self._number),
            batch_sampler=self._batches,
            num_workers=num_workers,
            collate_fn=as_is,
            pin_memory=dataset.is_pinned,
            prefetch_factor=prefetch,
            persistent_workers=True,
            # Of each of several attempts: see `_next`.
            timeout=0 if timeout_s is None else min(timeout_s, _PATIENCE_S),
            multiprocessing_context=start_method,
            worker_init_fn=partial(_settle_worker, _cores_of_this_rank() // num_workers),
        )
        self._loader: DataLoader[Any] | None = None
        """None before the first batch, and after a process was lost."""

    def batches(self) -> Generator[Tensors]:
        """One epoch.

        Raises:
            BagmillError: What a worker met, in its own words; or that one was ended from outside.
        """
        filled = self._begin()
        while True:
            self._refuse_lost()
            try:
                made = self._next(filled)
            except StopIteration:
                return
            self._batches.given.popleft()
            if isinstance(made, BagmillError):
                raise made
            yield self.deliver(made) if isinstance(made, _Filled) else made

    def _next(self, filled: Iterator[Any]) -> Any:
        """What a worker made next; a worker that is lost is seen every few seconds, however long one is waited for."""
        begun = time.monotonic()
        while True:
            try:
                return next(filled)
            except RuntimeError as err:
                self._refuse_lost(err)
                if self._timeout_s is None or not str(err).startswith(_TORCHS_TIMEOUT):
                    raise
                if time.monotonic() - begun >= self._timeout_s:
                    raise self._refuse_stalled(self._timeout_s) from err

    def _refuse_stalled(self, timeout_s: float) -> TrainingError:
        """End the processes, of which one does not answer, and say which that is."""
        assert self._loader is not None, "it was waited for"
        iterator, self._loader = self._loader._iterator, None  # noqa: SLF001 - as `_num_lost`
        workers: Sequence[BaseProcess] = getattr(iterator, "_workers", ())
        # Batches are handed out in their order: the next one is whose turn it is.
        task = getattr(iterator, "_task_info", {}).get(getattr(iterator, "_rcvd_idx", None))
        late = workers[task[0]] if task and task[0] < len(workers) else None
        if getattr(iterator, "_worker_pids_set", False):
            # Else torch takes their end for a failure, and raises it in whatever the main thread does just then.
            torch._C._remove_worker_pids(id(iterator))  # noqa: SLF001 - no other way
            iterator._worker_pids_set = False  # type: ignore[union-attr]  # noqa: SLF001 - it was there just now
        for worker in workers:
            worker.kill()  # to a process that is stopped, nothing else gets through
        samples = self._batches.given[0] if self._batches.given else None
        who = "a worker process" if late is None else f"worker process {late.pid}"
        return stalled(self._dataset, samples, timeout_s=timeout_s, who=who)

    def _begin(self) -> Iterator[Any]:
        if self._num_lost():
            self._loader = None
        if self._loader is not None:
            return iter(self._loader)
        self._loader = loader = self._make_loader()
        started: list[Iterator[Any]] = []
        errors: list[Exception] = []
        device = torch.cuda.current_device() if self._dataset.is_pinned else None

        def start() -> None:
            if device is not None:
                torch.cuda.set_device(device)  # each thread has one of its own, and torch pins memory for it
            try:
                started.append(iter(loader))
            except Exception as err:  # noqa: BLE001 - raised below, in the thread that waits
                errors.append(err)

        # In the main thread, torch would have a signal interrupt the model's own code when a worker is killed, with an
        # error that says nothing of batches. Begun in another thread it does not, and who waits for a batch is told.
        thread = Thread(target=start, name="bagmill-start-workers")
        thread.start()
        thread.join()
        if errors:
            self._loader = None
            raise errors[0]
        return started[0]

    def _num_lost(self) -> int:
        """How many processes ended by themselves or were ended."""
        if self._loader is None:
            return 0
        workers: Sequence[BaseProcess] = getattr(self._loader._iterator, "_workers", ())  # noqa: SLF001 - no other way
        return sum(not worker.is_alive() for worker in workers)

    def _refuse_lost(self, err: RuntimeError | None = None) -> None:
        if num_lost := self._num_lost():
            self._loader = None
            raise TrainingError(
                f"{num_lost} of the processes that decode batches ended, or was killed: often for want of memory",
                remedy="Take fewer num_workers, smaller batches or less prefetch, more shared memory (/dev/shm) in a "
                "container, or num_workers=0. Iterating again starts new processes; load_state_dict goes on where it was",
            ) from err

    def deliver(self, filled: _Filled) -> Tensors:
        """The tensors of a slot that a worker has filled."""
        arrays = self._layout.views(self._slots.lend(filled.slot), num_rows=filled.num_rows)
        return self._dataset.hand_out({key: torch.from_numpy(array) for key, array in arrays.items()})


_known: weakref.WeakValueDictionary[int, Workers] = weakref.WeakValueDictionary()
"""By number: what comes back from a worker finds its way by it."""
_numbers = count()


@dataclass(frozen=True, slots=True)
class _Filled:
    """What a worker sends for a batch that it has written to a slot."""

    loader: int
    slot: int
    num_rows: int

    def pin_memory(self) -> Tensors:
        """Copies in page-locked memory; torch calls it in a thread beside the model's, and the slot is free after it.

        The slots themselves could be locked, too, but would be written to while a GPU still fetches from them.
        """
        return {key: tensor.pin_memory() for key, tensor in _known[self.loader].deliver(self).items()}


class _SlotBatch(Batch):
    """A batch with the slot that it is to be written to."""

    def __init__(self, batch: Batch, slot: int) -> None:
        super().__init__(list(batch), epoch=batch.epoch)
        self.slot = slot


class _BatchesWithSlots:
    """Names a slot with each batch, as long as there are free ones."""

    def __init__(self, batches: ShuffledBatches | AnnouncedBatches, slots: Slots) -> None:
        self._batches = batches
        self._slots = slots
        self.given: deque[Batch] = deque()
        """Batches that workers were asked for and that were not handed out yet, in their order."""

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Batch]:
        # torch asks for the first batch when its workers have put down all they had from an iteration that was left.
        self._slots.forget_asked()
        self.given.clear()
        for batch in self._batches:
            self.given.append(batch)
            slot = self._slots.ask()
            yield batch if slot is None else _SlotBatch(batch, slot)


class _WorkerDataset(MapDataset[Any]):
    """What a worker does: fills slots, and hands errors over as they are.

    torch would raise an error with the text of a traceback for its sentence.
    """

    def __init__(self, dataset: TorchDataset, layout: SlotLayout, memory: list[torch.Tensor], *, loader: int) -> None:
        self.dataset = dataset
        self._layout, self._memory, self._loader = layout, memory, loader

    def __getitem__(self, sample: int) -> Tensors | _Filled | BagmillError:
        return self.__getitems__([sample])

    def __getitems__(self, samples: Sequence[int]) -> Tensors | _Filled | BagmillError:
        try:
            if not isinstance(samples, _SlotBatch):
                return self.dataset.__getitems__(samples)
            arrays = self._layout.views(self._memory[samples.slot].numpy(), num_rows=len(samples))
            self.dataset.read(samples, out=arrays)
            return _Filled(self._loader, samples.slot, len(samples))
        except BagmillError as err:
            return err


def _settle_worker(num_threads: int, _worker: int) -> None:
    info = get_worker_info()
    assert info is not None, "only workers are settled"
    assert isinstance(info.dataset, _WorkerDataset)
    info.dataset.dataset.set_num_threads(max(1, num_threads))
    # Whole frames are shared out among threads already; a fork may also have left OpenCV's without their owner.
    cv2.setNumThreads(0)


def _cores_of_this_rank() -> int:
    """Cores that this process may use, divided among the ranks on this machine, as torchrun counts them."""
    return usable_cores() // max(1, int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
