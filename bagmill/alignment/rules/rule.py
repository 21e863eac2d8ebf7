"""What an alignment rule is."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bagmill.alignment.timeline import AlignedFeature


class Rule(Protocol):
    """How one feature's messages are laid on the ticks, and how its values follow from them.

    Stamps may be in any order and may repeat; of messages with equal stamps the one recorded last counts. What stands
    out of order feeds nothing, so that a clock that was set back is never sorted away: a tick is valid only if the
    messages that would feed it are in order (`StampOrder`), and a value is made of two only if they were recorded one
    after the other. So the rows behind the ticks never go back.
    """

    @property
    def name(self) -> str:
        """What a profile calls it."""
        ...

    @property
    def is_interpolating(self) -> bool:
        """It makes values that no message holds, so it is not for pictures."""
        ...

    @property
    def group_size(self) -> int:
        """How many of a message's numbers belong together: a feature's width must be a multiple of it."""
        ...

    def select(self, stamps_ns: NDArray[np.int64], ticks_ns: NDArray[np.int64], *, tolerance_ns: int) -> AlignedFeature:
        """Choose the messages behind every tick.

        Args:
            stamps_ns: (N,) stamps of the stream's messages in the order of recording.
            ticks_ns: (T,) rising.
            tolerance_ns: How far a message may be from a tick, or two messages from each other where a value is made
                of both.
        """
        ...

    def combine(
        self, before: NDArray[np.float64], after: NDArray[np.float64], weight: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Make the ticks' values from their messages' values.

        Args:
            before: (N, D) of the message that feeds the tick, or of its left neighbour.
            after: (N, D) of its right neighbour; where the weight is 0 it does not count.
            weight: (N,) share of `after`, 0 ≤ w < 1.

        Returns:
            (N, D); where the weight is 0, `before` unchanged.
        """
        ...
