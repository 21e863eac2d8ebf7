"""Small episodes for the tests of this room; the frames' bytes are made by Pillow and numcodecs, not by our codecs."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numcodecs import zstd
from PIL import Image

from bagmill.episodes import EpisodeWriter

HEIGHT, WIDTH = 16, 24
START_NS = 1_700_000_000_000_000_000


def _picture(n: int) -> np.ndarray:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    waves = [np.sin(x / 5 + n), np.cos(y / 4 + n), np.sin((x + y) / 6 - n)]
    return np.asarray(128 + 100 * np.stack(waves, axis=-1), dtype=np.uint8)


def _depth_picture(n: int) -> np.ndarray:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.asarray(500 + 30 * x + 20 * y + n, dtype=np.uint16)


def _jpeg(image: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", **{"quality": 90, "subsampling": 0, **options})
    return file.getvalue()


def _copied_jpeg(tick: int) -> bytes:
    """Gray for every other tick, and every chroma subsampling in turn."""
    return _jpeg(_picture(tick)[:, :, 0] if tick % 2 else _picture(tick), subsampling=tick % 3)


def _write_episode(writer: EpisodeWriter, num_ticks: int, valid: np.ndarray) -> Path:
    """One of everything: a copied, an encoded and a lossless camera, depth, a signal; frames where valid."""
    size = {"num_ticks": num_ticks, "height": HEIGHT, "width": WIDTH}
    ticks = np.flatnonzero(valid).tolist()
    copied = writer.add_images("images/copied", step="copy", **size)
    encoded = writer.add_images("images/encoded", step="444", quality=90, attributes={"a": [1, None]}, **size)
    lossless = writer.add_images("images/lossless", step="lossless", **size)
    depth = writer.add_depth("depth/wrist", attributes={"scale_m": 0.001}, **size)
    for tick in ticks:
        copied.put(tick, _copied_jpeg(tick))
        encoded.put(tick, _jpeg(_picture(tick)))
        lossless.put(tick, zstd.compress(_picture(tick).reshape(-1), 3))
    # Every depth frame feeds two ticks.
    for first in range(0, len(ticks), 2):
        data = zstd.compress(_depth_picture(first).reshape(-1), 3)
        depth.put(ticks[first], data, also=ticks[first + 1 : first + 2])
    state = np.arange(num_ticks * 3, dtype=np.float32).reshape(num_ticks, 3)
    state[~valid] = np.nan
    writer.put_signal("state", state, attributes={"units": "rad"})
    time_ns = START_NS + np.arange(num_ticks, dtype=np.int64) * 33_333_333
    writer.put_array("time", time_ns)
    for name in ("images/copied", "images/encoded", "images/lossless", "depth/wrist", "state"):
        writer.put_array(f"valid/{name}", valid)
        writer.put_array(f"source/{name}", np.where(valid, time_ns + 1_000_000, time_ns))
        writer.put_array(f"interpolated/{name}", np.zeros(num_ticks, np.bool_))
        writer.put_array(f"sequence/{name}", np.where(valid, np.arange(num_ticks), -1))
    return writer.publish({"recording": "trial", "profile": {"name": "p"}})


@pytest.fixture
def make_episode(tmp_path: Path) -> Callable[..., Path]:
    """Writes and publishes an episode; its second argument names the invalid ticks."""

    def make(num_ticks: int = 5, invalid: tuple[int, ...] = (2,), *, dataset: str = "dataset") -> Path:
        valid = np.ones(num_ticks, np.bool_)
        valid[list(invalid)] = False
        with EpisodeWriter(tmp_path / dataset, "pick", "v1") as writer:
            return _write_episode(writer, num_ticks, valid)

    return make


@pytest.fixture
def expected_frame() -> Callable[[str, int], np.ndarray]:
    """What a valid tick's frame must decode to, by Pillow; ticks count valid ones only for depth."""

    def expect(name: str, tick: int) -> np.ndarray:
        match name:
            case "images/copied":
                return np.asarray(Image.open(io.BytesIO(_copied_jpeg(tick))).convert("RGB"))
            case "images/encoded":
                return np.asarray(Image.open(io.BytesIO(_jpeg(_picture(tick)))))
            case "images/lossless":
                return _picture(tick)
        return _depth_picture(tick - tick % 2)

    return expect
