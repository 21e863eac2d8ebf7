"""RVL, against an encoder that follows the paper number by number."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagmill.errors import DecodeError
from bagmill.messages.rvl import decode_rvl
from tests.messages.rvl_encoder import encode_rvl


def decode(data: bytes, depth: np.ndarray) -> np.ndarray:
    return decode_rvl(memoryview(data), height=depth.shape[0], width=depth.shape[1])


def test_a_picture_by_hand():
    """Two holes, then 5 and 3: 2, 2, +5 as 10 = 2·1 groups of `010|1`, `001`; −2 as 3."""
    # Groups: 2, 2, (10 = 0b001 010: low 2 with more to come, then 1), 3
    word = 0x2 << 28 | 0x2 << 24 | 0xA << 20 | 0x1 << 16 | 0x3 << 12
    data = memoryview(word.to_bytes(4, "little"))
    assert decode_rvl(data, height=1, width=4).tolist() == [[0, 0, 5, 3]]
    assert encode_rvl(np.array([[0, 0, 5, 3]], np.uint16)) == bytes(data)


@given(
    st.lists(st.one_of(st.just(0), st.integers(0, 65535), st.integers(995, 1005)), min_size=1, max_size=120),
    st.sampled_from([1, 2, 3]),
)
def test_every_picture_comes_back(values: list[int], height: int):
    depth = np.array(values * height, np.uint16).reshape(height, -1)
    data = encode_rvl(depth)
    assert np.array_equal(decode(data, depth), depth)
    assert np.array_equal(decode(data + b"behind", depth), depth)


@pytest.mark.parametrize("depth", [np.zeros((4, 5), np.uint16), np.full((4, 5), 65535, np.uint16)])
def test_pictures_of_one_value(depth: np.ndarray):
    assert np.array_equal(decode(encode_rvl(depth), depth), depth)


@given(st.binary(max_size=60))
def test_damaged_data_raise_or_give_some_picture(data: bytes):
    try:
        found = decode_rvl(memoryview(data), height=3, width=5)
    except DecodeError:
        return
    assert found.shape == (3, 5)
    assert found.dtype == np.uint16


def test_data_that_break_off_are_named():
    depth = np.arange(1, 601, dtype=np.uint16).reshape(20, 30)
    data = encode_rvl(depth)
    for size in (0, 3, 4, len(data) // 2, len(data) - 8):
        with pytest.raises(DecodeError, match="RVL data that"):
            decode(data[:size], depth)


def test_a_number_of_absurd_length_is_named():
    with pytest.raises(DecodeError, match="more than 32 bits"):
        decode_rvl(memoryview(b"\xff" * 8 + b"\0\0\0\x10"), height=2, width=2)
