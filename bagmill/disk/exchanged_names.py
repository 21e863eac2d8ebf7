"""Two names exchanged at once, where kernel and file system can: at no moment is one of them without its thing.

Source: renameat2(2), Linux 3.15, glibc 2.28.
"""

from __future__ import annotations

import ctypes
import errno
import os
from functools import cache
from pathlib import Path
from typing import Any, Final

_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2
_CANNOT: Final = frozenset(
    {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EPERM, errno.EXDEV, errno.ENOTTY}
)
"""What file systems that cannot do it answer: NFS and FUSE with the first, sandboxes with EPERM, some overlays with EXDEV."""


def exchange(first: Path, second: Path) -> bool:
    """Exchange two files or folders of one file system.

    Returns:
        False where this cannot be done here; nothing has changed then.

    Raises:
        FileNotFoundError: One of them is not there.
        OSError: The disk does not take it.
    """
    renameat2 = _renameat2()
    if renameat2 is None:
        return False
    if renameat2(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT:
        return False
    raise OSError(number, os.strerror(number), str(first), None, str(second))


@cache
def _renameat2() -> Any:
    """The function of the C library; None where it has none."""
    try:
        function = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return None
    function.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    function.restype = ctypes.c_int
    return function
