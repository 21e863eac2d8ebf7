"""Chunks and messages come back as they were, and never larger than announced."""

from __future__ import annotations

import bz2
import tracemalloc

import lz4.frame
import pytest
import zstandard

from bagmill.recordings.compression import DecompressionError, decompress, decompress_zstd_message

CONTENT = bytes(range(256)) * 200
PACKED = {
    "lz4": lz4.frame.compress(CONTENT),
    "bz2": bz2.compress(CONTENT),
    "zstd": zstandard.compress(CONTENT),
}


@pytest.mark.parametrize("compression", PACKED)
def test_whole_data(compression):
    assert decompress(memoryview(PACKED[compression]), compression=compression, size_bytes=len(CONTENT)) == CONTENT
    assert decompress(b"", compression=compression, size_bytes=0) == b""


@pytest.mark.parametrize("compression", PACKED)
@pytest.mark.parametrize("size_bytes", [0, 1, len(CONTENT) - 1, len(CONTENT) + 1, 2**31, 2**50])
def test_another_size_than_announced(compression, size_bytes):
    tracemalloc.start()
    try:
        with pytest.raises(DecompressionError):
            decompress(PACKED[compression], compression=compression, size_bytes=size_bytes)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("compression", PACKED)
def test_cut_and_foreign_data(compression):
    for data in (PACKED[compression][: len(PACKED[compression]) // 2], b"nothing of the kind", b""):
        with pytest.raises(DecompressionError):
            decompress(data, compression=compression, size_bytes=len(CONTENT))


def test_zstd_without_a_size_and_in_several_frames():
    unsized = zstandard.ZstdCompressor(write_content_size=False).compress(CONTENT)
    assert decompress(unsized, compression="zstd", size_bytes=len(CONTENT)) == CONTENT
    two = zstandard.compress(CONTENT[:1000]) + zstandard.compress(CONTENT[1000:])
    assert decompress(two, compression="zstd", size_bytes=len(CONTENT)) == CONTENT
    with pytest.raises(DecompressionError, match="does not tell its size"):
        decompress_zstd_message(unsized)


def test_zeros_compress_far_and_still_come_back():
    zeros = bytes(8 << 20)
    assert decompress_zstd_message(zstandard.compress(zeros)) == zeros
    assert decompress(lz4.frame.compress(zeros), compression="lz4", size_bytes=len(zeros)) == zeros
    assert decompress(bz2.compress(zeros), compression="bz2", size_bytes=len(zeros)) == zeros
