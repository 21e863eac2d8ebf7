"""What lies in folders, told in full or not at all: `glob`, `rglob` and `os.walk` leave out what cannot be listed, in silence."""

from __future__ import annotations

import os
from pathlib import Path


def files_below(folder: Path) -> list[Path]:
    """Every file below a folder, sorted.

    Raises:
        OSError: A folder cannot be listed.
    """
    return sorted(Path(parent, name) for parent, _, names in os.walk(folder, onerror=_raise) for name in names)


def folders_from(folder: Path) -> list[Path]:
    """A folder and every one below it, sorted.

    Raises:
        OSError: One cannot be listed.
    """
    return sorted(Path(parent) for parent, _, _ in os.walk(folder, onerror=_raise))


def is_absent(path: Path) -> bool:
    """Whether it is certain that nothing is there; False where the disk does not say, so that whoever opens it is told why."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _raise(error: OSError) -> None:
    raise error
