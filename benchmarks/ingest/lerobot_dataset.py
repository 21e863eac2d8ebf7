"""LeRobot's converter API: `add_frame` for every frame, then `save_episode`. Runs in a virtual environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

_PACKAGES: Final = ("lerobot==0.4.4", "mcap")
_HEIGHT, _WIDTH = 480, 640
_CAMERA = "observation.images.camera"


def lerobot_python(*, is_asked_for: bool) -> tuple[Path | None, str]:
    """The interpreter of LeRobot's environment, which outlives a run and is kept outside of the checkout.

    Args:
        is_asked_for: Make the environment if it is not there; LeRobot brings PyTorch, some gigabytes.

    Returns:
        The interpreter or None, and a sentence on it for the table.
    """
    caches = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = caches / "bagmill-bench" / _PACKAGES[0].replace("==", "-")
    python, ready = folder / "bin" / "python", folder / ".ready"
    if not is_asked_for:
        return None, "LeRobot was left out: `--with-lerobot` makes an environment for it."
    if not ready.exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", *_PACKAGES], check=True)
        except (OSError, subprocess.CalledProcessError) as err:
            return None, f"LeRobot was left out: its environment cannot be made ({err})."
        ready.touch()
    return python, f"LeRobot: {_PACKAGES[0]}, its defaults (AV1 video), four threads that write its PNGs."


def prepare(recording: str, folder: str, max_frames: int) -> Callable[[], dict[str, Any]]:
    """The first frames of a recording of raw pictures, as an episode of a new dataset."""
    import numpy as np  # noqa: PLC0415 - LeRobot's modules are in its own environment only
    from lerobot.datasets.lerobot_dataset import LeRobotDataset  # type: ignore[import-not-found] # noqa: PLC0415

    root = Path(folder) / "lerobot"
    shape = (_HEIGHT, _WIDTH, 3)
    features = {
        _CAMERA: {"dtype": "video", "shape": shape, "names": ["height", "width", "channels"]},
        "observation.state": {"dtype": "float32", "shape": (14,), "names": None},
    }

    def run() -> dict[str, Any]:
        dataset = LeRobotDataset.create(
            "bench/bench", fps=30, features=features, root=root, use_videos=True, image_writer_threads=4
        )
        num_frames = 0
        for data in _payloads(Path(recording)):
            size = _HEIGHT * _WIDTH * 3
            pixels = np.frombuffer(data, np.uint8, size, len(data) - size).reshape(shape)
            dataset.add_frame({_CAMERA: pixels, "observation.state": np.zeros(14, np.float32), "task": "bench"})
            num_frames += 1
            if num_frames == max_frames:
                break
        dataset.save_episode()
        dataset.finalize()
        stored_bytes = sum(file.stat().st_size for file in root.rglob("*") if file.is_file())
        return {"num_frames": num_frames, "stored_bytes": stored_bytes}

    return run


def _payloads(recording: Path) -> Iterator[bytes]:
    from mcap.stream_reader import StreamReader  # noqa: PLC0415 - as above

    with recording.open("rb") as file:
        for record in StreamReader(file).records:
            data = getattr(record, "data", b"")
            if len(data) > _HEIGHT * _WIDTH * 3:
                yield data
