"""Chunks that are read without keeping a file open, against what was written."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bagmill.episodes import chunk_files
from bagmill.episodes.chunk_files import ChunkFiles
from bagmill.episodes.shard import ShardWriter
from bagmill.episodes.shard_index import crc32c, is_intact


@settings(max_examples=80)
@given(data=st.data(), num_chunks=st.integers(1, 12), max_gap_bytes=st.sampled_from([0, 20, 1 << 16]))
def test_any_chunks_are_those_that_were_written(data: st.DataObject, num_chunks: int, max_gap_bytes: int) -> None:
    written: dict[int, bytes] = {}
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patched:
        patched.setattr(chunk_files, "_MAX_GAP_BYTES", max_gap_bytes)
        path = Path(name) / "shard"
        writer = ShardWriter(path, num_chunks)
        for chunk in data.draw(st.permutations(range(num_chunks))):
            if data.draw(st.booleans()):
                written[chunk] = data.draw(st.binary(min_size=1, max_size=40))
                writer.append(chunk, written[chunk])
        writer.finish()
        files = ChunkFiles()
        for _ in range(3):
            wanted = data.draw(st.lists(st.integers(0, num_chunks - 1), min_size=1, max_size=8))
            found = files.read(str(path), num_chunks, wanted)
            assert found is not None or not written
            chunks = [None] * len(wanted) if found is None else found
            assert [None if chunk is None else bytes(chunk) for chunk in chunks] == [written.get(n) for n in wanted]


@given(data=st.binary(max_size=60), bit=st.integers(0))
def test_bytes_are_intact_until_one_bit_is_not(data: bytes, bit: int) -> None:
    stored = data + crc32c(data)
    assert is_intact(stored)
    assert is_intact(memoryview(stored))
    changed = bytearray(stored)
    changed[bit % (8 * len(stored)) // 8] ^= 1 << bit % 8
    assert not is_intact(bytes(changed))
    assert not is_intact(memoryview(changed))
