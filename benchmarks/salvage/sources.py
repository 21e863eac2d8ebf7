"""The recordings that are cut: one a container and compression, made here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bagmill.testing import Settings, healthy
from bagmill.testing.containers import Compression, Container

SOURCES: Final[Mapping[str, tuple[Container, Compression]]] = {
    "MCAP, chunks bare": ("mcap", "none"),
    "MCAP, zstd": ("mcap", "zstd"),
    "MCAP, lz4": ("mcap", "lz4"),
    "ROS 1 bag, lz4": ("rosbag1", "lz4"),
    "ROS 1 bag, bz2": ("rosbag1", "bz2"),
    "rosbag2, sqlite3": ("rosbag2", "none"),
}
_SUFFIXES: Final = {"mcap": ".mcap", "rosbag1": ".bag", "rosbag2": ""}


def make_source(folder: Path, *, container: Container, compression: Compression, num_frames: int) -> Path:
    """One file of a small robot's recording.

    Args:
        folder: Where to.
        container: Of the file.
        compression: Of its chunks.
        num_frames: Of each camera.
    """
    path = folder / f"{container}_{compression}{_SUFFIXES[container]}"
    settings = Settings(container=container, compression=compression, num_frames=num_frames, height=96, width=128)
    healthy(path, settings=settings)
    return next(path.glob("*.db3")) if path.is_dir() else path
