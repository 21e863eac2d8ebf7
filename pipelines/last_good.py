"""The configuration that is in force: the deployment's file, or, while that is wrong, what it last said that was right.

A mistake in the file must not end what runs: Dagster loads the definitions anew at every run's start and at *Reload*. What
was right is kept in `$DAGSTER_HOME`, so that it holds over restarts, too; without one nothing is kept.
"""

from __future__ import annotations

import json
import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bagmill.cli.wording import stamp_text
from bagmill.dataset.whole_file import write_whole
from bagmill.deployment import Deployment, parse_deployment
from bagmill.errors import SettingsError, StorageError
from bagmill.yaml_files import read_mapping
from pipelines.deployment import deployment_path, load_deployment

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class InForce:
    """What a deployment runs by."""

    deployment: Deployment
    path: Path
    """Of the file."""
    problem: str | None = None
    """Why the file as it is now is not in force; None: it is."""
    taken_ns: int | None = None
    """When what is in force was read from the file, ns since the Unix epoch, where that is not the file as it is now."""


def load_in_force() -> InForce:
    """Read the deployment's file, or, where it is wrong, what it said before.

    Raises:
        AddressError: It is an address, not a path on this machine.
        SettingsError: It is wrong, and nothing that was right is known of it.
    """
    path = deployment_path()
    try:
        deployment = load_deployment()
    except SettingsError as err:
        kept = _recall(path)
        if kept is None:
            raise
        earlier, taken_ns = kept
        _LOG.error("%s What it said on %s stays in force.", err, stamp_text(taken_ns))
        return InForce(earlier, path, problem=str(err), taken_ns=taken_ns)
    _keep(path)
    return InForce(deployment, path)


def _keep(path: Path) -> None:
    place = _place()
    if place is None or not path.exists():
        return
    content = _plain(read_mapping(path))
    kept = _read(place)
    if kept is None or kept.get("path") != str(path) or kept.get("content") != content:
        text = json.dumps({"path": str(path), "taken_ns": time.time_ns(), "content": content})
        try:
            write_whole(place, text.encode())
        except StorageError as err:
            _LOG.warning("%s A mistake in %s would be in force at once.", err, path)


def _recall(path: Path) -> tuple[Deployment, int] | None:
    place = _place()
    kept = None if place is None else _read(place)
    if kept is None or kept.get("path") != str(path):
        return None
    try:
        return parse_deployment(kept["content"], path=path), int(kept["taken_ns"])
    except (SettingsError, KeyError, TypeError, ValueError, OverflowError):  # of an earlier release, or damaged
        return None


def _read(place: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(place.read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _plain(content: object) -> object:
    """As JSON gives it back: YAML's dates become texts."""
    return json.loads(json.dumps(content, default=str))


def _place() -> Path | None:
    home = os.environ.get("DAGSTER_HOME")
    return Path(home) / "bagmill" / "deployment.json" if home else None
