"""Signs of progress: loops that may run for minutes say that they have come further, and whoever watches the process hears it.

A process that has said nothing for too long is taken for hung and ended (`workers`). So a sign is given for work that was
done, by loops that end when their input does, and never from a clock.
"""

from __future__ import annotations

from collections.abc import Callable


def pulse() -> None:
    """Say that work was done; from any thread, as often as one likes."""
    _hear()


def hear_pulses(hear: Callable[[], None]) -> None:
    """Have every sign of this process told to one listener, in the thread that gives it; in place of an earlier one."""
    global _hear  # noqa: PLW0603 - a process has one that watches it
    _hear = hear


def _nobody() -> None:
    """Nobody watches."""


_hear: Callable[[], None] = _nobody
