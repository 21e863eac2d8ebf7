"""Small episodes whose every picture says which tick it is of; their bytes are made by Pillow and numcodecs."""

import io
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numcodecs import zstd
from PIL import Image

from bagmill.episodes import Episode, EpisodeWriter

START_NS = 1_700_000_000_000_000_000


def _jpeg(rgb: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", quality=95, subsampling=0)
    return file.getvalue()


def _scene(tick: int, shape: tuple[int, int]) -> np.ndarray:
    """Left half red, right half of a gray that rises with the tick."""
    picture = np.zeros((*shape, 3), np.uint8)
    picture[:, : shape[1] // 2] = (200, 30, 30)
    picture[:, shape[1] // 2 :] = 20 + 7 * (tick % 32)
    return picture


def _depth_scene(tick: int, shape: tuple[int, int]) -> np.ndarray:
    """Near on the left, far on the right, nothing measured in the lowest quarter."""
    depth = np.broadcast_to(np.linspace(500, 2500, shape[1]), shape).astype(np.uint16) + tick
    depth[-(shape[0] // 4) :] = 0
    return depth


@pytest.fixture
def scene() -> Callable[[int, tuple[int, int]], np.ndarray]:
    """The picture of an image feature at a tick."""
    return _scene


@pytest.fixture
def make_episode(tmp_path: Path) -> Callable[..., Episode]:
    """Publishes an episode; `cameras`: feature → (H, W); `invalid`: feature → its ticks without a message."""
    count = iter(range(100))

    def make(
        num_ticks: int = 10,
        cameras: Mapping[str, tuple[int, int]] | None = None,
        *,
        invalid: Mapping[str, tuple[int, ...]] | None = None,
        signals: Mapping[str, np.ndarray] | None = None,
        rate_hz: Fraction = Fraction(30),
        is_lossless: bool = False,
    ) -> Episode:
        cameras = {"images/left": (48, 64)} if cameras is None else cameras
        signals = signals or {}
        with EpisodeWriter(tmp_path / "dataset", f"episode{next(count)}", "v1") as writer:
            time_ns = START_NS + np.array([round(n * 10**9 / rate_hz) for n in range(num_ticks)], np.int64)
            writer.put_array("time", time_ns)
            for name in (*cameras, *signals):
                valid = np.ones(num_ticks, np.bool_)
                valid[list((invalid or {}).get(name, ()))] = False
                writer.put_array(f"valid/{name}", valid)
                writer.put_array(f"source/{name}", np.where(valid, time_ns + 2_000_000, time_ns))
                writer.put_array(f"interpolated/{name}", np.zeros(num_ticks, np.bool_))
                writer.put_array(f"sequence/{name}", np.where(valid, np.arange(num_ticks), -1))
                if name in signals:
                    writer.put_signal(name, signals[name], attributes={"units": "rad"})
                else:
                    _put_frames(writer, name, cameras[name], valid=valid, is_lossless=is_lossless)
            return Episode.open(writer.publish({}))

    return make


def _put_frames(
    writer: EpisodeWriter, name: str, shape: tuple[int, int], *, valid: np.ndarray, is_lossless: bool
) -> None:
    size = {"num_ticks": len(valid), "height": shape[0], "width": shape[1]}
    if name.startswith("depth/"):
        sink = writer.add_depth(name, attributes={"scale_m": 0.001}, **size)
    else:
        sink = writer.add_images(name, step="lossless" if is_lossless else "copy", **size)
    for tick in np.flatnonzero(valid).tolist():
        if name.startswith("depth/"):
            data = zstd.compress(_depth_scene(tick, shape).reshape(-1), 3)
        elif is_lossless:
            data = zstd.compress(_scene(tick, shape).reshape(-1), 3)
        else:
            data = _jpeg(_scene(tick, shape))
        sink.put(tick, data)
