"""What there is to work with."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """Cores this process may use: fewer than the machine's in a container or under taskset."""
    return len(os.sched_getaffinity(0))
