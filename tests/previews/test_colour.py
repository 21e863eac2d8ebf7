import matplotlib as mpl
import numpy as np
import pytest

from bagmill.previews import colour_depth, depth_range


def test_range_leaves_out_what_was_not_measured_and_the_outer_two_percent():
    frame = np.zeros((100, 100), np.uint16)
    frame[0] = np.arange(1000, 1100)
    frame[1, 0] = 60_000

    near, far = depth_range([frame])

    assert near == pytest.approx(np.percentile(frame[frame > 0], 2), abs=1)
    assert far == pytest.approx(np.percentile(frame[frame > 0], 98), abs=1)


def test_range_spans_all_frames():
    near, far = depth_range([np.full((4, 4), 700, np.uint16), np.full((4, 4), 3000, np.uint16)])

    assert (near, far) == (700, 3000)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([], (0, 1)),
        ([np.zeros((8, 8), np.uint16)], (0, 1)),
        ([np.full((8, 8), 900, np.uint16)], (900, 901)),
        ([np.full((8, 8), 65_535, np.uint16)], (65_535, 65_536)),
    ],
)
def test_range_is_never_empty(frames: list[np.ndarray], expected: tuple[int, int]):
    assert depth_range(frames) == expected


def test_range_of_a_large_frame_is_that_of_a_part_of_it():
    frame = np.random.default_rng(0).integers(1000, 2000, (480, 640)).astype(np.uint16)

    near, far = depth_range([frame])

    assert near == pytest.approx(1020, abs=10)
    assert far == pytest.approx(1980, abs=10)


def test_colours_are_black_red_and_blue():
    depth = np.array([[0, 500, 1500, 2500], [0, 1, 1500, 65_535]], np.uint16)

    colours = colour_depth(depth, near=500, far=2500)

    assert colours.dtype == np.uint8
    assert colours.shape == (2, 4, 3)
    assert (colours[:, 0] == 0).all()
    assert (colours[0, 1:3] == colours[1, 1:3]).all(), "nearer than near is as near"
    assert (colours[0, 3] == colours[1, 3]).all(), "farther than far is as far"
    red, _, blue = colours[0, 1].astype(int)
    assert red > 2 * blue
    red, _, blue = colours[0, 3].astype(int)
    assert blue > 2 * red


def test_colours_are_the_named_palette_of_matplotlib():
    depth = np.linspace(500, 2500, 50).astype(np.uint16).reshape(5, 10)

    colours = colour_depth(depth, near=500, far=2500)

    place = 0.08 + 0.92 * (1 - (depth - 500.0) / 2000)
    np.testing.assert_array_equal(colours, (mpl.colormaps["turbo"](place)[..., :3] * 255).astype(np.uint8))


def test_nothing_measured_is_black_even_where_near_is_zero():
    assert (colour_depth(np.zeros((2, 2), np.uint16), near=0, far=1) == 0).all()
