"""Which deployment this is: the file that `BAGMILL_DEPLOYMENT` names, else `var/deployment.yaml` beside `workspace.yaml`."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final

from bagmill.deployment import Deployment, beside, read_deployment
from bagmill.local_paths import local_path

ROOT: Final = Path(__file__).resolve().parents[1]
"""The folder of `workspace.yaml`."""
DEFAULT_PATH: Final = ROOT / "var" / "deployment.yaml"

_LOG = logging.getLogger(__name__)


def deployment_path() -> Path:
    """The file that the environment or the default names."""
    return local_path(os.environ.get("BAGMILL_DEPLOYMENT") or DEFAULT_PATH).absolute()


def load_deployment(path: Path | None = None) -> Deployment:
    """Read the deployment's file.

    Args:
        path: None: the one that the environment or the default names. The default's may be absent; then the defaults of all
            settings hold.

    Raises:
        AddressError: It is an address, not a path on this machine.
        SettingsError: It cannot be read or is not valid.
    """
    path = local_path(path).absolute() if path else deployment_path()
    if path == DEFAULT_PATH and not path.exists():
        deployment = beside(path.parent, Deployment())
        _LOG.warning("no %s: recordings are looked for in %s, and no profile is set", path, deployment.recordings)
        return deployment
    return read_deployment(path)
