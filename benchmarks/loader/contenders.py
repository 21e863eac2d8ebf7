"""Who takes part, and in which process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from benchmarks.loader.lerobot_environment import TORCHCODEC, LeRobot
from benchmarks.loader.readers import HDF5, JPEG, PNG, ZARR
from benchmarks.loader.stores import has_h5py
from benchmarks.standing import StandingChild

OURS: Final = "bagmill"
CEILING: Final = "ceiling: the decoder alone"
KEPT: Final = "bagmill, frames kept"
"""With its frame cache; the others decode every frame."""
OURS_WHOLE: Final = "bagmill, the full frame"
"""Beside what is made smaller."""
OURS_FLOAT: Final = "bagmill, float32"
SHARED_FILM: Final = "torchcodec, one decoder"
FILM_A_THREAD: Final = "torchcodec, a decoder a thread"
FILMS: Final = (SHARED_FILM, FILM_A_THREAD)
READERS: Final = (ZARR, HDF5, JPEG, PNG)
SAME_PIXELS: Final = (OURS, KEPT, CEILING, ZARR, JPEG)
"""Contenders that read the very same JPEGs."""
_MODULE: Final = "benchmarks.loader"
_CACHE: Final[Mapping[str, None]] = {"frame_cache_bytes": None}
"""As it is by default: of datasets that are small enough, all."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One of them."""

    name: str
    target: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    lerobot: LeRobot | None = None
    """Where it runs in LeRobot's environment."""

    def start(self, folder: Path) -> StandingChild:
        """Have its process prepare; `folder` is that of the stores."""
        arguments = {"folder": str(folder), **self.arguments}
        if self.lerobot is None:
            return StandingChild(self.target, arguments)
        return StandingChild(self.target, arguments, python=self.lerobot.python, environment=self.lerobot.environment)


def array_contenders(lerobot: LeRobot | None, *, num_threads: int, is_small: bool) -> list[Contender]:
    """Those that are called for a batch of arrays in their own process.

    Args:
        lerobot: For its films; None: without.
        num_threads: Of each.
        is_small: Whether all frames fit into bagmill's frame cache as it is by default.
    """
    threads = {"num_threads": num_threads}
    kept = [Contender(KEPT, f"{_MODULE}.arrays:prepare_bagmill", {**threads, **_CACHE})] * is_small
    contenders = [
        Contender(OURS, f"{_MODULE}.arrays:prepare_bagmill", threads),
        *kept,
        Contender(CEILING, f"{_MODULE}.arrays:prepare_ceiling", threads),
        *(Contender(kind, f"{_MODULE}.arrays:prepare_reader", {"kind": kind, **threads}) for kind in _readers()),
    ]
    if lerobot is not None and TORCHCODEC in lerobot.backends:
        contenders += [
            Contender(name, f"{_MODULE}.lerobot:prepare_films", {"is_shared": name == SHARED_FILM, **threads}, lerobot)
            for name in FILMS
        ]
    return contenders


def depth_contenders(*, num_threads: int) -> list[Contender]:
    """Those that have depth, bit for bit."""
    contenders = array_contenders(None, num_threads=num_threads, is_small=False)
    return [each for each in contenders if each.name in (OURS, CEILING, ZARR)]


def loader_contenders(lerobot: LeRobot | None, *, is_small: bool) -> list[Contender]:
    """Those that give batches of tensors, with workers. Arguments as of `array_contenders`."""
    contenders = []
    if has_torch():
        kept = [Contender(KEPT, f"{_MODULE}.loaders:prepare_bagmill", {"images": "uint8", **_CACHE})] * is_small
        contenders = [
            Contender(OURS, f"{_MODULE}.loaders:prepare_bagmill", {"images": "uint8"}),
            *kept,
            Contender(OURS_FLOAT, f"{_MODULE}.loaders:prepare_bagmill", {"images": "float32"}),
            *(Contender(kind, f"{_MODULE}.loaders:prepare_reader", {"kind": kind}) for kind in _readers()),
        ]
    if lerobot is not None:
        contenders += [
            Contender(lerobot_name(backend), f"{_MODULE}.lerobot:prepare_loader", {"backend": backend}, lerobot)
            for backend in lerobot.backends
        ]
    return contenders


def lerobot_name(backend: str) -> str:
    """What LeRobot is called with a backend."""
    return f"LeRobot, {backend}"


def has_torch() -> bool:
    """Whether loaders can be measured at all."""
    return find_spec("torch") is not None


def left_out() -> list[str]:
    """Sentences on who does not take part because a package is not there."""
    said = []
    if not has_h5py():
        said.append("HDF5 was left out: h5py is not installed.")
    if not has_torch():
        said.append("Loaders of tensors were left out: torch is not installed.")
    return said


def _readers() -> tuple[str, ...]:
    return tuple(kind for kind in READERS if kind != HDF5 or has_h5py())
