"""Depth: counts bit for bit, metres rounded to counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagmill.errors import DecodeError
from bagmill.messages import ImagePayload, to_depth

COUNTS = np.array([[0, 1, 255], [256, 1000, 65535]], np.uint16)


def payload(pixels, encoding, *, is_bigendian=False, padding=0):
    height, width = pixels.shape
    stored = pixels.astype(pixels.dtype.newbyteorder(">" if is_bigendian else "<"))
    rows = stored.view(np.uint8).reshape(height, -1)
    padded = np.full((height, rows.shape[1] + padding), 0xAA, np.uint8)
    padded[:, : rows.shape[1]] = rows
    return ImagePayload(encoding, height, width, padded.shape[1], is_bigendian, memoryview(padded.tobytes()))


@pytest.mark.parametrize("padding", [0, 1, 4])
@pytest.mark.parametrize("is_bigendian", [False, True])
@pytest.mark.parametrize("encoding", ["16UC1", "mono16", "Z16", "z16"])
def test_counts_come_out_bit_for_bit(encoding, is_bigendian, padding):
    depth = to_depth(payload(COUNTS, encoding, is_bigendian=is_bigendian, padding=padding))
    assert depth.dtype == np.uint16
    assert depth.dtype.isnative
    assert depth.flags.c_contiguous
    assert np.array_equal(depth, COUNTS)


def test_depth_is_no_view_of_the_payload():
    source = payload(COUNTS, "16UC1")
    assert not np.shares_memory(to_depth(source), np.frombuffer(source.data, np.uint8))


@pytest.mark.parametrize("is_bigendian", [False, True])
def test_metres_are_rounded_to_the_nearest_count(is_bigendian):
    metres = np.array([[0.0, 0.0004, 0.0006], [1.2344, 1.2346, 65.535]], np.float32)
    depth = to_depth(payload(metres, "32FC1", is_bigendian=is_bigendian, padding=2))
    assert depth.tolist() == [[0, 0, 1], [1234, 1235, 65535]]


def test_no_depth_in_metres_is_zero():
    metres = np.array([[np.nan, np.inf], [-np.inf, -1.0]], np.float32)
    assert to_depth(payload(metres, "32FC1")).tolist() == [[0, 0], [0, 0]]


def test_metres_use_the_scale_and_are_refused_beyond_its_reach():
    metres = np.array([[70.0]], np.float32)
    with pytest.raises(DecodeError, match=r"70\.000 m is beyond the 65\.535 m .* larger `scale_m`"):
        to_depth(payload(metres, "32FC1"))
    assert to_depth(payload(metres, "32FC1"), scale_m=0.01).tolist() == [[7000]]


@given(st.lists(st.floats(0.0, 60.0, width=32), min_size=1, max_size=20), st.sampled_from([0.001, 0.0025, 0.01]))
def test_metres_are_off_by_half_a_count_at_most(metres, scale_m):
    source = np.array([metres], np.float32)
    back = to_depth(payload(source, "32FC1"), scale_m=scale_m) * scale_m
    assert np.abs(back - source.astype(np.float64)).max() <= scale_m / 2 * (1 + 1e-6)


def test_pictures_are_no_depth():
    with pytest.raises(DecodeError, match=r"mono8 is no depth. Expected 16UC1"):
        to_depth(payload(np.zeros((2, 2), np.uint8), "mono8"))
