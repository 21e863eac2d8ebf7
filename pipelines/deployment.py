"""The deployment's one file: where recordings and episodes are, which profile is for which, how many work at once.

`examples/deployment.yaml` shows every setting. The file is the one that the environment's `BAGMILL_DEPLOYMENT` names,
else `var/deployment.yaml` beside `workspace.yaml`; where there is none, the defaults below hold.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bagmill.errors import BagmillError
from bagmill.yaml_files import read_mapping, tell_problems

ROOT: Final = Path(__file__).resolve().parents[1]
"""The folder of `workspace.yaml`."""
DEFAULT_PATH: Final = ROOT / "var" / "deployment.yaml"

_LOG = logging.getLogger(__name__)


class DeploymentError(BagmillError):
    """A deployment's file that cannot be read or is not valid: every mistake, with its place."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProfileChoice(_Section):
    """Which recordings a profile is for."""

    match: str = Field(min_length=1)
    """Glob of a recording's path below the recordings folder; `*` crosses folders."""
    profile: Path


class WorkerSettings(_Section):
    """How many work at once."""

    processes: int | None = Field(default=None, ge=1)
    """Episodes made at once; None: one a core."""
    threads: int | None = Field(default=None, ge=1)
    """Threads that encode, per episode; None: the cores, shared out evenly."""


class Deployment(_Section):
    """A deployment's settings; paths are absolute once loaded."""

    recordings: Path = Path("recordings")
    dataset: Path = Path("dataset")
    profiles: tuple[ProfileChoice, ...] = ()
    """The first that matches counts; a recording that none matches is refused."""
    workers: WorkerSettings = WorkerSettings()


def load_deployment(path: Path | None = None) -> Deployment:
    """Read the deployment's file.

    Args:
        path: None: the one that the environment or the default names, which may be absent.

    Raises:
        DeploymentError: It cannot be read or is not valid.
    """
    named = os.environ.get("BAGMILL_DEPLOYMENT")
    path = (path or Path(named or DEFAULT_PATH)).absolute()
    if path == DEFAULT_PATH and not path.exists():
        deployment = _below(path.parent, Deployment())
        _LOG.warning("no %s: recordings are looked for in %s, and no profile is set", path, deployment.recordings)
        return deployment
    return _below(path.parent, _parse(path))


def _parse(path: Path) -> Deployment:
    try:
        return Deployment.model_validate(read_mapping(path))
    except ValidationError as err:
        raise DeploymentError(
            "; ".join(tell_problems(err)), path=path, remedy="examples/deployment.yaml shows every setting"
        ) from None
    except ValueError as err:
        raise DeploymentError(str(err), path=path) from err


def _below(folder: Path, deployment: Deployment) -> Deployment:
    """The same with its relative paths taken from the file's folder."""
    return deployment.model_copy(
        update={
            "recordings": _absolute(folder, deployment.recordings),
            "dataset": _absolute(folder, deployment.dataset),
            "profiles": tuple(
                choice.model_copy(update={"profile": _absolute(folder, choice.profile)})
                for choice in deployment.profiles
            ),
        }
    )


def _absolute(folder: Path, path: Path) -> Path:
    return Path(os.path.normpath(folder / path.expanduser()))
