"""Memory goes back when nobody can see it any more, and not before."""

import gc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from bagmill.training.buffers import Buffers

MIB = 1 << 20


@pytest.fixture
def buffers() -> Buffers:
    return Buffers(max_idle_bytes=4 * MIB)


def address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def test_memory_is_used_again(buffers):
    first = buffers.empty((2, MIB), np.dtype(np.uint8))
    place = address(first)
    del first
    again = buffers.empty((MIB // 2,), np.dtype(np.float32))
    assert address(again) == place
    assert (again.shape, again.dtype) == ((MIB // 2,), np.float32)


@pytest.mark.parametrize("size", [MIB, 3 * MIB + 5, 64 * 96 * 96 * 3])
def test_pictures_begin_where_the_decoder_writes_to_the_caches(buffers, size):
    array = buffers.empty((size,), np.dtype(np.uint8))
    assert array.shape == (size,)
    assert address(array) % 32 == 16


def test_a_view_keeps_it(buffers):
    first = buffers.empty((2, MIB), np.dtype(np.uint8))
    first[...] = 7
    view = first[1][10:20]
    del first
    gc.collect()
    other = buffers.empty((2, MIB), np.dtype(np.uint8))
    other[...] = 9
    assert (view == 7).all()


def test_what_is_too_much_is_given_up(buffers):
    many = [buffers.empty((3 * MIB,), np.dtype(np.uint8)) for _ in range(3)]
    places = {address(each) for each in many}
    many.clear()
    assert buffers.idle_bytes == 3 * MIB
    assert address(buffers.empty((3 * MIB,), np.dtype(np.uint8))) in places


def test_threads_never_share(buffers):
    def fill(n: int) -> bool:
        array = buffers.empty((2 * MIB,), np.dtype(np.uint8))
        array[...] = n
        return bool((array == n).all())

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(fill, range(100)))
