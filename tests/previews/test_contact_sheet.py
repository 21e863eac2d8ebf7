import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from bagmill.episodes import Episode
from bagmill.previews import make_contact_sheets

MakeEpisode = Callable[..., Episode]


def make_contact_sheet(episode: Episode, **settings: int) -> bytes:
    return make_contact_sheets(episode, **settings).large


def _open(data: bytes, kind: str = "JPEG") -> np.ndarray:
    picture = Image.open(io.BytesIO(data))
    assert picture.format == kind
    assert picture.mode == "RGB"
    return np.asarray(picture)


def test_rows_are_cameras_and_columns_ticks(make_episode: MakeEpisode):
    episode = make_episode(26, {"depth/left": (48, 64), "images/left": (48, 64)}, invalid={"images/left": (10,)})

    sheet = _open(make_contact_sheet(episode, num_ticks=6, tile_height=60))

    # 16 lines of times; a row: 16 lines of its name, 60 of tiles, 2 between
    assert sheet.shape == (16 + 2 * (16 + 60 + 2), 6 * (80 + 2), 3)
    for column, tick in enumerate((0, 5, 10, 15, 20, 25)):
        x = column * 82
        image = sheet[32:92, x : x + 80]
        depth = sheet[110:170, x : x + 80]
        if tick != 10:
            np.testing.assert_allclose(image[:, 4:36].mean(axis=(0, 1)), (200, 30, 30), atol=8)
            np.testing.assert_allclose(image[:, 44:76].mean(), 20 + 7 * tick, atol=8)
        else:
            assert image.max(axis=2).mean() < 80, "hatched"
        assert depth[:40, 2:6, 0].mean() > 2 * depth[:40, 2:6, 2].mean(), "near is red"
        assert depth[-10:].mean() < 12, "nothing measured is black"


def test_times_and_names_are_written(make_episode: MakeEpisode):
    sheet = _open(make_contact_sheet(make_episode(10), tile_height=60))

    for column in range(6):
        assert sheet[:16, column * 82 : column * 82 + 60].max() > 150
    assert sheet[16:32, :80].max() > 150


def test_fewer_ticks_than_columns(make_episode: MakeEpisode):
    assert _open(make_contact_sheet(make_episode(2), tile_height=60)).shape == (16 + 78, 2 * 82, 3)


@pytest.mark.parametrize("max_bytes", [60 * 1024, 6000, 1500])
def test_it_is_no_larger_than_asked(make_episode: MakeEpisode, max_bytes: int):
    rng = np.random.default_rng(0)
    noise = {"state": rng.normal(size=(60, 12)).astype(np.float32)}
    cameras = {f"images/camera{n}": (48, 64) for n in range(4)}

    for episode in (make_episode(12, cameras), make_episode(60, {}, signals=noise)):
        data = make_contact_sheet(episode, max_bytes=max_bytes)
        assert len(data) <= max_bytes
        _open(data)


def test_without_a_camera_the_signals_are_drawn(make_episode: MakeEpisode):
    ramp = np.linspace(0, 1, 50, dtype=np.float32)[:, None]

    sheet = _open(make_contact_sheet(make_episode(50, {}, signals={"state": ramp})))

    assert sheet.shape == (400, 640, 3)
    # Blue on white: matplotlib's first colour runs from the lower left to the upper right.
    is_line = (sheet[..., 2].astype(int) - sheet[..., 0]) > 25
    rows, columns = np.nonzero(is_line)
    assert len(rows) > 300
    assert np.corrcoef(rows, columns)[0, 1] < -0.9


def test_an_episode_of_nothing_still_has_a_sheet(make_episode: MakeEpisode):
    assert _open(make_contact_sheet(make_episode(3, {}))).shape == (400, 640, 3)


def test_the_small_sheet_has_three_ticks_and_the_same_labels(make_episode: MakeEpisode):
    episode = make_episode(26, {"depth/left": (96, 128), "images/left": (96, 128)}, invalid={"images/left": (10,)})

    sheets = make_contact_sheets(episode)

    sheet = _open(sheets.small, "AVIF").astype(int)
    # Of the large one's six ticks the first, the third and the last; tiles of 80 lines, labels of 16 as in the large one
    assert sheet.shape == (16 + 2 * (16 + 80 + 2), 3 * (107 + 2), 3)
    assert sheet[16:32, :80].max() > 150
    for column, tick in enumerate((0, None, 25)):
        image = sheet[32:112, column * 109 : column * 109 + 107]
        if tick is None:
            assert image.max(axis=2).mean() < 80, "hatched"
        else:
            np.testing.assert_allclose(image[:, 4:48].mean(axis=(0, 1)), (200, 30, 30), atol=12)
            np.testing.assert_allclose(image[:, 60:100].mean(), 20 + 7 * tick, atol=12)
    assert len(sheets.small) < len(sheets.large) / 3


@pytest.mark.parametrize("max_bytes", [6000, 1500])
def test_the_small_sheet_fits_an_event(make_episode: MakeEpisode, max_bytes: int):
    rng = np.random.default_rng(0)
    noise = {"state": rng.normal(size=(60, 12)).astype(np.float32)}
    cameras = {f"images/camera{n}": (48, 64) for n in range(8)}

    for episode in (make_episode(12, cameras), make_episode(60, {}, signals=noise)):
        data = make_contact_sheets(episode, max_small_bytes=max_bytes).small
        assert len(data) <= max_bytes
        _open(data, "AVIF")


def test_a_camera_without_a_frame_has_a_row_still(make_episode: MakeEpisode):
    episode = make_episode(3, {"images/left": (48, 64)}, invalid={"images/left": (0, 1, 2)})

    sheets = make_contact_sheets(episode)

    assert _open(sheets.large)[32:].max(axis=2).mean() < 80
    _open(sheets.small, "AVIF")
