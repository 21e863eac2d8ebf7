"""Whether this process may be forked: only the one who wrote its main program can say."""

from __future__ import annotations

import threading

_is_allowed = False


def allow_forks() -> None:
    """Say that this process is a small program of ours, of which a copy does no harm."""
    global _is_allowed  # noqa: PLW0603 - said once, where a program begins
    _is_allowed = True


def may_fork() -> bool:
    """It was allowed, and no thread of Python's runs whose locks a copy would find taken for ever."""
    return _is_allowed and threading.active_count() == 1
