"""What memory there is, and what the kernel tells of processes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from bagmill.limits import limits

_GIB: Final = 1 << 30
_SHARED_OUT: Final = 0.9
"""Of the memory there is, what the children may take together; the rest is for those that ask."""
_AT_LEAST_BYTES: Final = 2 * _GIB
"""A child's, where the machine has as much at all: what is shared out further would refuse sound recordings."""
_CGROUP: Final = Path("/sys/fs/cgroup")
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")


def child_memory_bytes(num_at_once: int) -> int:
    """What a child may take: the limit, or its share of the machine's or the container's memory where that is less.

    Args:
        num_at_once: Children that run at the same time.
    """
    usable = int(_SHARED_OUT * usable_memory_bytes())
    share = max(usable // max(1, num_at_once), min(_AT_LEAST_BYTES, usable))
    return min(limits().episode_memory_bytes, share)


def usable_memory_bytes() -> int:
    """Of the machine, or of the container this process runs in where that has less."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    said = (_number(_CGROUP / name) for name in ("memory.max", "memory/memory.limit_in_bytes"))
    return min([machine, *(number for number in said if number is not None and number > 0)])


def num_ended_for_memory() -> int:
    """How many processes the kernel has ended for want of memory, since it was started."""
    for line in _lines(Path("/proc/vmstat")):
        if line.startswith("oom_kill "):
            return int(line.split()[1])
    return 0


def used_cpu_s(process: int) -> float:
    """Processor time that a process has used; 0 where it is gone."""
    for line in _lines(Path(f"/proc/{process}/stat")):
        fields = line.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
    return 0.0


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None  # there is none, or it says "max"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
