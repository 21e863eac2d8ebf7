"""Numbers that are none, counted over all messages of a channel: one among thousands keeps an episode out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bagmill.errors import DecodeError
from bagmill.messages import SignalLayout, signal_layout_finder
from bagmill.recordings import Buffer, Channel

_MOST_LAYOUTS = 16


@dataclass(slots=True)
class OddValues:
    """How many messages hold a nan, an infinity, or nothing but zeros.

    Only messages whose numbers stand at fixed places are read: that takes a hundredth of decoding them. Others are not
    counted.

    Args:
        channel: Whose messages they are.
        path: Of the field.
        names: Joints, as `signal_decoder` takes them.
    """

    channel: Channel
    path: str
    names: tuple[str, ...]
    num_read: int = 0
    num_nan: int = 0
    num_infinite: int = 0
    num_zero: int = 0
    _layouts: dict[int, SignalLayout | None] = field(default_factory=dict)
    _find: Callable[[Buffer], SignalLayout | None] | None = None
    _is_started: bool = False

    def take(self, payloads: Sequence[Buffer]) -> None:
        """Count some messages."""
        by_size: dict[int, list[Buffer]] = {}
        for payload in payloads:
            by_size.setdefault(len(payload), []).append(payload)
        for size, alike in by_size.items():
            layout = self._layout(size, alike[0])
            if layout is not None:
                messages = np.frombuffer(b"".join(alike), np.uint8).reshape(len(alike), size)
                fits = layout.fits(messages)
                try:
                    numbers = layout.numbers(messages if fits.all() else np.ascontiguousarray(messages[fits]))
                except DecodeError:
                    continue  # such messages are told by the sample
                self._count(numbers)

    def _layout(self, size: int, payload: Buffer) -> SignalLayout | None:
        if not self._is_started:
            self._is_started = True
            try:
                self._find = signal_layout_finder(self.channel, self.path, names=self.names)
            except DecodeError:
                self._find = None
        if self._find is None:
            return None
        if size not in self._layouts and len(self._layouts) < _MOST_LAYOUTS:
            try:
                self._layouts[size] = self._find(payload)
            except DecodeError:
                self._layouts[size] = None
        return self._layouts.get(size)

    def _count(self, numbers: NDArray[np.float64]) -> None:
        self.num_read += len(numbers)
        self.num_nan += int(np.count_nonzero(np.any(np.isnan(numbers), axis=1)))
        self.num_infinite += int(np.count_nonzero(np.any(np.isinf(numbers), axis=1)))
        self.num_zero += int(np.count_nonzero(np.all(numbers == 0, axis=1)))
