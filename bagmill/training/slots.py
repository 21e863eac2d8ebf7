"""Memory that processes share for whole batches, used again when a batch is given up.

Memory that is shared anew for every batch costs a fault a page in both processes, which takes about as long as decoding the
pictures that go in. Whoever asks for batches names a slot with each; whoever makes one writes it there and sends its number.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bagmill.training.buffers import PICTURE_OFFSET
from bagmill.training.columns import ArraySpec

_ALIGNMENT: Final = 4096


class SlotLayout:
    """Where the arrays of one batch lie in one piece of memory.

    Args:
        spec: Key → its array of one sample.
        num_rows: The samples of the largest batch.
    """

    def __init__(self, spec: Mapping[str, ArraySpec], *, num_rows: int) -> None:
        self.num_rows = num_rows
        self._places: dict[str, tuple[int, ArraySpec]] = {}
        self.size_bytes = 0
        """Of the memory."""
        for key, array in spec.items():
            self._places[key] = self.size_bytes + PICTURE_OFFSET, array
            self.size_bytes += -(-(PICTURE_OFFSET + _num_bytes(array, num_rows)) // _ALIGNMENT) * _ALIGNMENT

    def views(self, memory: NDArray[np.uint8], *, num_rows: int) -> dict[str, NDArray[Any]]:
        """The arrays (num_rows, …) of a batch in such memory."""
        return {
            key: memory[start : start + _num_bytes(array, num_rows)].view(array.dtype).reshape(num_rows, *array.shape)
            for key, (start, array) in self._places.items()
        }


class Slots:
    """Which slots are free, asked to be filled, or lent; lives where batches are asked for, and is safe between threads.

    Args:
        num_slots: How many there are.
        memory_of: A slot's whole memory, a new array at every call: when the last view of it is gone, the slot is free.
    """

    def __init__(self, num_slots: int, memory_of: Callable[[int], NDArray[np.uint8]]) -> None:
        self._memory_of = memory_of
        self._lock = threading.RLock()  # a collection may come while this very thread holds it
        self._free = set(range(num_slots))
        self._asked: set[int] = set()

    def ask(self) -> int | None:
        """A free slot for a batch that is asked for; None: all are in use."""
        with self._lock:
            if not self._free:
                return None
            slot = self._free.pop()
            self._asked.add(slot)
            return slot

    def lend(self, slot: int) -> NDArray[np.uint8]:
        """The memory of a slot that has been filled; it is free again once the last view of it is gone."""
        memory = self._memory_of(slot)
        with self._lock:
            self._asked.discard(slot)
        weakref.finalize(memory, self._give_back, slot).atexit = False
        return memory

    def forget_asked(self) -> None:
        """Batches that were asked for will not be taken: nobody fills them any more."""
        with self._lock:
            self._free |= self._asked
            self._asked.clear()

    def _give_back(self, slot: int) -> None:
        with self._lock:
            self._free.add(slot)


def _num_bytes(array: ArraySpec, num_rows: int) -> int:
    return int(np.prod(array.shape, dtype=np.int64)) * array.dtype.itemsize * num_rows
