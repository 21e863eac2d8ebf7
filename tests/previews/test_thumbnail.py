from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from bagmill.episodes import Episode
from bagmill.errors import StorageError
from bagmill.previews.thumbnail import depth_ranges, fit_size, spread_ticks, thumbnail

MakeEpisode = Callable[..., Episode]


@pytest.mark.parametrize(
    ("num_ticks", "count", "expected"),
    [(10, 4, [0, 3, 6, 9]), (3, 6, [0, 1, 2]), (1, 6, [0]), (0, 6, []), (100, 1, [0])],
)
def test_spread_ticks(num_ticks: int, count: int, expected: list[int]):
    assert spread_ticks(num_ticks, count=count) == expected


@pytest.mark.parametrize(
    ("shape", "height", "max_width", "expected"),
    [
        ((480, 640, 3), 240, 3840, (240, 320)),
        ((480, 640), 240, 3840, (240, 320)),
        ((480, 641, 3), 241, 3840, (240, 320)),
        ((84, 84, 3), 240, 3840, (240, 240)),
        ((100, 10_000, 3), 240, 3840, (38, 3840)),
        ((1000, 10, 3), 16, 3840, (16, 2)),
        ((10, 10_000, 3), 16, 100, (2, 100)),
    ],
)
def test_sizes_are_even_and_keep_the_aspect(
    shape: tuple[int, ...], height: int, max_width: int, expected: tuple[int, int]
):
    assert fit_size(shape, height=height, max_width=max_width) == expected


@pytest.mark.parametrize("size", [(24, 32), (48, 64), (30, 40), (96, 128)])
@pytest.mark.parametrize("is_exact", [True, False])
@pytest.mark.parametrize("is_lossless", [True, False])
def test_a_thumbnail_looks_like_its_frame_made_smaller_by_pillow(
    make_episode: MakeEpisode,
    scene: Callable[..., np.ndarray],
    size: tuple[int, int],
    is_exact: bool,
    is_lossless: bool,
):
    episode = make_episode(3, is_lossless=is_lossless)

    picture = thumbnail(episode, "images/left", tick=2, size=size, ranges={}, is_exact=is_exact)

    assert picture is not None
    assert picture.shape == (*size, 3)
    expected = Image.fromarray(scene(2, (48, 64))).resize(size[::-1], Image.Resampling.BOX)
    difference = np.abs(picture.astype(int) - np.asarray(expected))
    assert np.mean(difference) < 4
    assert np.median(difference) <= 2


def test_the_fast_way_gives_nearly_what_the_exact_one_gives(make_episode: MakeEpisode):
    episode = make_episode(3, {"images/left": (96, 128)})

    fast, exact = (
        thumbnail(episode, "images/left", tick=1, size=(48, 64), ranges={}, is_exact=is_exact)
        for is_exact in (False, True)
    )

    assert np.abs(fast.astype(int) - exact).mean() < 1


def test_depth_holes_stay_dark_and_near_is_red(make_episode: MakeEpisode):
    episode = make_episode(3, {"depth/left": (48, 64)})
    ranges = depth_ranges(episode)

    picture = thumbnail(episode, "depth/left", tick=1, size=(24, 32), ranges=ranges)

    assert ranges["depth/left"][0] == pytest.approx(540, abs=30)
    assert ranges["depth/left"][1] == pytest.approx(2460, abs=30)
    assert (picture[-6:] == 0).all()
    assert picture[0, 0, 0] > 2 * picture[0, 0, 2]
    assert picture[0, -1, 2] > 2 * picture[0, -1, 0]


def test_a_tick_without_a_frame_has_no_thumbnail(make_episode: MakeEpisode):
    episode = make_episode(
        3, {"images/left": (48, 64), "depth/left": (48, 64)}, invalid={"images/left": (1,), "depth/left": (1,)}
    )

    for name in episode.features:
        assert thumbnail(episode, name, tick=1, size=(24, 32), ranges=depth_ranges(episode)) is None


def test_depth_without_any_frame_has_a_range_still(make_episode: MakeEpisode):
    episode = make_episode(3, {"depth/left": (48, 64)}, invalid={"depth/left": (0, 1, 2)})

    assert depth_ranges(episode) == {"depth/left": (0, 1)}


def test_a_damaged_frame_is_named(make_episode: MakeEpisode):
    path = make_episode(3).path
    shard = next(file for file in (path / "images/left/c").rglob("*") if file.is_file())
    data = bytearray(shard.read_bytes())
    data[200] ^= 0xFF
    shard.write_bytes(data)

    # Byte 200 of a shard is in its first frame.
    with pytest.raises(StorageError, match="checksum|images/left"):
        thumbnail(Episode.open(path), "images/left", tick=0, size=(24, 32), ranges={})
