"""A snapshot's table as a Parquet file whose name is a hash of what it says, checked whenever it is read."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from bagmill.dataset.confined import check_paths
from bagmill.dataset.folder import Dataset, names_ending
from bagmill.dataset.sealed_parquet import check_sealed, write_sealed
from bagmill.dataset.snapshot_names import ID_LENGTH, is_snapshot_id
from bagmill.dataset.whole_file import read_file, write_whole
from bagmill.errors import StorageError

SPLIT: Final = "split"
"""Column of a curated snapshot: which episodes are for training, which for the test."""
_ID: Final = b"bagmill_snapshot"
_CURATION: Final = b"bagmill_curation"
_ORDER: Final = "bagmill_order"
_REMEDY: Final = "Make the snapshot again, which mends it, or see `bagmill repair`"


def put_table(dataset: Dataset, table: pa.Table, *, curation: bytes | None = None) -> tuple[str, Path, bool]:
    """Write a snapshot's table where its id says, unless it stands there whole.

    Args:
        dataset: Where to.
        table: Sorted by episode.
        curation: How it was chosen from another snapshot, as JSON; None: it has all episodes there are.

    Returns:
        Its id: a hash of its (episode, version) rows, and of a curated one of splits and `curation` as well; its path;
        whether it stood there.

    Raises:
        StorageError: The disk does not take it.
    """
    metadata = {} if curation is None else {_CURATION: curation}
    table = table.replace_schema_metadata(metadata)
    snapshot_id = _id_of(table)
    path = _path(dataset, snapshot_id)
    if path.exists():
        try:
            read_table(dataset, snapshot_id)
        except StorageError:
            pass  # it is damaged, and these are its rows
        else:
            return snapshot_id, path, True
    order = 1 + max((order_of(each) for each in snapshot_paths(dataset)), default=0)
    data = write_sealed(table.replace_schema_metadata({_ID: snapshot_id, **metadata}), facts={_ORDER: str(order)})
    write_whole(path, data)
    return snapshot_id, path, False


def read_table(dataset: Dataset, snapshot_id: str) -> pa.Table:
    """Read a snapshot's table.

    Raises:
        StorageError: There is no such snapshot, its file is damaged or not what its id says, or a row names what does not
            lie in the dataset.
    """
    path = _path(dataset, snapshot_id)
    try:
        data = read_file(path)
        check_sealed(data)
    except FileNotFoundError as err:
        raise StorageError(f"no snapshot has the id {snapshot_id}", path=path, remedy="Make it first") from err
    except (OSError, ValueError) as err:
        raise _no_snapshot(path, err) from err
    table = _read(dataset, snapshot_id, data=data)
    try:
        found = _id_of(table)
    except (KeyError, TypeError, ValueError) as err:
        raise _no_snapshot(path, err) from err
    if found != snapshot_id:
        raise StorageError("its rows are not those that its id was taken over", path=path, remedy=_REMEDY)
    check_paths(table, snapshot_id, path=path)
    return table


def snapshot_paths(dataset: Dataset) -> list[Path]:
    """The tables of all snapshots, by id.

    Raises:
        StorageError: Their folder cannot be listed.
    """
    return [_path(dataset, each) for each in names_ending(dataset.snapshots_dir, ".parquet") if is_snapshot_id(each)]


def order_of(path: Path) -> int:
    """Which snapshot of its dataset this was when it was made, from 1; 0 where its file does not say, or is damaged."""
    try:
        status = path.stat()
        return _order_in(path, status.st_ino, status.st_mtime_ns, status.st_size)
    except OSError:
        return 0


@lru_cache(maxsize=4096)
def _order_in(path: Path, *_status: int) -> int:
    """As `order_of`; kept, because snapshots do not change and a prune asks often."""
    try:
        with pq.ParquetFile(path) as file:
            return int((file.metadata.metadata or {}).get(_ORDER.encode(), 0))
    except (OSError, ValueError, pa.ArrowException):
        return 0


def read_column(dataset: Dataset, snapshot_id: str, column: str) -> pa.Table:
    """One column of a snapshot's table, and how the table was chosen; nothing is compared with the id or a checksum.

    Raises:
        StorageError: There is no such snapshot, or its file is damaged.
    """
    table = _read(dataset, snapshot_id, columns=[column])
    if column not in table.column_names:
        raise _no_snapshot(_path(dataset, snapshot_id), f"it has no column {column}")
    return table


def rows_of(table: pa.Table) -> list[tuple[str, str]]:
    """(episode, version) of every row."""
    return list(zip(table["episode"].to_pylist(), table["version"].to_pylist(), strict=True))


def curation_of(table: pa.Table) -> bytes | None:
    """How a table was chosen from another, as it was written; None: it has all episodes there were."""
    found: bytes | None = (table.schema.metadata or {}).get(_CURATION)
    return found


def _read(
    dataset: Dataset, snapshot_id: str, *, columns: list[str] | None = None, data: bytes | None = None
) -> pa.Table:
    path = _path(dataset, snapshot_id)
    try:
        # Not read_table, which would take a `key=value` folder above for a column.
        with pq.ParquetFile(path if data is None else pa.BufferReader(data)) as file:
            return file.read(columns)
    except FileNotFoundError as err:
        raise StorageError(f"no snapshot has the id {snapshot_id}", path=path, remedy="Make it first") from err
    except (OSError, pa.ArrowException) as err:
        raise _no_snapshot(path, err) from err


def _no_snapshot(path: Path, err: Exception | str) -> StorageError:
    return StorageError(f"is no snapshot ({' '.join(str(err).split())})", path=path, remedy=_REMEDY)


def _id_of(table: pa.Table) -> str:
    rows: list[tuple[str, ...]] = [*rows_of(table)]
    content: object = sorted(rows)
    if (curation := curation_of(table)) is not None:
        if SPLIT in table.column_names:
            rows = [(*row, split) for row, split in zip(rows, table[SPLIT].to_pylist(), strict=True)]
        content = [sorted(rows), curation.decode("ascii")]
    # JSON, so that no name can run into the next.
    return hashlib.sha256(json.dumps(content).encode("ascii")).hexdigest()[:ID_LENGTH]


def _path(dataset: Dataset, snapshot_id: str) -> Path:
    if not is_snapshot_id(snapshot_id):
        # Of a file of the dataset's, for whoever asks has named one.
        raise StorageError(f"{snapshot_id[:200]!r} is no snapshot's id", path=dataset.path, remedy="Name a snapshot")
    return dataset.snapshots_dir / f"{snapshot_id}.parquet"
