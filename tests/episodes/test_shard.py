"""Shards: what we write is judged by zarr's sharding codec, and what zarr writes is read by us."""

import os
import struct
import tempfile
from pathlib import Path

import google_crc32c
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from numcodecs import zstd
from zarr.codecs import BytesCodec, Crc32cCodec, ZstdCodec

from bagmill.episodes.shard import ShardReader, ShardWriter, unwritten
from bagmill.errors import StorageError

ROW = 50


def _array(folder: Path, num_chunks: int) -> zarr.Array:
    return zarr.create_array(
        str(folder),
        shape=(num_chunks, ROW),
        dtype="uint8",
        chunks=(1, ROW),
        shards=(num_chunks, ROW),
        serializer=BytesCodec(),
        compressors=[ZstdCodec(level=3), Crc32cCodec()],
        fill_value=0,
    )


@st.composite
def _rows(draw: st.DrawFn) -> np.ndarray:
    """Rows that compress to sizes from a few bytes to more than their own."""
    rows = np.zeros((draw(st.integers(1, 40)), ROW), np.uint8)
    for row in rows:
        num_random = draw(st.integers(1, ROW))
        row[:num_random] = np.random.default_rng(draw(st.integers(0, 5))).integers(1, 256, num_random)
    return rows


@settings(max_examples=60)
@given(rows=_rows(), data=st.data())
def test_zarr_reads_what_was_written_in_any_order_with_gaps_and_shared_chunks(
    rows: np.ndarray, data: st.DataObject
) -> None:
    num = len(rows)
    order = data.draw(st.permutations(range(num)))
    kinds = data.draw(st.lists(st.sampled_from(["own", "own", "absent", "alias"]), min_size=num, max_size=num))
    picks = data.draw(st.lists(st.integers(0, num), min_size=num, max_size=num))
    pauses = data.draw(st.sets(st.integers(0, num - 1)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "a.zarr"
        array = _array(folder, num)
        writer = ShardWriter(folder / "c/0/0", num)
        expected = np.zeros_like(rows)
        own: list[int] = []
        for chunk in order:
            if chunk in pauses:
                writer.pause()
            if kinds[chunk] == "alias" and own:
                source = own[picks[chunk] % len(own)]
                writer.alias(chunk, source)
                expected[chunk] = rows[source]
            elif kinds[chunk] != "absent":
                writer.append(chunk, memoryview(zstd.compress(rows[chunk], 3)))
                own.append(chunk)
                expected[chunk] = rows[chunk]
        writer.finish()

        assert np.array_equal(array[:], expected)
        if not own:
            assert not (folder / "c").exists()
            return
        reader = ShardReader(folder / "c/0/0", num)
        assert len(reader) == num
        for chunk in range(num):
            stored = reader.chunk(chunk)
            assert reader.has_chunk(chunk) == reader.is_present[chunk] == (stored is not None)
            assert np.array_equal(array[chunk], expected[chunk])
            if stored is not None:
                assert np.array_equal(np.frombuffer(zstd.decompress(stored), np.uint8), expected[chunk])
            else:
                assert not expected[chunk].any()
        # Shared chunks are stored once.
        sizes = [len(zstd.compress(rows[chunk], 3)) + 4 for chunk in own]
        assert (folder / "c/0/0").stat().st_size == sum(sizes) + 16 * num + 4


@settings(max_examples=40)
@given(rows=_rows(), absent=st.sets(st.integers(0, 39)))
def test_what_zarr_writes_is_read(rows: np.ndarray, absent: set[int]) -> None:
    for chunk in absent & set(range(len(rows))):
        rows[chunk] = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "a.zarr"
        _array(folder, len(rows))[:] = rows
        if not rows.any():
            return
        reader = ShardReader(folder / "c/0/0", len(rows))
        for chunk, row in enumerate(rows):
            stored = reader.chunk(chunk)
            if row.any():
                assert stored is not None
                assert np.array_equal(np.frombuffer(zstd.decompress(stored), np.uint8), row)
            else:
                assert stored is None


def _three_chunks(path: Path) -> bytes:
    writer = ShardWriter(path, 4)
    for chunk, data in ((2, b"two"), (0, b"zero"), (3, b"three")):
        writer.append(chunk, data)
    writer.finish()
    return path.read_bytes()


def test_the_bytes_are_those_of_the_specification(tmp_path: Path) -> None:
    def with_crc(data: bytes) -> bytes:
        return data + struct.pack("<I", google_crc32c.value(data))

    chunks = with_crc(b"two") + with_crc(b"zero") + with_crc(b"three")
    absent = 2**64 - 1
    index = struct.pack("<8Q", 7, 8, absent, absent, 0, 7, 15, 9)
    assert _three_chunks(tmp_path / "shard") == chunks + with_crc(index)


def test_every_flipped_byte_is_found_and_only_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "shard"
    whole = _three_chunks(path)
    chunk_at = [2] * 7 + [0] * 8 + [3] * 9
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        if place >= len(chunk_at):
            with pytest.raises(StorageError, match=r"index does not match its checksum.*Verify the episode"):
                ShardReader(path, 4)
            continue
        reader = ShardReader(path, 4)
        for chunk in (0, 2, 3):
            if chunk == chunk_at[place]:
                with pytest.raises(StorageError, match=f"chunk {chunk} of the shard does not match its checksum"):
                    reader.chunk(chunk)
                assert reader.chunk(chunk, is_verified=False) is not None
            else:
                assert reader.chunk(chunk) == {0: b"zero", 2: b"two", 3: b"three"}[chunk]


@pytest.mark.parametrize("size", [0, 1, 67, 68, 91])
def test_a_broken_off_shard_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "shard"
    path.write_bytes(_three_chunks(path)[:size])
    with pytest.raises(StorageError, match=r"breaks off|does not match its checksum"):
        ShardReader(path, 4)


_MAX = 2**64 - 1


@pytest.mark.parametrize(
    "entry", [(0, 25), (25, 4), (24, 4), (_MAX - 1, 8), (8, _MAX - 3), (_MAX, 4), (0, _MAX), (0, 3), (2**63, 2**63)]
)
def test_an_index_that_points_outside_is_refused_although_its_checksum_is_right(
    tmp_path: Path, entry: tuple[int, int]
) -> None:
    path = tmp_path / "shard"
    index = struct.pack("<8Q", 0, 7, *entry, 7, 8, 15, 9)
    path.write_bytes(bytes(24) + index + struct.pack("<I", google_crc32c.value(index)))
    with pytest.raises(StorageError, match="places chunk 1 at"):
        ShardReader(path, 4)


def test_a_missing_shard_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be read"):
        ShardReader(tmp_path / "none", 4)


def test_chunks_of_every_size_by_the_thousand(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sizes = [*rng.integers(1, 50, 1200).tolist(), 3_000_000, 1, 700_000, 524_288 - 4, 524_288, 2, *[200_000] * 9]
    chunks = [rng.bytes(size) for size in sizes]
    writer = ShardWriter(tmp_path / "shard", len(chunks))
    for chunk, data in enumerate(chunks):
        writer.append(chunk, data)
    writer.finish()
    with_crcs = b"".join(data + struct.pack("<I", google_crc32c.value(data)) for data in chunks)
    assert (tmp_path / "shard").read_bytes()[: len(with_crcs)] == with_crcs
    reader = ShardReader(tmp_path / "shard", len(chunks))
    assert all(reader.chunk(chunk) == data for chunk, data in enumerate(chunks))


def test_a_views_memory_is_free_again_after_append(tmp_path: Path) -> None:
    writer = ShardWriter(tmp_path / "shard", 2)
    memory = bytearray(b"first")
    writer.append(0, memoryview(memory))
    memory[:] = b"other"
    writer.append(1, memoryview(memory))
    writer.finish()
    reader = ShardReader(tmp_path / "shard", 2)
    assert (reader.chunk(0), reader.chunk(1)) == (b"first", b"other")


@given(st.lists(st.binary(max_size=6), max_size=8), st.data())
def test_a_write_that_was_cut_short_goes_on_where_it_stopped(parts: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(parts)
    num_written = data.draw(st.integers(0, len(whole)))
    left = unwritten(parts, num_written)
    assert b"".join(left) == whole[num_written:]
    assert left == [] or num_written < len(whole), "an empty rest would be written for ever"


def test_a_chunk_is_written_once(tmp_path: Path) -> None:
    writer = ShardWriter(tmp_path / "shard", 4)
    writer.append(1, b"one")
    with pytest.raises(StorageError, match="chunk 1 was written before"):
        writer.append(1, b"one")
    with pytest.raises(StorageError, match="chunk 1 was written before"):
        writer.alias(1, 1)
    with pytest.raises(StorageError, match="chunk 3 has not been written"):
        writer.alias(2, 3)
    writer.finish()


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "shard").write_bytes(b"mine")
    with pytest.raises(StorageError, match="cannot be written"):
        ShardWriter(tmp_path / "shard", 4).append(0, b"x")
    assert (tmp_path / "shard").read_bytes() == b"mine"


def test_a_shard_that_becomes_shorter_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "shard"
    writer = ShardWriter(path, 8)
    for chunk in range(8):
        writer.append(chunk, bytes([chunk]) * 10_000)
    writer.finish()
    shard = ShardReader(path, 8)
    kept = shard.chunk(1)
    with path.open("r+b") as file:
        file.truncate(30_000)
    assert shard.chunk(0) == bytes([0]) * 10_000
    assert kept == bytes([1]) * 10_000
    for is_verified in (True, False):
        with pytest.raises(StorageError, match="chunk 7"):
            shard.chunk(7, is_verified=is_verified)
    path.write_bytes(b"")
    with pytest.raises(StorageError):
        shard.chunk(0)
    with pytest.raises(StorageError, match="breaks off"):
        ShardReader(path, 8)


def test_a_pipe_in_a_shards_place_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "shard")
    with pytest.raises(StorageError, match="a named pipe, not a regular file"):
        ShardReader(tmp_path / "shard", 8)


def test_a_shards_checksum_is_that_of_its_chunks_and_of_where_they_lie(tmp_path: Path) -> None:
    def write(name: str, chunks: dict[int, bytes], also: dict[int, int]) -> str:
        writer = ShardWriter(tmp_path / name, 4)
        for chunk, data in chunks.items():
            writer.append(chunk, data)
        for chunk, existing in also.items():
            writer.alias(chunk, existing)
        writer.finish()
        assert writer.checksum is not None
        assert ShardReader(tmp_path / name, 4).checksum() == writer.checksum
        return writer.checksum

    different = {
        write("one", {0: b"some", 2: b"more"}, {3: 0}),
        write("another", {0: b"same", 2: b"more"}, {3: 0}),
        write("swapped", {0: b"more", 2: b"some"}, {3: 2}),
        write("elsewhere", {1: b"some", 2: b"more"}, {3: 1}),
        write("unshared", {0: b"some", 2: b"more", 3: b"some"}, {}),
    }
    assert len(different) == 5
    assert write("again", {0: b"some", 2: b"more"}, {3: 0}) in different
    # What the files' own CRC-32C would have said: of other chunks of the same sizes, the same.
    of_files = {google_crc32c.value((tmp_path / name).read_bytes()) for name in ("one", "another")}
    assert len(of_files) == 1


def test_a_shard_without_a_chunk_has_no_checksum(tmp_path: Path) -> None:
    writer = ShardWriter(tmp_path / "shard", 4)
    writer.finish()
    assert writer.checksum is None
    assert not (tmp_path / "shard").exists()
