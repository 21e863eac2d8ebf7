"""Whose turn it is, where samples are drawn from several sources in given proportions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bagmill.errors import TrainingError
from bagmill.training.permutation import Permutation

Weight = int | float | Fraction | str

_BLOCK_SIZE: Final = 1024
_WEIGHT: Final = re.compile(r"[+-]?[0-9./]{1,1000}(?:[eE][+-]?[0-9]{1,3})?")
_LEAST_SHARE: Final = Fraction(1, 10**12)


class Proportions:
    """An endless sequence of draws from several sources, any of which is found without those before it.

    It is cut into blocks. At the end of every block each source has been drawn from as often as its share of all draws so
    far asks, rounded up or down; within a block the draws are shuffled.

    Args:
        weights: Of every source, above 0; they need not add up to one. A float counts as the decimal number it prints as.
        seed: The order within the blocks follows from it.

    Raises:
        TrainingError: A weight that is none, or so small beside the others that its turn would hardly ever come.

    Source: Hamilton's method of largest remainders, over the draws since the beginning.
    """

    def __init__(self, weights: Sequence[Weight], *, seed: int = 0) -> None:
        exact = [exact_weight(weight) for weight in weights]
        if not exact:
            raise TrainingError("a mixture of no sources", remedy="Name at least one")
        total = sum(exact, Fraction())
        self.shares = tuple(weight / total for weight in exact)
        """Of every source: they add up to one."""
        if (least := min(self.shares)) < _LEAST_SHARE:
            raise TrainingError(f"a source's share of a mixture is {float(least):.1g}", remedy="Leave it out")
        self._seed = seed
        # Every source has a draw or more in every block: otherwise rounding could ask for less than nothing.
        self.block_size = max(_BLOCK_SIZE, 1 << ((2 / least).__ceil__() - 1).bit_length())

    def due(self, block: int) -> NDArray[np.int64]:
        """How often each source (S,) has been drawn from when a block begins."""
        num_draws = block * self.block_size
        parts = [divmod(num_draws * share.numerator, share.denominator) for share in self.shares]
        counts = np.array([whole for whole, _ in parts], np.int64)
        # What stands above the fraction's line is compared over one denominator.
        remainders = [Fraction(rest, share.denominator) for (_, rest), share in zip(parts, self.shares, strict=True)]
        largest = sorted(range(len(parts)), key=lambda source: (-remainders[source], source))
        counts[largest[: num_draws - int(counts.sum())]] += 1
        return counts

    def draws(self, positions: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Sources (N,) drawn from at positions (N,), and which of its source's draws each is, from 0 (N,)."""
        wanted = np.asarray(positions, np.int64)
        sources, numbers = np.empty_like(wanted), np.empty_like(wanted)
        blocks, offsets = np.divmod(wanted, self.block_size)
        for block in np.unique(blocks).tolist():
            here = blocks == block
            start, end = self.due(block), self.due(block + 1)
            last = np.cumsum(end - start)
            slots = Permutation(self.block_size, "mixture block", self._seed, block)(offsets[here])
            sources[here] = of_slot = np.searchsorted(last, slots, side="right")
            numbers[here] = slots - last[of_slot] + end[of_slot]
        return sources, numbers

    def num_drawn(self, num_draws: int) -> NDArray[np.int64]:
        """How often each source (S,) is drawn from in the first so many draws."""
        block, rest = divmod(num_draws, self.block_size)
        sources, _ = self.draws(np.arange(num_draws - rest, num_draws))
        return self.due(block) + np.bincount(sources, minlength=len(self.shares))


def exact_weight(weight: Weight) -> Fraction:
    """A weight as a fraction; a float counts as the decimal number it prints as.

    Raises:
        TrainingError: It is no number above 0.
    """
    try:
        exact = Fraction(weight) if isinstance(weight, int | Fraction) else _unfolded(weight)
    except (ValueError, TypeError, ZeroDivisionError) as err:
        raise TrainingError(f"a mixture's weight is {str(weight)[:60]!r}", remedy="Give a number above 0") from err
    if exact <= 0:
        raise TrainingError(f"a mixture's weight is {weight}", remedy="Give a number above 0, or leave the source out")
    return exact


def _unfolded(weight: float | str) -> Fraction:
    text = weight.strip() if isinstance(weight, str) else repr(float(weight))
    # 1e-99999999 is a hundred million digits.
    if not _WEIGHT.fullmatch(text):
        raise ValueError("no number, or one of more digits than any weight has")
    return Fraction(text)
