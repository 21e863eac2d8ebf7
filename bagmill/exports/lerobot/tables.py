"""The Parquet files of a LeRobot data set: ticks, episodes, tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bagmill.exports.lerobot import layout

_ROWS_AT_ONCE = 100
"""Episodes whose rows are kept before they are written."""


class ParquetFiles:
    """One table in as many files as its size asks for.

    Args:
        root: The data set's folder.
        pattern: Of the files' paths.
        max_file_bytes: At which a new one is begun; a file holds one table at least.
    """

    def __init__(self, root: Path, pattern: str, *, max_file_bytes: int) -> None:
        self._root = root
        self._pattern = pattern
        self._max_file_bytes = max_file_bytes
        self._place = layout.FilePlace()
        self._num_bytes = 0
        self._writer: pq.ParquetWriter | None = None

    def place_for(self, num_bytes: int) -> layout.FilePlace:
        """The file that a table of about this size will go to, if it is written next."""
        if self._writer is not None and self._num_bytes + num_bytes > self._max_file_bytes:
            self._writer.close()
            self._writer = None
            self._place = self._place.next
            self._num_bytes = 0
        return self._place

    def write(self, table: pa.Table) -> None:
        """Write a table behind those before it, into the file that `place_for` told."""
        if self._writer is None:
            path = self._root / self._place.path(self._pattern)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(path, table.schema, compression="snappy")
        self._writer.write_table(table)
        # Before compression: numbers that hardly change take less, so that a file ends up at or below its limit.
        self._num_bytes += table.nbytes

    def close(self) -> None:
        """Finish the last file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def tick_table(values: Mapping[str, NDArray[Any]]) -> pa.Table:
    """One episode's ticks: columns (T, D), of which those with D = 1 are plain numbers, as LeRobot has them."""
    columns = {}
    for key, column in values.items():
        flat = pa.array(np.ascontiguousarray(column).reshape(-1))
        width = column.shape[1]
        columns[key] = flat if width == 1 else pa.FixedSizeListArray.from_arrays(flat, width)
    return pa.table(columns)


class EpisodeRows:
    """The table of episodes, some rows at a time."""

    def __init__(self, root: Path, *, max_file_bytes: int) -> None:
        self._files = ParquetFiles(root, layout.EPISODES, max_file_bytes=max_file_bytes)
        self._rows: list[dict[str, Any]] = []

    def add(self, row: dict[str, Any]) -> None:
        """Add an episode; every row has the same keys."""
        self._rows.append(row)
        if len(self._rows) >= _ROWS_AT_ONCE:
            self._flush()

    def close(self) -> None:
        """Write what is left."""
        if self._rows:
            self._flush()
        self._files.close()

    def _flush(self) -> None:
        table = pa.Table.from_pylist(self._rows)
        place = self._files.place_for(table.nbytes)
        for name, number in (("chunk_index", place.chunk_index), ("file_index", place.file_index)):
            table = table.append_column(f"meta/episodes/{name}", pa.array([number] * len(table), pa.int64()))
        self._files.write(table)
        self._rows = []


def write_tasks(path: Path, tasks: Sequence[str]) -> None:
    """Write the tasks, numbered in this order."""
    import pandas as pd  # noqa: PLC0415 - see `dataset.snapshot`

    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({"task_index": np.arange(len(tasks))}, index=list(tasks)).to_parquet(path)
