"""Addresses where a path on this machine is meant: refused, where they would become a folder called `s3:`.

Everything that takes a folder or a file asks here. Only the loader reads datasets by their addresses.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from bagmill.addresses import public_address
from bagmill.errors import AddressError, StorageError

_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/(?:/|(?=[^/]))", re.ASCII)
"""`s3://bucket`; a `Path` of it has one slash left."""


def is_address(text: Path | str) -> bool:
    """Whether something is an address such as `s3://bucket/dataset`, be it a text or a path made of one."""
    return _ADDRESS.match(str(text)) is not None


def local_path(text: Path | str) -> Path:
    """A path on this machine.

    Raises:
        AddressError: It is an address; says what is served by address, and what to do.
        StorageError: It is no path.
    """
    if not isinstance(text, str | os.PathLike):
        raise StorageError(f"expected a path, found {type(text).__name__}", remedy="Give the path of a folder or file")
    if not is_address(text):
        return Path(text)
    address = text if isinstance(text, str) else str(text).replace(":/", "://", 1)
    if urlsplit(address).scheme == "file":
        remedy = f"Give its path: {unquote(urlsplit(address).path)}"
    else:
        remedy = (
            "Give a path on this machine, and copy from or to the store with its own program (aws s3 sync, gcloud storage "
            "rsync); only `EpisodeDataset` reads a dataset by its address (s3://, gs://, https://, file://)"
        )
    raise AddressError(f"{public_address(address)} is an address, not a path on this machine", remedy=remedy)
