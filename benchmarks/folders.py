"""Where recordings and results of a benchmark lie while it runs."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it


def add_folder_option(parser: argparse.ArgumentParser) -> None:
    """Let users say where the files go: `folder`."""
    parser.add_argument(
        "--folder", type=Path, help="for recordings and results (default: in memory, /dev/shm, where there is room)"
    )


@contextmanager
def working_folder(folder: Path | None, *, needed_bytes: int) -> Iterator[tuple[Path, str]]:
    """A folder that is gone afterwards, and what it lies on, for the table.

    Args:
        folder: Where to make it; None: in memory if twice the room is there, else in the system's temporary folder.
        needed_bytes: What is going to lie in it.

    Raises:
        OSError: There is not enough room.
    """
    if folder is None:
        has_room = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > 2 * needed_bytes
        folder = _MEMORY if has_room and _free_memory() > 2 * needed_bytes else Path(tempfile.gettempdir())
    if shutil.disk_usage(folder).free < needed_bytes:
        raise OSError(f"{folder}: {needed_bytes / 1e9:.1f} GB are needed; name another with --folder")
    with tempfile.TemporaryDirectory(prefix="bagmill-bench-", dir=folder) as made:
        yield Path(made), "files in memory (tmpfs)" if folder == _MEMORY else f"files on the disk of {folder}"


@contextmanager
def fresh_folder(parent: Path) -> Iterator[Path]:
    """An empty folder for one contender's results."""
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        yield Path(folder)


def _free_memory() -> int:
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return 1024 * int(line.split()[1])
    return 0
