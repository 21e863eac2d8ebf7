import io
import struct
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from bagmill.alignment.timeline import AlignedFeature, Timeline
from bagmill.episodes import Episode
from bagmill.previews import signal_plot, skew_plot

MakeEpisode = Callable[..., Episode]
BLUE, ORANGE = (31, 119, 180), (255, 127, 14)
"""matplotlib's first two colours."""


def _timeline(skews_ms: dict[str, np.ndarray], invalid: dict[str, list[int]] | None = None) -> Timeline:
    num_ticks = len(next(iter(skews_ms.values())))
    time_ns = 10**18 + np.arange(num_ticks, dtype=np.int64) * 10_000_000
    features = {}
    for name, skew_ms in skews_ms.items():
        valid = np.ones(num_ticks, np.bool_)
        valid[(invalid or {}).get(name, [])] = False
        rows = np.where(valid, np.arange(num_ticks), -1)
        source_ns = time_ns + np.where(valid, skew_ms * 1e6, 0).astype(np.int64)
        features[name] = AlignedFeature(
            before=rows,
            after=rows,
            weight=np.zeros(num_ticks),
            source_ns=source_ns,
            is_valid=valid,
            is_interpolated=np.zeros(num_ticks, np.bool_),
        )
    return Timeline(time_ns, features)


def _inside(data: bytes) -> np.ndarray:
    """The pixels of the plot itself, without its legend."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)[8:160, 54:498]


def _places(pixels: np.ndarray, colour: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    return np.nonzero(np.abs(pixels - colour).sum(axis=2) < 60)


def test_it_is_small_and_of_the_size_asked():
    rng = np.random.default_rng(0)
    noise = {f"images/camera{n}": rng.normal(size=20_000) * 5 for n in range(8)}

    data = skew_plot(_timeline(noise))

    assert len(data) <= 6000
    assert struct.unpack(">II", data[16:24]) == (640, 200)
    assert struct.unpack(">II", skew_plot(_timeline(noise), width=400, height=300)[16:24]) == (400, 300)


def test_skew_rises_to_the_right():
    rows, columns = _places(_inside(skew_plot(_timeline({"state": np.linspace(-20, 20, 300)}))), BLUE)

    assert len(rows) > 200
    assert np.corrcoef(rows, columns)[0, 1] < -0.95


def test_a_single_outlier_among_thousands_is_seen():
    skew_ms = np.zeros(30_000)
    skew_ms[20_011] = 50.0

    rows, columns = _places(_inside(skew_plot(_timeline({"state": skew_ms}))), BLUE)

    assert rows.min() < 20, "the outlier is near the top"
    assert columns[rows.argmin()] == pytest.approx(444 * (0.045 + 0.91 * 2 / 3), abs=12)


def test_ticks_without_a_message_are_marked_and_not_drawn_as_zero():
    timeline = _timeline({"a": np.full(200, 5.0), "b": np.full(200, 8.0)}, invalid={"b": list(range(100, 150))})

    rows, columns = _places(_inside(skew_plot(timeline)), ORANGE)

    is_mark = rows > 110
    assert is_mark.sum() > 20
    assert columns[is_mark].min() > 444 * 0.48
    assert columns[is_mark].max() < 444 * 0.76
    is_dot = ~is_mark
    dots = columns[is_dot]
    assert not ((dots > 444 * 0.52) & (dots < 444 * 0.70)).any()


@pytest.mark.parametrize("num_ticks", [1, 2, 1000])
def test_all_invalid_or_hardly_any_ticks(num_ticks: int):
    timeline = _timeline({"state": np.zeros(num_ticks)}, invalid={"state": list(range(num_ticks))})

    rows, _ = _places(_inside(skew_plot(timeline)), BLUE)

    assert len(rows) > 0


def test_an_episode_gives_the_plot_of_its_timeline(make_episode: MakeEpisode):
    episode = make_episode(40, invalid={"images/left": (5, 6, 7)})
    skew_ms = np.full(40, 2.0)
    timeline = _timeline({"images/left": skew_ms}, invalid={"images/left": [5, 6, 7]})
    # the same ticks
    timeline = Timeline(
        episode.time_ns,
        {
            "images/left": AlignedFeature(
                before=timeline.features["images/left"].before,
                after=timeline.features["images/left"].after,
                weight=np.zeros(40),
                source_ns=episode.source_ns("images/left"),
                is_valid=episode.valid("images/left"),
                is_interpolated=np.zeros(40, np.bool_),
            )
        },
    )

    assert skew_plot(episode) == skew_plot(timeline)


def test_signals_are_drawn_one_panel_each(make_episode: MakeEpisode):
    signals = {
        "state": np.linspace(0, 1, 50, dtype=np.float32)[:, None],
        "action": np.linspace(1, 0, 50, dtype=np.float32)[:, None],
    }
    signals["state"][10:20] = np.nan

    data = signal_plot(make_episode(50, {"images/left": (48, 64)}, signals=signals))

    assert struct.unpack(">II", data[16:24]) == (640, 400)
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    halves = [_places(half, BLUE) for half in (pixels[:200], pixels[200:])]
    slopes = sorted(np.corrcoef(rows, columns)[0, 1] for rows, columns in halves)
    assert slopes[0] < -0.9, "one rises"
    assert slopes[1] > 0.9, "one falls"
