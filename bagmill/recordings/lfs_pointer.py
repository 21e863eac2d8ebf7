"""Git LFS pointers: small texts that lie in a checkout in place of large files that were not fetched."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from bagmill.errors import RecordingError

POINTER_MAGIC: Final = b"version https://git-lfs.github.com/spec/v1"
POINTER_BYTES: Final = 1024
"""More than any pointer has."""
_SIZE = re.compile(rb"^size (\d{1,18})\s*$", re.MULTILINE)


def refuse_pointer(path: Path, beginning: bytes) -> None:
    """Make sure that a file is itself, and no pointer to it.

    Args:
        path: The file.
        beginning: Its first bytes, as many as there are up to `POINTER_BYTES`.

    Raises:
        RecordingError: It is a pointer.

    Source: Git LFS specification, "The Pointer".
    """
    if not beginning.startswith(POINTER_MAGIC):
        return
    size = _SIZE.search(beginning)
    of = f" to a file of {int(size[1]):,} bytes" if size else ""
    raise RecordingError(
        f"it is a Git LFS pointer{of}, not the file itself",
        path=path,
        remedy="Run `git lfs pull` in the repository that it was cloned with, or copy the file itself here",
    )
