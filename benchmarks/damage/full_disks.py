"""Disks that are full before the work is done: real ones, of memory, mounted where nobody else sees them.

`python -m benchmarks.damage.full_disks FOLDER KIB…` is what runs in the mount namespace of its own.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bagmill.dataset import Dataset
from bagmill.health import verify_dataset
from benchmarks.damage.small_dataset import EPISODES, command

Row = dict[str, str | int | bool]
_PLENTY_KIB = 1 << 20
_NO_ROOM = "No space left"


def fill_disks(recordings: Path, profile: Path, *, folder: Path, sizes_kib: Sequence[int]) -> list[Row] | None:
    """Ingest onto disks of these sizes, then with room.

    Args:
        recordings: Their folder.
        profile: For them.
        folder: Where the disks are mounted.
        sizes_kib: Of each disk.

    Returns:
        A row a disk: see `_fill`; None where no disk may be mounted here.

    Raises:
        RuntimeError: The program that does it failed.
    """
    if not _may_mount(folder):
        return None
    line = [sys.executable, "-m", "benchmarks.damage.full_disks", recordings, profile, folder, *sizes_kib]
    done = subprocess.run(_own_mounts(line), check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    rows: list[Row] = json.loads(done.stdout)
    return rows


def _own_mounts(line: Sequence[object]) -> list[str]:
    return ["unshare", "--user", "--map-root-user", "--mount", *map(str, line)]


def _may_mount(folder: Path) -> bool:
    if shutil.which("unshare") is None:
        return False
    line = _own_mounts(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder])
    return subprocess.run(line, check=False, capture_output=True).returncode == 0


def _fill(recordings: Path, profile: Path, disk: Path, size_kib: int) -> Row:
    """One disk: what was told while it was full, what stood whole, and whether a run with room made the rest."""
    path = disk / "dataset"
    _mount(disk, f"size={size_kib}k")
    full = command("ingest", recordings, "-p", profile, "-o", path)
    said = full.stdout + full.stderr
    num_before = len(_published(path))
    is_whole = not path.is_dir() or verify_dataset(Dataset(path)).is_whole
    _mount(disk, f"remount,size={_PLENTY_KIB}k")
    again = command("ingest", recordings, "-p", profile, "-o", path)
    after = verify_dataset(Dataset(path))
    num_after = len(_published(path))
    subprocess.run(["umount", str(disk)], check=True)
    return {
        "size_kib": size_kib,
        "is_told": full.returncode != 0 and _NO_ROOM in said and "Traceback" not in said,
        "num_before": num_before,
        "num_after": num_after,
        "num_lost": (not is_whole) + len(after.findings) + len(EPISODES) - num_after + (again.returncode != 1),
    }


def _mount(disk: Path, options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)], check=True)


def _published(path: Path) -> list[str]:
    dataset = Dataset(path)
    return [episode for episode in dataset.episodes() if dataset.published(episode)] if path.is_dir() else []


if __name__ == "__main__":
    _recordings, _profile, _disk = map(Path, sys.argv[1:4])
    print(json.dumps([_fill(_recordings, _profile, _disk, int(size)) for size in sys.argv[4:]]))
