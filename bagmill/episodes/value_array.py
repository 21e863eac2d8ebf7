"""Arrays that are not made of frames, written and read whole: the very files that zarr-python writes and reads.

zarr's own way to an array takes milliseconds for each, whatever is in it, and an episode has four for every feature.

Source: Zarr v3 core specification, array metadata and "regular" chunk grid; the order and the layout of the JSON are
zarr-python's, so that it does not show in an episode who wrote it.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bagmill.codecs.lossless import ZSTD_LEVEL, compress, decompress
from bagmill.episodes import layout
from bagmill.episodes.shard_index import CRC_BYTES, crc32c
from bagmill.errors import CodecError, StorageError
from bagmill.regular_files import read_regular

_KINDS: Final = "biuf"
"""Of data types: bool, integers, floats."""
_GROUP: Final = {"attributes": {}, "zarr_format": 3, "node_type": "group"}


def write_value_array(
    root: Path, name: str, values: NDArray[Any], *, chunk_rows: int, attributes: Mapping[str, Any]
) -> list[str]:
    """Write an array, and the groups above it where there are none.

    Args:
        root: The group that it is in.
        name: `/` between groups.
        values: First axis ticks; bool, integer or float.
        chunk_rows: Rows in a chunk.
        attributes: JSON values.

    Returns:
        The checksum that every chunk's file ends with, as eight hexadecimal digits.

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
    checksums: list[str] = []
    if not values.size:
        return checksums
    for first in range(0, len(values), chunk_rows):
        rows = values[first : first + chunk_rows]
        path = _chunk_path(folder, first // chunk_rows, values.ndim)
        path.parent.mkdir(parents=True, exist_ok=True)
        data = compress(_filled(rows, chunk_rows))
        crc = crc32c(data)
        path.write_bytes(data + crc)
        checksums.append(stored_checksum(crc))
    return checksums


def read_value_array(root: Path, name: str, *, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Read an array that an `EpisodeWriter` wrote, of which shape and dtype are known, without its metadata.

    Args:
        root: The group that it is in.
        name: `/` between groups.
        shape: First axis ticks.
        dtype: As it is stored, little endian.

    Raises:
        StorageError: It is not there, damaged, or not of that shape and dtype.
    """
    little = dtype.newbyteorder("<")
    # Asked first: whether there is as much on the disk as is to be made room for.
    if (last := _num_chunks(shape, dtype) - 1) >= 0 and not _chunk_path(root / name, last, len(shape)).exists():
        raise _not_read(root, name, f"chunk {last} is missing")
    try:
        out = np.empty(shape, little)
    except (MemoryError, ValueError) as err:
        raise _not_read(root, name, f"{shape} is too large") from err
    chunk_rows = layout.chunk_ticks(shape[0], tick_bytes=out[:1].nbytes)
    for first in range(0, shape[0] if out.size else 0, chunk_rows):
        rows = out[first : first + chunk_rows]
        path = _chunk_path(root / name, first // chunk_rows, out.ndim)
        try:
            stored = memoryview(read_regular(path, most_bytes=_most_stored_bytes(chunk_rows * out[:1].nbytes)))
        except OSError as err:
            raise _not_read(root, name, str(err.strerror)) from err
        data = stored[:-CRC_BYTES]
        if crc32c(data) != stored[-CRC_BYTES:]:
            raise _not_read(root, name, "its bytes do not match their checksum")
        try:
            # The array's last chunk is as long as the others.
            whole = rows if len(rows) == chunk_rows else np.empty((chunk_rows, *shape[1:]), little)
            decompress(data, whole)
        except CodecError as err:
            raise _not_read(root, name, err.problem) from err
        if whole is not rows:
            rows[...] = whole[: len(rows)]
    return out.astype(dtype, copy=False)


def stored_checksum(stored: bytes) -> str:
    """The checksum that a chunk's file ends with, as eight hexadecimal digits."""
    return f"{int.from_bytes(stored[-CRC_BYTES:], 'little'):08x}"


def value_array_paths(root: Path, name: str, *, shape: tuple[int, ...], dtype: np.dtype[Any]) -> list[Path]:
    """The files that `read_value_array` reads with the same arguments."""
    return [_chunk_path(root / name, chunk, len(shape)) for chunk in range(_num_chunks(shape, dtype))]


def _num_chunks(shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    if not math.prod(shape):
        return 0
    return -(-shape[0] // layout.chunk_ticks(shape[0], tick_bytes=math.prod(shape[1:]) * dtype.itemsize))


def _most_stored_bytes(num_bytes: int) -> int:
    """Of a chunk's file: what Zstandard may make of bytes that it cannot compress, and the checksum."""
    return num_bytes + num_bytes // 128 + 1024 + CRC_BYTES


def _chunk_path(folder: Path, chunk: int, num_axes: int) -> Path:
    return folder.joinpath("c", str(chunk), *("0" for _ in range(num_axes - 1)))


def _not_read(root: Path, name: str, why: str) -> StorageError:
    return StorageError(
        f"array {name} cannot be read ({why})",
        path=root,
        remedy="Verify the episode, delete it and make it again from its recording",
    )


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
