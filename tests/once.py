"""What many tests read and none writes to, made once for all of pytest's processes."""

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that whoever asks for it first makes; the others wait, and find it.

    Args:
        name: Of the folder; who gives the same name wants the same files.
        make: Is given an empty folder and fills it.

    Returns:
        The folder, not to be written to.
    """
    own = tmp_path_factory.getbasetemp()
    # pytest-xdist gives every process a folder of its own, named popen-gw0 and so on, in one that they share.
    shared = own.parent if own.name.startswith("popen-") else own
    folder, unfinished = shared / name, shared / f"{name}.unfinished"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            shutil.rmtree(unfinished, ignore_errors=True)  # of one that failed
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(folder)
    return folder
