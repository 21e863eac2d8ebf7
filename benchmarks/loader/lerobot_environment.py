"""What LeRobot's processes need of their environment: FFmpeg's libraries for torchcodec, and no look at the Internet."""

from __future__ import annotations

import os
import re
from ctypes.util import find_library
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.child import run_child
from benchmarks.ingest.lerobot_dataset import lerobot_python

_LIBRARY: Final = re.compile(r"(lib(?:av|sw)\w+)-[0-9a-f]{8}\.so\.(\d+)\..*")
"""As a wheel carries them: name, a hash, version."""
TORCHCODEC, PYAV = "torchcodec", "pyav"


@dataclass(frozen=True, slots=True)
class LeRobot:
    """LeRobot's own Python, ready to be used."""

    python: Path
    environment: dict[str, str]
    backends: tuple[str, ...]
    """Of `LeRobotDataset`, those that work here."""
    versions: dict[str, str]


def find_lerobot(*, is_asked_for: bool) -> tuple[LeRobot | None, list[str]]:
    """LeRobot's environment, made where it is not there; and sentences on it for the table.

    Args:
        is_asked_for: Else it is left out.
    """
    python, said = lerobot_python(is_asked_for=is_asked_for)
    if python is None:
        return None, [said]
    environment = {"HF_HUB_OFFLINE": "1", **_ffmpeg_of_pyav(python)}
    found: dict[str, Any] = run_child(
        "benchmarks.loader.lerobot:describe", {"folder": ""}, python=python, environment=environment
    ).result["versions"]
    error = found.pop("torchcodec_error", None)
    versions = ", ".join(f"{name} {version}" for name, version in found.items())
    sentences = [f"LeRobot's environment: {versions}."]
    if error is not None:
        sentences.append(f"torchcodec was left out: it cannot be loaded ({error}).")
    elif "LD_LIBRARY_PATH" in environment:
        sentences.append("torchcodec uses the FFmpeg that PyAV's wheel brings: the system has none.")
    backends = (PYAV,) if error is not None else (TORCHCODEC, PYAV)
    return LeRobot(python, environment, backends, found), sentences


def _ffmpeg_of_pyav(python: Path) -> dict[str, str]:
    """Where the system has no FFmpeg: the libraries of PyAV's wheel under the names by which torchcodec asks for them."""
    if find_library("avcodec") is not None:
        return {}
    found = [*python.parents[1].glob("lib/python3*/site-packages/av.libs")]
    if not found:
        return {}
    links = python.parents[1] / "ffmpeg"
    links.mkdir(exist_ok=True)
    for path in found[0].iterdir():
        match = _LIBRARY.fullmatch(path.name)
        link = links / f"{match[1]}.so.{match[2]}" if match else None
        if link is not None and not link.is_symlink():
            link.symlink_to(path)
    paths = [str(links), str(found[0]), *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
    return {"LD_LIBRARY_PATH": os.pathsep.join(paths)}
