"""Disks: how much room is left on those that a deployment writes to or is written to."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from bagmill.cli.wording import size_text
from pipelines.watch.concern import Concern


def look_at_disks(folders: Mapping[str, Path], *, least_percent: float) -> Iterator[Concern]:
    """The disks with less room, or fewer files left, than they should have; each once.

    Args:
        folders: What is on it → where; what does not exist yet counts by the folder above.
        least_percent: Of its size that is to be free.
    """
    disks: dict[int, tuple[Path, list[str]]] = {}
    for what, folder in folders.items():
        existing = next(path for path in (folder, *folder.parents) if path.exists())
        disks.setdefault(existing.stat().st_dev, (_mount_of(existing), []))[1].append(what)
    for mount, held in disks.values():
        room = os.statvfs(mount)
        percent = 100 * room.f_bavail / room.f_blocks if room.f_blocks else 100.0
        files_percent = 100 * room.f_favail / room.f_files if room.f_files else 100.0
        if min(percent, files_percent) >= least_percent:
            continue
        if percent <= files_percent:
            left = f"{size_text(room.f_bavail * room.f_frsize)}, {percent:.1f} % of it, are free"
        else:
            left = f"{files_percent:.1f} % of the files it can hold are free"
        yield Concern(
            "disk_nearly_full",
            f"disk at {mount}",
            f"The disk at {mount} ({', '.join(held)}) is nearly full: {left}. `bagmill prune` lists what nothing needs "
            "any more; so does the job prune_versions.",
            "/jobs",
        )


def _mount_of(path: Path) -> Path:
    """The uppermost folder of a path that is on the same disk: it is called the same whatever comes and goes below."""
    path = path.resolve()
    device = path.stat().st_dev
    while path != path.parent and path.parent.stat().st_dev == device:
        path = path.parent
    return path
