"""Arrays that are not made of frames, written whole: the very files that zarr-python writes.

zarr's own way to an array takes milliseconds for each, whatever is in it, and an episode has four for every feature.

Source: Zarr v3 core specification, array metadata and "regular" chunk grid; the order and the layout of the JSON are
zarr-python's, so that it does not show in an episode who wrote it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bagmill.codecs.lossless import ZSTD_LEVEL, compress
from bagmill.episodes import layout
from bagmill.episodes.shard import crc32c
from bagmill.errors import StorageError

_KINDS: Final = "biuf"
"""Of data types: bool, integers, floats."""
_GROUP: Final = {"attributes": {}, "zarr_format": 3, "node_type": "group"}


def write_value_array(
    root: Path, name: str, values: NDArray[Any], *, chunk_rows: int, attributes: Mapping[str, Any]
) -> None:
    """Write an array, and the groups above it where there are none.

    Args:
        root: The group that it is in.
        name: `/` between groups.
        values: First axis ticks; bool, integer or float.
        chunk_rows: Rows in a chunk.
        attributes: JSON values.

    Raises:
        StorageError: The name is taken, or values of another type.
        TypeError, ValueError: Attributes that are no JSON.
        OSError: The disk does not take it.
    """
    if values.dtype.kind not in _KINDS:
        raise StorageError(f"{name}: expected numbers, found {values.dtype}", path=root)
    folder = root / name
    metadata_path = folder / layout.METADATA_FILE
    if metadata_path.exists():
        raise StorageError(f"{name} cannot be written: there is an array or a group of that name", path=root)
    chunk_shape = (chunk_rows, *(max(1, length) for length in values.shape[1:]))
    text = _json(_metadata(values, chunk_shape, attributes))
    folder.mkdir(parents=True, exist_ok=True)
    _write_groups(root, folder.parent)
    metadata_path.write_bytes(text)
    if not values.size:
        return
    chunks_folder = folder.joinpath("c")
    for first in range(0, len(values), chunk_rows):
        rows = values[first : first + chunk_rows]
        path = chunks_folder.joinpath(str(first // chunk_rows), *("0" for _ in chunk_shape[1:]))
        path.parent.mkdir(parents=True, exist_ok=True)
        data = compress(_filled(rows, chunk_rows))
        path.write_bytes(data + crc32c(data))


def _metadata(values: NDArray[Any], chunk_shape: tuple[int, ...], attributes: Mapping[str, Any]) -> dict[str, Any]:
    # One byte has no order.
    endian = {"configuration": {"endian": "little"}} if values.itemsize > 1 else {}
    return {
        "shape": list(values.shape),
        "data_type": values.dtype.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(chunk_shape)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": values.dtype.type(0).item(),
        "codecs": [
            {"name": "bytes", **endian},
            {"name": "zstd", "configuration": {"level": ZSTD_LEVEL, "checksum": False}},
            {"name": "crc32c"},
        ],
        "attributes": dict(attributes),
        "zarr_format": 3,
        "node_type": "array",
        "storage_transformers": [],
    }


def _write_groups(root: Path, folder: Path) -> None:
    for group in itertools.takewhile(lambda path: path != root, (folder, *folder.parents)):
        path = group / layout.METADATA_FILE
        if not path.exists():
            path.write_bytes(_json(_GROUP))


def _filled(rows: NDArray[Any], chunk_rows: int) -> NDArray[Any]:
    """A chunk's rows; behind the array's last ones, zeros."""
    if len(rows) == chunk_rows:
        return rows
    return np.concatenate([rows, np.zeros((chunk_rows - len(rows), *rows.shape[1:]), rows.dtype)])


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, indent=2).encode()
