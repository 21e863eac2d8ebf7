"""The folder that an export becomes: there whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bagmill.episodes.staging import StagingFolder
from bagmill.errors import ExportError, StorageError
from bagmill.local_paths import local_path


def check_target(path: Path) -> None:
    """Refuse to write over anything.

    Raises:
        AddressError: It is an address, not a path on this machine.
        ExportError: Something is there already, other than an empty folder.
        StorageError: It cannot be looked at.
    """
    path = local_path(path)
    remedy = "Name a new folder; nothing is ever written over"
    try:
        if path.is_dir():
            if any(path.iterdir()):
                raise ExportError("is not empty", path=path, remedy=remedy)
        elif path.exists() or path.is_symlink():
            raise ExportError("is no folder", path=path, remedy=remedy)
    except OSError as err:
        raise StorageError(f"cannot be read ({err.strerror})", path=path, remedy=remedy) from err


@contextmanager
def staged_folder(path: Path) -> Iterator[Path]:
    """A folder beside the target that takes its place where the block ends well, and is removed where it does not.

    A killed export leaves it behind under a hidden name; the next one beside it sweeps it.

    Raises:
        ExportError: Something is at the target already, or was put there meanwhile.
        StorageError: The disk does not take it.
    """
    check_target(path)
    path = path.absolute()
    staging = StagingFolder.claim(path.parent, version=path.name)
    try:
        yield staging.path
        if not staging.publish(path):
            raise ExportError("something else was put there meanwhile", path=path, remedy="Name a new folder")
    except StorageError as err:
        if err.path is not None and err.path.is_relative_to(staging.path):
            # Of a file that is gone by the time anybody reads this: where it would have been.
            err.path = path / err.path.relative_to(staging.path)
        raise
    except OSError as err:
        # Of pyarrow, PyAV, h5py and our own: each says what the disk said.
        raise StorageError(
            f"cannot be written ({err.strerror or ' '.join(str(err).split())})",
            path=path,
            remedy="Check the disk's space and rights",
        ) from err
    finally:
        staging.discard()
