"""One field of many messages at once, read from the places where its numbers stand in all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from bagmill.messages.numeric import EXACT_TO
from bagmill.messages.ros_layout import RosLayout
from bagmill.recordings.records import Buffer


class _Run(NamedTuple):
    """Numbers that stand one behind the other in the message and in the signal."""

    columns: slice
    """Of the signal."""
    bytes: slice
    """Of the payload."""
    dtype: str


@dataclass(frozen=True, slots=True)
class SignalLayout:
    """Where a signal's numbers stand in one message, and in every other that fits.

    A message fits if it has as many bytes, says the same of all its lengths, its texts are valid, and float64 holds its
    numbers: where the layout's message has its numbers, it has its own.
    """

    size_bytes: int
    """Of the message."""
    _told: NDArray[np.int64]
    """(B,) bytes to compare: those of lengths and text."""
    _said: NDArray[np.uint8]
    """(B,) what they are in the layout's message."""
    _is_text: NDArray[np.bool_]
    """(B,) whether they may be any other ASCII too."""
    _runs: tuple[_Run, ...]
    _width: int

    @classmethod
    def of(cls, data: Buffer, layout: RosLayout, places: NDArray[np.int64], *, is_text_fixed: bool) -> Self:
        """The layout of one message.

        Args:
            data: The message.
            layout: Its own.
            places: (D,) positions in `layout.offsets`: the signal's numbers, in its order.
            is_text_fixed: Whether `places` hang on the message's texts (joints by their names).
        """
        payload = np.frombuffer(data, np.uint8)
        told = np.concatenate([layout.lengths, layout.text])
        is_text = np.arange(len(told)) >= len(layout.lengths)
        return cls(
            size_bytes=len(payload),
            _told=told,
            _said=payload[told],
            _is_text=is_text & (not is_text_fixed),
            _runs=_runs(layout, places),
            _width=len(places),
        )

    def fits(self, payloads: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """(N,) whether messages can be read by this layout.

        Args:
            payloads: (N, size_bytes).
        """
        found = payloads.take(self._told, axis=1)
        is_same = found == self._said
        fits = np.asarray(is_same.all(axis=1))
        if not fits.all() and self._is_text.any():
            # Other text is looked at only as far as it is ASCII, which cannot be invalid UTF-8.
            fits |= np.where(self._is_text, found < 0x80, is_same).all(axis=1)
        for _, bytes_, dtype in self._runs:
            if dtype[1:] in ("i8", "u8"):
                numbers = payloads[:, bytes_].view(dtype)
                # What float64 may not hold exactly is looked at one by one.
                fits &= ((numbers <= EXACT_TO) & (numbers >= -EXACT_TO if dtype[1] == "i" else True)).all(axis=1)
        return fits

    def numbers(self, payloads: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(N, D) the signal of messages that fit.

        Args:
            payloads: (N, size_bytes), C-contiguous.
        """
        numbers = np.empty((len(payloads), self._width))
        with np.errstate(invalid="ignore"):  # a float32 that is a signalling nan
            for columns, bytes_, dtype in self._runs:
                numbers[:, columns] = payloads[:, bytes_].view(dtype)
        return numbers


def _runs(layout: RosLayout, places: NDArray[np.int64]) -> tuple[_Run, ...]:
    runs: list[_Run] = []
    for column, place in enumerate(places.tolist()):
        first, dtype = int(layout.offsets[place]), layout.dtypes[place]
        end = first + np.dtype(dtype).itemsize
        if runs and runs[-1].dtype == dtype and runs[-1].bytes.stop == first:
            last = runs.pop()
            runs.append(_Run(slice(last.columns.start, column + 1), slice(last.bytes.start, end), dtype))
        else:
            runs.append(_Run(slice(column, column + 1), slice(first, end), dtype))
    return tuple(runs)
