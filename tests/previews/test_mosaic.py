from collections.abc import Callable

import numpy as np
import pytest

from bagmill.episodes import Episode
from bagmill.previews import draw_mosaic, plan_mosaic
from bagmill.previews.mosaic import hatched

MakeEpisode = Callable[..., Episode]


def test_cameras_stand_side_by_side_images_first(make_episode: MakeEpisode):
    episode = make_episode(2, {"depth/left": (48, 64), "images/left": (48, 64), "images/right": (60, 120)})

    mosaic = plan_mosaic(episode, height=24)

    assert [(tile.feature, tile.x, tile.y, tile.width, tile.height) for tile in mosaic.tiles] == [
        ("images/left", 0, 0, 32, 24),
        ("images/right", 32, 0, 48, 24),
        ("depth/left", 80, 0, 32, 24),
    ]
    assert (mosaic.width, mosaic.height) == (112, 24)


def test_a_row_that_would_be_too_wide_is_broken(make_episode: MakeEpisode):
    episode = make_episode(1, {f"images/camera{n}": (9, 16) for n in range(5)})

    mosaic = plan_mosaic(episode, height=480)

    assert [(tile.x, tile.y) for tile in mosaic.tiles] == [(0, 0), (854, 0), (0, 480), (854, 480), (0, 960)]
    assert (mosaic.width, mosaic.height) == (1708, 1440)


@pytest.mark.parametrize("height", [16, 17, 239, 240, 241])
def test_sizes_are_even(make_episode: MakeEpisode, height: int):
    mosaic = plan_mosaic(make_episode(1, {"images/odd": (47, 63), "depth/odd": (33, 31)}), height=height)

    assert mosaic.width % 2 == mosaic.height % 2 == 0
    assert all(tile.width % 2 == tile.height % 2 == tile.x % 2 == tile.y % 2 == 0 for tile in mosaic.tiles)


def test_nothing_to_lay_out(make_episode: MakeEpisode):
    assert plan_mosaic(make_episode(3, {}, signals={"state": np.zeros((3, 2), np.float32)}), height=24) is None


def test_every_tile_shows_its_camera_at_the_tick(make_episode: MakeEpisode):
    episode = make_episode(10, {"images/left": (48, 64), "images/right": (48, 64)}, invalid={"images/right": (4,)})
    mosaic = plan_mosaic(episode, height=24)

    for tick in (0, 4, 9):
        picture = draw_mosaic(mosaic, episode, tick=tick)
        np.testing.assert_allclose(picture[:, :14].mean(axis=(0, 1)), (200, 30, 30), atol=4)
        np.testing.assert_allclose(picture[:, 18:32].mean(), 20 + 7 * tick, atol=4)
        if tick != 4:
            np.testing.assert_array_equal(picture[:, 32:], picture[:, :32])


def test_a_missing_frame_is_hatched_not_repeated(make_episode: MakeEpisode):
    episode = make_episode(5, {"images/left": (48, 64)}, invalid={"images/left": (2,)})
    mosaic = plan_mosaic(episode, height=24)

    picture = draw_mosaic(mosaic, episode, tick=2)

    np.testing.assert_array_equal(picture, hatched((24, 32)))
    assert len(np.unique(picture)) == 2
    assert picture.max() < 128


def test_beside_a_lower_tile_it_is_black(make_episode: MakeEpisode):
    episode = make_episode(1, {"images/left": (48, 64), "images/wide": (10, 4000)})
    mosaic = plan_mosaic(episode, height=24)

    picture = draw_mosaic(mosaic, episode, tick=0)

    assert [tile.height for tile in mosaic.tiles] == [24, 10]
    assert mosaic.tiles[1].y == 24, "too wide to stand beside the first"
    assert (picture[:24, 32:] == 0).all()
