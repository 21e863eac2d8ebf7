"""How a LeRobot v3 data set lies on disk.

Source: the files that LeRobot 0.4.4 writes and reads (`lerobot.datasets`), `codebase_version` v3.0.

meta/info.json                                          features, rate, counts, patterns of the other paths
meta/stats.json                                         statistics over all episodes
meta/tasks.parquet                                      task (index) → task_index
meta/episodes/chunk-000/file-000.parquet                one row an episode: where its rows and films are, its statistics
data/chunk-000/file-000.parquet                         one row a tick
videos/<key>/chunk-000/file-000.mp4                     one film of many episodes, each beginning at its `from_timestamp`
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from bagmill.dataset import HeldFeature
from bagmill.errors import ExportError

VERSION: Final = "v3.0"
INFO: Final = "meta/info.json"
STATS: Final = "meta/stats.json"
TASKS: Final = "meta/tasks.parquet"
EPISODES: Final = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
DATA: Final = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO: Final = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
FILES_A_CHUNK: Final = 1000
MEBIBYTE: Final = 1 << 20
"""LeRobot's sizes are in MiB, though it calls them MB."""

VALID: Final = "valid"
"""The masks: not a key of LeRobot's, and none that a policy would take for an input."""
PER_TICK: Final[dict[str, str]] = {
    "timestamp": "float32",
    "frame_index": "int64",
    "episode_index": "int64",
    "index": "int64",
    "task_index": "int64",
}
"""What LeRobot has for every tick of every data set → dtype."""


@dataclass(frozen=True, slots=True)
class FilePlace:
    """Which file, counted as LeRobot does."""

    chunk_index: int = 0
    file_index: int = 0

    @property
    def next(self) -> FilePlace:
        """The file after this one."""
        if self.file_index + 1 < FILES_A_CHUNK:
            return FilePlace(self.chunk_index, self.file_index + 1)
        return FilePlace(self.chunk_index + 1, 0)

    def path(self, pattern: str, **names: str) -> str:
        """The path by a pattern of this module."""
        return pattern.format(chunk_index=self.chunk_index, file_index=self.file_index, **names)


def default_key(feature: HeldFeature) -> str | None:
    """LeRobot's name for a feature; None for depth, which it has no exact place for.

    images/wrist → observation.images.wrist; state → observation.state; effort → observation.effort;
    action, actions → action; action/gripper → action.gripper
    """
    room, _, rest = feature.name.partition("/")
    rest = rest.replace("/", ".")
    if feature.kind == "depth":
        return None
    if feature.kind == "image":
        return f"observation.images.{rest}"
    if room in ("action", "actions"):
        return f"action.{rest}" if rest else "action"
    return f"observation.{feature.name.replace('/', '.')}"


def check_key(key: str, *, kind: str) -> None:
    """Refuse a name that LeRobot would not read, or would read as something else.

    Raises:
        ExportError: It is such a name.
    """
    if not key or "/" in key or key.startswith(".") or not key.isprintable():
        raise ExportError(f"{key!r} is no name for a LeRobot feature", remedy="Use dots where there are slashes")
    if key in PER_TICK or key in (VALID, "task", "subtask", "subtask_index"):
        raise ExportError(f"{key} is a name that LeRobot data sets have another use for", remedy="Choose another name")
    if "image" in key and kind == "signal":
        raise ExportError(
            f"LeRobot takes {key} for a picture by its name", remedy="Choose a name without `image` for a signal"
        )


def describe_picture(shape: tuple[int, ...], *, fps: float) -> dict[str, Any]:
    """A camera in info.json."""
    height, width, _ = shape
    return {
        "dtype": "video",
        "shape": [height, width, 3],
        "names": ["height", "width", "channels"],
        "info": {
            "video.height": height,
            "video.width": width,
            "video.codec": "av1",
            "video.pix_fmt": "yuv420p",
            "video.is_depth_map": False,
            "video.fps": fps,
            "video.channels": 3,
            "has_audio": False,
        },
    }


def describe_values(dtype: str, num_values: int, names: list[str] | None) -> dict[str, Any]:
    """A signal, or what LeRobot has for every tick, in info.json."""
    return {"dtype": dtype, "shape": [num_values], "names": names}
