"""Addresses of datasets in stores, and where on this machine what is fetched from them lies."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
from pathlib import Path
from typing import Final

from bagmill.addresses import public_address
from bagmill.errors import TrainingError

_SCHEMES: Final = ("s3", "gs", "https", "http", "file")
_ADDRESS: Final = re.compile(r"([a-z][a-z0-9+.-]*)://(.+)", re.DOTALL)


def is_address(text: object) -> bool:
    """Whether a dataset is meant by its address in a store, `s3://bucket/dataset`, not by its folder."""
    return isinstance(text, str) and _ADDRESS.fullmatch(text) is not None


def check_address(text: str) -> str:
    """An address without slashes at its end.

    Raises:
        TrainingError: It is of a kind that is not known, or what speaks to stores is not installed.
    """
    found = _ADDRESS.fullmatch(text)
    if found is None or found[1] not in _SCHEMES:
        raise TrainingError(
            f"{public_address(text)} is no address of a store that is known here",
            remedy=f"Give a folder, or an address that begins with {', '.join(f'{each}://' for each in _SCHEMES)}",
        )
    if importlib.util.find_spec("obstore") is None:
        raise TrainingError(
            f"{public_address(text)} is in a store, and the package obstore, which speaks to stores, is not installed",
            remedy="Install bagmill with its extra `remote`: pip install 'bagmill[remote]'",
        )
    return text.rstrip("/")


def default_cache_folder() -> Path:
    """`bagmill` in the user's folder for what can be fetched again: `$XDG_CACHE_HOME`, or `~/.cache`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bagmill"


def folder_name(address: str) -> str:
    """A name for what is fetched from an address: the address's own last part, and a hash that tells it from others."""
    told = re.split("[?#]", public_address(address))[0].rsplit("/", 1)[-1]
    last = re.sub(r"[^A-Za-z0-9._-]+", "-", told).strip(".-") or "dataset"
    return f"{last[:40]}-{hashlib.sha256(address.encode()).hexdigest()[:12]}"
