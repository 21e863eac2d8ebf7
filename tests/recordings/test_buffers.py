"""Buffers are used again, but never under somebody's eyes."""

from __future__ import annotations

import numpy as np

from bagmill.recordings.buffers import BufferPool


def _address(view: memoryview) -> int:
    return int(np.frombuffer(view, np.uint8).__array_interface__["data"][0])


def test_a_buffer_that_nobody_holds_is_used_again() -> None:
    pool = BufferPool()
    first = pool.take(100_000)
    address = _address(first)
    del first
    assert _address(pool.take(90_000)) == address


def test_a_view_of_a_part_keeps_a_buffer() -> None:
    pool = BufferPool()
    first = pool.take(100_000)
    first[:3] = b"abc"
    part = first[:3].toreadonly()
    del first
    pool.take(100_000)[:3] = b"xyz"
    assert bytes(part) == b"abc"


def test_an_array_over_a_view_keeps_a_buffer() -> None:
    pool = BufferPool()
    array = np.frombuffer(pool.take(64), np.uint8)
    array_before = array.copy()
    pool.take(64)[:] = b"\xff" * 64
    assert (array == array_before).all()


def test_a_small_request_leaves_a_large_buffer_for_large_ones() -> None:
    pool = BufferPool()
    address = _address(pool.take(10_000_000))
    assert _address(pool.take(10)) != address
    assert _address(pool.take(10_000_000)) == address


def test_sizes_are_as_asked_for() -> None:
    pool = BufferPool()
    for size in (0, 1, 65_535, 65_536, 65_537, 1_000_000):
        for _ in range(3):
            assert len(pool.take(size)) == size


def test_more_than_it_keeps_can_be_held() -> None:
    pool = BufferPool()
    views = [pool.take(1000) for _ in range(100)]
    for number, view in enumerate(views):
        view[:] = bytes([number]) * 1000
    assert [view[999] for view in views] == list(range(100))
