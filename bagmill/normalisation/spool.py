"""Rows of a signal that are gone through several times: in memory while they are few, in a temporary file beyond."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from bagmill.errors import StorageError

_BLOCK_BYTES: Final = 4 << 20


class Spool:
    """A context manager around rows of one width; what was not finite or was missing comes back as nan.

    Args:
        width: D.
        dtype: float32 or float64.
        max_bytes: Of memory; more is written to a file without a name in the system's temporary folder.
    """

    def __init__(self, width: int, dtype: np.dtype[Any], *, max_bytes: int) -> None:
        self.dtype = dtype
        self._width = width
        self._file = tempfile.SpooledTemporaryFile(max_size=max_bytes)  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def append(self, values: NDArray[np.floating[Any]], *, places: NDArray[np.intp]) -> None:
        """Add rows, all before the first of `blocks`.

        Args:
            values: (N, d) float.
            places: (d,) which dimension each of them is; the others are nan.

        Raises:
            StorageError: The disk does not take them.
        """
        rows = values
        if values.dtype != self.dtype or not np.array_equal(places, np.arange(self._width)):
            rows = np.full((len(values), self._width), np.nan, self.dtype)
            rows[:, places] = values
        try:
            self._file.write(rows.tobytes())
        except OSError as err:
            raise StorageError(
                f"a temporary file cannot be written ({err.strerror})",
                path=tempfile.gettempdir(),
                remedy="Make room there, or name another folder in the environment variable TMPDIR",
            ) from err

    def blocks(self) -> Iterator[NDArray[np.floating[Any]]]:
        """All rows in blocks (n, D), in the order in which they came; may be gone through again and again."""
        row_bytes = self._width * self.dtype.itemsize
        block_bytes = max(1, _BLOCK_BYTES // row_bytes) * row_bytes
        self._file.seek(0)
        while data := self._file.read(block_bytes):
            yield np.frombuffer(data, self.dtype).reshape(-1, self._width)
