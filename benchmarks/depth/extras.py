"""Packages that only this benchmark wants: imagecodecs and pcodec, in a folder of their own outside the environment."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final

PACKAGES: Final = ("imagecodecs", "pcodec")
_FOLDER: Final = Path(tempfile.gettempdir()) / f"bagmill-bench-{os.getuid()}" / "depth-codecs"


def install_extras() -> None:
    """Put them where `load_extra` looks, unless they are there.

    Raises:
        subprocess.CalledProcessError: They could not be had.
    """
    if all((_FOLDER / package).is_dir() for package in PACKAGES):
        return
    # Without what they depend on: that is NumPy, which must be the environment's own.
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(_FOLDER)]
    subprocess.run([*pip, *PACKAGES], check=True)


def load_extra(name: str) -> ModuleType | None:
    """One of them or a module in it; None where it is not installed."""
    if _FOLDER.is_dir() and str(_FOLDER) not in sys.path:
        sys.path.append(str(_FOLDER))
    try:
        return import_module(name)
    except ImportError:
        return None
