"""A shuffled order that is never written down: any position's place is computed by itself, in no memory."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bagmill.training.keyed import derive_keys, scramble

_NUM_ROUNDS: Final = 8
"""Four are indistinguishable from chance where the halves are wide; on a handful of values more are needed."""


class Permutation:
    """Every number below `size` once, in an order that follows from a key.

    A Feistel network over two digits, of which the larger number has about √size values each; what falls on one of the
    few numbers beyond `size` is sent through again until it does not.

    Args:
        size: How many numbers, at most 2⁶².
        purpose: What the order is for: two purposes have unrelated orders.
        key: Numbers the order follows from, such as a seed and an epoch.

    Source: Black & Rogaway 2002, "Ciphers with arbitrary finite domains": the generalised Feistel network and the
    cycle-walking cipher.
    """

    def __init__(self, size: int, purpose: str, *key: int) -> None:
        if not 0 <= size <= 1 << 62:
            raise ValueError(f"a permutation of {size} numbers")
        self.size = size
        root = math.isqrt(max(size - 1, 0)) + 1
        self._low = np.uint64(root)
        self._high = np.uint64(-(-max(size, 1) // root))
        self._keys = derive_keys(purpose, *key, count=_NUM_ROUNDS)

    def __call__(self, positions: ArrayLike) -> NDArray[np.int64]:
        """What stands at positions (N,) in [0, size): (N,)."""
        numbers = np.array(positions, dtype=np.int64).astype(np.uint64)
        assert not numbers.size or int(numbers.max()) < self.size, "a position outside the permutation"
        numbers = self._encrypt(numbers)
        while (beyond := np.flatnonzero(numbers >= self.size)).size:
            # They lie on cycles that began below `size`, so that each comes back there.
            numbers[beyond] = self._encrypt(numbers[beyond])
        return numbers.astype(np.int64)

    def _encrypt(self, numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
        high, low = np.divmod(numbers, self._low)
        for n in range(0, _NUM_ROUNDS, 2):
            low += scramble(high + self._keys[n]) % self._low
            low %= self._low
            high += scramble(low + self._keys[n + 1]) % self._high
            high %= self._high
        return high * self._low + low
