"""Datasets of small episodes with a snapshot; frames' bytes are made by Pillow and numcodecs, not by our codecs."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import pytest
from numcodecs import zstd
from PIL import Image

from bagmill.dataset import Dataset, EpisodeReport, FeatureReport, make_snapshot, save_report
from bagmill.episodes import EpisodeWriter

START_NS = 1_700_000_000_000_000_000
SKEW_NS = 2_000_000


@dataclass(frozen=True)
class Recipe:
    """What an episode holds; every picture and number says which tick of which episode it is of."""

    name: str
    num_ticks: int = 12
    cameras: Mapping[str, tuple[int, int]] = field(
        default_factory=lambda: {"images/cam_high": (64, 96), "depth/cam_high": (48, 64)}
    )
    signals: Mapping[str, int] = field(default_factory=lambda: {"state": 3, "action": 2})
    invalid: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    interpolated: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    lossless: tuple[str, ...] = ()
    dtypes: Mapping[str, str] = field(default_factory=dict)
    task: str = "pick up the cup"
    robot: str = "arm7"
    rate_hz: str = "30"

    @property
    def seed(self) -> int:
        """Of its pictures."""
        return sum(map(ord, self.name)) % 97

    def picture(self, tick: int, camera: str = "images/cam_high") -> np.ndarray:
        """(H, W, 3) uint8: what was filmed, before any codec."""
        height, width = self.cameras[camera]
        y, x = np.mgrid[:height, :width] / 12
        phase = tick / 5 + self.seed
        waves = [np.sin(x + phase), np.cos(y - phase), np.sin((x + y) / 2 + 2 * phase)]
        return np.asarray(128 + 90 * np.stack(waves, axis=-1), np.uint8)

    def jpeg(self, tick: int, camera: str = "images/cam_high") -> bytes:
        """The bytes that are stored, of a camera that is not lossless."""
        file = io.BytesIO()
        Image.fromarray(self.picture(tick, camera)).save(file, "JPEG", quality=95, subsampling=0)
        return file.getvalue()

    def stored(self, tick: int, camera: str = "images/cam_high") -> np.ndarray:
        """(H, W, 3) uint8: what a reader of the episode gets, by Pillow."""
        if camera in self.lossless:
            return self.picture(tick, camera)
        return np.asarray(Image.open(io.BytesIO(self.jpeg(tick, camera))))

    def depth(self, tick: int, camera: str = "depth/cam_high") -> np.ndarray:
        """(H, W) uint16."""
        y, x = np.mgrid[: self.cameras[camera][0], : self.cameras[camera][1]]
        return np.asarray(500 + 30 * x + 20 * y + tick, np.uint16)

    def values(self, name: str) -> np.ndarray:
        """(T, D), before the invalid ticks became nan."""
        width = self.signals[name]
        ramp = np.arange(self.num_ticks * width).reshape(self.num_ticks, width)
        return (self.seed + len(name) / 3 + np.sin(ramp / 7)).astype(self.dtypes.get(name, "float32"))

    def valid(self, name: str) -> np.ndarray:
        """(T,)"""
        valid = np.ones(self.num_ticks, np.bool_)
        valid[list(self.invalid.get(name, ()))] = False
        return valid

    @property
    def time_ns(self) -> np.ndarray:
        """(T,)"""
        rate_hz = Fraction(self.rate_hz)
        return START_NS + np.array([round(n * 10**9 / rate_hz) for n in range(self.num_ticks)], np.int64)


def _write(dataset: Dataset, recipe: Recipe) -> None:
    features = []
    with EpisodeWriter(dataset.path, recipe.name, "v1") as writer:
        writer.put_array("time", recipe.time_ns)
        for name in (*recipe.cameras, *recipe.signals):
            valid = recipe.valid(name)
            is_interpolated = np.zeros(recipe.num_ticks, np.bool_)
            is_interpolated[list(recipe.interpolated.get(name, ()))] = True
            writer.put_array(f"valid/{name}", valid)
            writer.put_array(f"source/{name}", np.where(valid, recipe.time_ns + SKEW_NS, recipe.time_ns))
            writer.put_array(f"interpolated/{name}", is_interpolated)
            writer.put_array(f"sequence/{name}", np.where(valid, np.arange(recipe.num_ticks), -1))
            features.append(_write_feature(writer, recipe, name, valid))
        writer.publish({"episode": recipe.name, "rate_hz": recipe.rate_hz})
    save_report(dataset, _report(recipe, tuple(features)))


def _write_feature(writer: EpisodeWriter, recipe: Recipe, name: str, valid: np.ndarray) -> FeatureReport:
    if name in recipe.signals:
        values = recipe.values(name)
        values[~valid] = np.nan
        names = [f"joint{n}" for n in range(values.shape[1])]
        writer.put_signal(name, values, attributes={"names": names, "units": "rad"})
        return FeatureReport(name, "signal", values.shape[1:], str(values.dtype), f"/{name}")
    height, width = recipe.cameras[name]
    size = {"num_ticks": recipe.num_ticks, "height": height, "width": width}
    is_depth = name.startswith("depth/")
    if is_depth:
        sink = writer.add_depth(name, attributes={"scale_m": 0.001}, **size)
    else:
        sink = writer.add_images(name, step="lossless" if name in recipe.lossless else "copy", **size)
    for tick in np.flatnonzero(valid).tolist():
        if is_depth:
            sink.put(tick, zstd.compress(recipe.depth(tick, name).reshape(-1), 3))
        elif name in recipe.lossless:
            sink.put(tick, zstd.compress(recipe.picture(tick, name).reshape(-1), 3))
        else:
            sink.put(tick, recipe.jpeg(tick, name))
    if is_depth:
        return FeatureReport(name, "depth", (height, width), "uint16", f"/{name}")
    return FeatureReport(name, "image", (height, width, 3), "uint8", f"/{name}")


def _report(recipe: Recipe, features: tuple[FeatureReport, ...]) -> EpisodeReport:
    return EpisodeReport(
        episode=recipe.name,
        version="v1",
        recording_path=f"/recordings/{recipe.name}",
        profile="arm",
        requested_ns=START_NS,
        recording_hash="xxh3_128:" + "0" * 32,
        container="mcap",
        task=recipe.task,
        robot=recipe.robot,
        rate_hz=recipe.rate_hz,
        num_ticks=recipe.num_ticks,
        start_ns=START_NS,
        duration_ns=int(recipe.time_ns[-1] - START_NS) if recipe.num_ticks else 0,
        num_frames=recipe.num_ticks,
        raw_bytes=1,
        stored_bytes=1,
        features=features,
        stages=(),
    )


@pytest.fixture
def make_dataset(tmp_path) -> Callable[..., Dataset]:
    """Publishes episodes by their recipes, and makes a snapshot of them, called `paper`."""

    def make(*recipes: Recipe) -> Dataset:
        dataset = Dataset(tmp_path / "dataset")
        for recipe in recipes:
            _write(dataset, recipe)
        make_snapshot(dataset, name="paper")
        return dataset

    return make


@pytest.fixture
def recipe() -> type[Recipe]:
    """The class, for tests to say what their episodes hold."""
    return Recipe
