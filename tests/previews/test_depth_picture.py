"""Depth as a colour picture with its scale."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from bagmill.episodes import Episode
from bagmill.previews import make_depth_picture

MakeEpisode = Callable[..., Episode]


def _open(data: bytes | None) -> np.ndarray:
    assert data is not None
    picture = Image.open(io.BytesIO(data))
    assert picture.format == "JPEG"
    return np.asarray(picture).astype(int)


def test_the_frame_has_the_colours_of_the_scale_beside_it(make_episode: MakeEpisode):
    episode = make_episode(11, {"depth/left": (120, 160), "images/left": (48, 64)})

    picture = _open(make_depth_picture(episode))

    assert picture.shape == (20 + 120 + 8, 160 + 16 + 16 + 64, 3)
    frame, scale = picture[20:140, :160], picture[20:140, 168:184]
    # Depth rises to the right from 500 to 2500: near is the scale's lower end, far its upper one.
    np.testing.assert_allclose(frame[10:80, 2:6].mean(axis=(0, 1)), scale[-4:].mean(axis=(0, 1)), atol=16)
    np.testing.assert_allclose(frame[10:80, 154:158].mean(axis=(0, 1)), scale[:4].mean(axis=(0, 1)), atol=16)
    np.testing.assert_allclose(frame[10:80, 78:82].mean(axis=(0, 1)), scale[58:62].mean(axis=(0, 1)), atol=24)
    assert frame[-20:].mean() < 12, "nothing measured is black"
    assert picture[20:34, 186:].max() > 150, "the far end's number"
    assert picture[126:140, 186:].max() > 150, "the near end's number"


def test_every_depth_camera_is_there(make_episode: MakeEpisode):
    episode = make_episode(3, {"depth/a": (48, 64), "depth/b": (60, 80)}, invalid={"depth/a": (0, 1)})

    assert _open(make_depth_picture(episode)).shape == (48 + 28 + 60 + 28, 80 + 96, 3)


def test_large_frames_are_made_smaller_and_the_file_fits(make_episode: MakeEpisode):
    episode = make_episode(1, {"depth/a": (720, 1280)})

    assert _open(make_depth_picture(episode)).shape[0] == 480 + 28
    data = make_depth_picture(episode, max_bytes=8000)
    assert data is not None
    assert len(data) <= 8000


@pytest.mark.parametrize("cameras", [{}, {"images/left": (48, 64)}])
def test_without_depth_there_is_none(make_episode: MakeEpisode, cameras: dict[str, tuple[int, int]]):
    assert make_depth_picture(make_episode(3, cameras)) is None


def test_a_depth_camera_without_a_frame_has_no_picture(make_episode: MakeEpisode):
    assert make_depth_picture(make_episode(2, {"depth/a": (48, 64)}, invalid={"depth/a": (0, 1)})) is None
