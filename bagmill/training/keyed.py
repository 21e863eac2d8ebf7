"""Numbers that follow from a key: the same on every machine and with every version of NumPy.

A generator's stream would have to be walked to its n-th number, and NumPy promises its streams for no longer than a
release. Here number n of a key is computed by itself, whole arrays at a time.
"""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
"""2⁶⁴ divided by the golden ratio, odd: multiples of it lie far from each other."""
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def derive_keys(purpose: str, *numbers: int, count: int = 1) -> NDArray[np.uint64]:
    """Keys (count,) for one purpose and some numbers, such as a seed and an epoch; any other purpose or number gives others.

    Source: BLAKE2b (RFC 7693) in counter mode over the purpose and the numbers as text.
    """
    content = ":".join([purpose, *(str(int(number)) for number in numbers)]).encode()
    digests = [hashlib.blake2b(content, salt=n.to_bytes(4, "little")).digest() for n in range((count + 7) // 8)]
    return np.frombuffer(b"".join(digests), "<u8")[:count].astype(np.uint64)


def scramble(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread every bit of every value over all of its result's bits, in place; different values stay different.

    Source: Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators", the finaliser of SplitMix64.
    """
    values ^= values >> np.uint64(30)
    values *= _FIRST
    values ^= values >> np.uint64(27)
    values *= _SECOND
    values ^= values >> np.uint64(31)
    return values


def combine(keys: NDArray[np.uint64], values: ArrayLike) -> NDArray[np.uint64]:
    """A key for every pair of a key and an integer, broadcast against each other."""
    return scramble(scramble(keys + np.asarray(values).astype(np.uint64) * _GOLDEN) + _GOLDEN)


def uniform(keys: NDArray[np.uint64], count: int) -> NDArray[np.float64]:
    """`count` numbers for each of the keys (N,): (N, count), evenly in [0, 1)."""
    numbers = combine(keys[:, None], np.arange(count))
    return (numbers >> np.uint64(11)).astype(np.float64) * 2.0**-53
