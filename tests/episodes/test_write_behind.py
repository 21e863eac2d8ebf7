"""Shards written by threads hold the bytes of those written at once, and say what went wrong."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bagmill.episodes.shard import ShardReader, ShardWriter
from bagmill.episodes.write_behind import WriteBehind
from bagmill.errors import StorageError


@pytest.fixture
def behind() -> Iterator[WriteBehind]:
    behind = WriteBehind()
    yield behind
    behind.close()


def _write(path: Path, chunks: list[bytes | memoryview], behind: WriteBehind | None) -> tuple[bytes, str | None]:
    writer = ShardWriter(path, len(chunks), behind=behind)
    for chunk, data in enumerate(chunks):
        writer.append(chunk, data)
        if chunk % 50 == 49:
            writer.pause()
    writer.finish()
    return path.read_bytes(), writer.checksum


def test_threads_write_the_same_bytes(tmp_path: Path, behind: WriteBehind) -> None:
    rng = np.random.default_rng(0)
    sizes = [*rng.integers(1, 300_000, 120).tolist(), 5_000_000, 1, *rng.integers(1, 50, 700).tolist()]
    memory = memoryview(rng.bytes(6_000_000))
    chunks: list[bytes | memoryview] = [memory[n : n + size] for n, size in enumerate(sizes)]
    written = _write(tmp_path / "behind", chunks, behind)
    assert written == _write(tmp_path / "at once", chunks, None)
    reader = ShardReader(tmp_path / "behind", len(chunks))
    assert all(reader.chunk(n) == data for n, data in enumerate(chunks))
    assert reader.checksum() == written[1]


def test_a_small_view_into_large_memory_does_not_hold_it_for_long(tmp_path: Path) -> None:
    memory = [memoryview(bytes(3 << 20)) for _ in range(4)]
    writer = ShardWriter(tmp_path / "shard", 4)
    for chunk, large in enumerate(memory):
        writer.append(chunk, large[:10])
    assert (tmp_path / "shard").stat().st_size == 3 * 14, "written before twelve mebibytes are held"
    writer.finish()


def test_a_disk_that_does_not_take_it_is_told_at_the_next_pause(
    tmp_path: Path, behind: WriteBehind, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(28, "No space left on device")

    writer = ShardWriter(tmp_path / "shard", 4, behind=behind)
    monkeypatch.setattr(os, "pwritev", refuse)
    writer.append(0, bytes(5 << 20))
    with pytest.raises(StorageError, match=r"cannot be written \(No space left on device\)"):
        writer.pause()


def test_only_a_few_writes_are_under_way_at_a_time(behind: WriteBehind) -> None:
    may_end = threading.Event()
    accepted: list[int] = []

    def hand_over() -> None:
        for n in range(20):
            behind.submit(may_end.wait)  # type: ignore[arg-type]
            accepted.append(n)

    thread = threading.Thread(target=hand_over)
    thread.start()
    thread.join(0.2)
    assert thread.is_alive()
    assert len(accepted) <= 4
    may_end.set()
    thread.join(30)
    assert len(accepted) == 20
