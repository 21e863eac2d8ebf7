"""Arrays of values: file by file what zarr-python writes, and read where they are such files."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from zarr.codecs import BytesCodec, Crc32cCodec, ZstdCodec

from bagmill.episodes.value_array import read_value_array, write_value_array
from bagmill.errors import StorageError

ATTRIBUTES: dict[str, Any] = {"names": ["a", "b"], "units": None, "µ": {"é": 1.5, "n": [1, True]}}


def _by_zarr(root: Path, name: str, values: np.ndarray, *, chunk_rows: int, attributes: dict[str, Any]) -> None:
    zarr.create_group(store=str(root), zarr_format=3).create_array(
        name,
        data=values,
        chunks=(chunk_rows, *(max(1, length) for length in values.shape[1:])),
        serializer=BytesCodec(),
        compressors=[ZstdCodec(level=3), Crc32cCodec()],
        filters=None,
        fill_value=0,
        attributes=attributes,
        config={"write_empty_chunks": True},
    )


def _files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


_shapes = st.one_of(st.tuples(st.integers(0, 9)), st.tuples(st.integers(0, 9), st.integers(0, 3)))
_values = st.sampled_from(["bool", "int64", "uint16", "int8", "float32", "float64"]).flatmap(
    lambda dtype: hnp.arrays(dtype, _shapes)
)


@settings(max_examples=60)
@given(values=_values, chunk_rows=st.integers(1, 5), name=st.sampled_from(["time", "valid/images/left", "state"]))
def test_every_file_is_the_one_that_zarr_writes(
    tmp_path_factory: pytest.TempPathFactory, values: np.ndarray, chunk_rows: int, name: str
) -> None:
    ours, theirs = tmp_path_factory.mktemp("ours"), tmp_path_factory.mktemp("theirs")
    _by_zarr(theirs, name, values, chunk_rows=chunk_rows, attributes=ATTRIBUTES)
    zarr.create_group(store=str(ours), zarr_format=3)
    write_value_array(ours, name, values, chunk_rows=chunk_rows, attributes=ATTRIBUTES)
    assert _files(ours) == _files(theirs)
    np.testing.assert_array_equal(zarr.open_group(str(ours), mode="r")[name][...], values)


@pytest.mark.parametrize("dtype", [">i8", ">f4"])
def test_big_endian_values_are_stored_little_endian(tmp_path: Path, dtype: str) -> None:
    values = np.arange(5).astype(dtype)
    write_value_array(tmp_path, "a", values, chunk_rows=3, attributes={})
    array = zarr.open_array(str(tmp_path / "a"), mode="r")
    assert array.metadata.to_dict()["data_type"] == values.dtype.name
    np.testing.assert_array_equal(array[...], values)


def test_strided_values_are_stored_in_order(tmp_path: Path) -> None:
    values = np.arange(40.0).reshape(5, 8)[::2, ::-3]
    write_value_array(tmp_path, "a", values, chunk_rows=2, attributes={})
    np.testing.assert_array_equal(zarr.open_array(str(tmp_path / "a"), mode="r")[...], values)


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    write_value_array(tmp_path, "a/b", np.arange(3), chunk_rows=3, attributes={})
    for name in ("a/b", "a"):
        with pytest.raises(StorageError, match=f"{name} cannot be written: there is"):
            write_value_array(tmp_path, name, np.arange(3), chunk_rows=3, attributes={})


def test_what_is_no_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="a: expected numbers, found"):
        write_value_array(tmp_path, "a", np.array(["x"]), chunk_rows=1, attributes={})
    assert not list(tmp_path.iterdir())


def test_numbers_that_do_not_compress_are_read(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (5000, 7), np.uint8)
    write_value_array(tmp_path, "a", values, chunk_rows=5000, attributes={})
    np.testing.assert_array_equal(read_value_array(tmp_path, "a", shape=values.shape, dtype=values.dtype), values)


def test_a_chunk_that_is_a_pipe_or_has_no_end_is_refused(tmp_path: Path) -> None:
    values = np.arange(3)
    write_value_array(tmp_path, "a", values, chunk_rows=3, attributes={})
    path = tmp_path / "a/c/0"
    os.truncate(path, 1 << 40)
    with pytest.raises(StorageError, match="do not match their checksum"):
        read_value_array(tmp_path, "a", shape=values.shape, dtype=values.dtype)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(StorageError, match="a named pipe"):
        read_value_array(tmp_path, "a", shape=values.shape, dtype=values.dtype)
