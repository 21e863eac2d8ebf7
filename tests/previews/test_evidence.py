from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from bagmill.episodes import Episode
from bagmill.errors import StorageError
from bagmill.previews import check_preview, write_preview
from bagmill.previews.encoder_process import leave_real_time
from bagmill.quality.metric import PreviewEvidence

MakeEpisode = Callable[..., Episode]
RATE = Fraction(30)


def _evidence(film: Path, episode: Episode) -> PreviewEvidence:
    return check_preview(film, episode, height=48)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return tmp_path / "film.mp4"


def _write(episode: Episode, film: Path, *, rate_hz: Fraction = RATE) -> None:
    assert write_preview(episode, film, height=48, crf=30, rate_hz=rate_hz) is not None


def _write_by_hand(path: Path, pictures: list[np.ndarray]) -> None:
    with av.open(str(path), "w", format="mp4") as film:
        stream = film.add_stream("libsvtav1", rate=RATE, options={"preset": "10", "crf": "20"})
        stream.height, stream.width, stream.pix_fmt = *pictures[0].shape[:2], "yuv420p"
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            film.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")))
        film.mux(stream.encode(None))
    leave_real_time()  # or whatever the tests start from here on takes the cores from all others


def test_a_good_film(make_episode: MakeEpisode, film: Path):
    episode = make_episode(40, {"images/left": (96, 128), "depth/left": (96, 128)}, invalid={"images/left": (3,)})
    _write(episode, film)

    evidence = _evidence(film, episode)

    assert (evidence.num_ticks, evidence.num_frames_decoded) == (40, 40)
    assert len(evidence.psnr_db) == 12
    assert min(evidence.psnr_db) > 25


def test_psnr_is_that_of_the_decoded_frames(make_episode: MakeEpisode, film: Path):
    episode = make_episode(4, {"images/left": (48, 64)})
    _write(episode, film)

    evidence = _evidence(film, episode)

    with av.open(str(film)) as opened:
        shown = [frame.to_ndarray(format="rgb24").astype(float) for frame in opened.decode(video=0)]
    errors = [((frame - episode.frame("images/left", tick)) ** 2).mean() for tick, frame in enumerate(shown)]
    np.testing.assert_allclose(evidence.psnr_db, 10 * np.log10(255**2 / np.array(errors)), atol=0.1)


@pytest.mark.parametrize("rate_hz", [Fraction(1, 5), Fraction(30_000, 1001), Fraction(1000)])
def test_frames_are_found_at_their_instants(make_episode: MakeEpisode, film: Path, rate_hz: Fraction):
    episode = make_episode(25, rate_hz=rate_hz)
    _write(episode, film, rate_hz=rate_hz)

    evidence = _evidence(film, episode)

    assert len(evidence.psnr_db) == 12
    assert min(evidence.psnr_db) > 25


def test_a_film_of_another_episode_shows_in_the_psnr(make_episode: MakeEpisode, film: Path):
    _write(make_episode(10, invalid={"images/left": tuple(range(10))}), film)

    evidence = _evidence(film, make_episode(10))

    assert evidence.num_frames_decoded == 10
    assert max(evidence.psnr_db) < 15


def test_a_film_that_lags_by_a_tick_shows_in_the_psnr(
    make_episode: MakeEpisode, scene: Callable[..., np.ndarray], film: Path
):
    episode = make_episode(30)
    exact = [scene(tick, (48, 64)) for tick in range(30)]
    _write_by_hand(film, exact)
    good = _evidence(film, episode)
    _write_by_hand(film, [exact[0], *exact[:-1]])
    lagging = _evidence(film, episode)

    assert min(good.psnr_db) > min(lagging.psnr_db) + 3


def test_a_film_that_is_too_short_is_counted(make_episode: MakeEpisode, scene: Callable[..., np.ndarray], film: Path):
    _write_by_hand(film, [scene(tick, (48, 64)) for tick in range(7)])

    evidence = _evidence(film, make_episode(30))

    assert (evidence.num_ticks, evidence.num_frames_decoded) == (30, 7)
    assert 0 < len(evidence.psnr_db) < 12


def test_a_film_of_another_size_is_not_compared(
    make_episode: MakeEpisode, scene: Callable[..., np.ndarray], film: Path
):
    _write_by_hand(film, [scene(tick, (24, 32)) for tick in range(10)])

    evidence = _evidence(film, make_episode(10))

    assert evidence.num_frames_decoded == 10
    assert set(evidence.psnr_db) == {0.0}


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.9])
def test_a_film_cut_short_has_fewer_frames(make_episode: MakeEpisode, film: Path, share: float):
    episode = make_episode(100)
    _write(episode, film)
    data = film.read_bytes()
    film.write_bytes(data[: int(len(data) * share)])

    assert _evidence(film, episode).num_frames_decoded < 100


def test_bytes_that_are_no_film(make_episode: MakeEpisode, film: Path):
    film.write_bytes(np.random.default_rng(0).bytes(5000))

    assert _evidence(film, make_episode(5)) == PreviewEvidence(num_ticks=5, num_frames_decoded=0, psnr_db=[])


def test_no_film_at_all(make_episode: MakeEpisode, film: Path):
    with pytest.raises(StorageError, match="there is no preview"):
        _evidence(film, make_episode(5))


def test_an_episode_that_cannot_be_filmed(make_episode: MakeEpisode, film: Path):
    episode = make_episode(5, {}, signals={"state": np.zeros((5, 2), np.float32)})

    with pytest.raises(StorageError, match="no frames"):
        _evidence(film, episode)
