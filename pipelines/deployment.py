"""The deployment's one file: where recordings and episodes are, which profile is for which, how many work at once.

`examples/deployment.yaml` shows every setting. The file is the one that the environment's `BAGMILL_DEPLOYMENT` names,
else `var/deployment.yaml` beside `workspace.yaml`; where there is none, the defaults below hold.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from dagster._utils.schedules import is_valid_cron_string
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from bagmill.errors import AddressError, BagmillError
from bagmill.limits import Limits
from bagmill.local_paths import local_path
from bagmill.yaml_files import read_mapping, tell_problems

ROOT: Final = Path(__file__).resolve().parents[1]
"""The folder of `workspace.yaml`."""
DEFAULT_PATH: Final = ROOT / "var" / "deployment.yaml"

_LOG = logging.getLogger(__name__)


class DeploymentError(BagmillError):
    """A deployment's file that cannot be read or is not valid: every mistake, with its place."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FolderName(_Section):
    """The name of a folder on a recording's way."""

    folder: int
    """1: the first below the landing place; -1: the one that the recording lies in."""


def _as_told(said: object) -> object:
    """A text, or the folder whose name it is, as the file has it."""
    match said:
        case None | str() | FolderName():
            return said
        case {"folder": 0, **others} if not others:
            raise ValueError("folders are counted from 1, the first below the landing place, or from -1, the last")
        case {"folder": int(folder), **others} if not others:
            return FolderName(folder=folder)
    raise ValueError(f"expected a text or {{folder: number}}, found {said!r}")


def _no_address(said: object) -> object:
    if isinstance(said, str):
        try:
            local_path(said)
        except AddressError as err:
            raise ValueError(f"{err.problem} ({err.remedy})") from err
    return said


LocalPath = Annotated[Path, BeforeValidator(_no_address)]
"""A path on this machine, absolute or from the file's folder."""
_Told = Annotated[str | FolderName | None, BeforeValidator(_as_told)]


class ProfileChoice(_Section):
    """Which recordings a profile is for, and what is said of them in its place."""

    match: str = Field(min_length=1)
    """Glob of a recording's path below the recordings folder; `*` crosses folders."""
    profile: LocalPath
    robot: _Told = None
    """In place of the profile's."""
    task: _Told = None
    """In place of the profile's."""


class ArrivalSettings(_Section):
    """How recordings are taken in as they arrive."""

    ingest: Literal["at_once", "at_night"] = "at_once"
    """Whether runs are started for what arrives, or it waits for the night."""
    settled_after_s: float = Field(default=60.0, ge=0)
    """A recording that was written to more recently may not be finished."""
    most_per_tick: int = Field(default=1000, ge=1)
    """Recordings taken in at one look."""
    look_again_every_s: float = Field(default=300.0, ge=0)
    """How often everything registered is looked through for what changed; new recordings are looked for at every tick."""
    is_on: bool = False
    """The sensors run from the first start on, without being switched on in the web UI."""


class WorkerSettings(_Section):
    """How many work at once."""

    processes: int | None = Field(default=None, ge=1)
    """Episodes made at once; None: one a core."""
    threads: int | None = Field(default=None, ge=1)
    """Threads that encode, per episode; None: the cores, shared out evenly."""


class NightSettings(_Section):
    """When the night begins, by which everything is ingested that has arrived."""

    cron: str = "0 2 * * *"
    """Minute, hour, day of the month, month, day of the week; once a day at most."""
    time_zone: str = "UTC"
    """Name of a time zone, by which the hour and the date of a night are meant: `Europe/Berlin`."""
    is_on: bool = False
    """The schedule runs from the first start on, without being switched on in the web UI."""

    @field_validator("cron")
    @classmethod
    def _check_cron(cls, cron: str) -> str:
        fields = cron.split()
        if len(fields) != 5 or not is_valid_cron_string(cron):
            raise ValueError(f"expected five fields as of cron, `0 2 * * *` for 02:00, found {cron!r}")
        if not (fields[0].isdecimal() and fields[1].isdecimal()):
            raise ValueError(f"a night begins once a day: expected a minute and an hour as numbers, found {cron!r}")
        return cron

    @field_validator("time_zone")
    @classmethod
    def _check_time_zone(cls, time_zone: str) -> str:
        try:
            ZoneInfo(time_zone)
        except (ValueError, OSError, KeyError) as err:
            raise ValueError(f"expected the name of a time zone such as Europe/Berlin, found {time_zone!r}") from err
        return time_zone


class MediaSettings(_Section):
    """The web server that plays films and shows pictures, beside Dagster's."""

    url: str = "http://127.0.0.1:3001"
    """Where people's browsers find it: what links in Dagster's web UI begin with."""
    host: str = "127.0.0.1"
    """The address it listens at. It asks nobody for a password, as Dagster's does not."""
    port: int = Field(default=3001, ge=0, le=65535)
    """0: any that is free."""
    dagster_url: str = "http://127.0.0.1:3000"
    """Where people's browsers find Dagster's web UI: what links back to it begin with."""

    @field_validator("url", "dagster_url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
            raise ValueError(f"expected an address such as http://robots.example:3001, found {url!r}")
        return url.rstrip("/")


_NAME: Final = re.compile(r"(\[[0-9a-fA-F:.]{2,45}\]|[a-zA-Z0-9][a-zA-Z0-9._-]{0,252})")


class WebSettings(_Section):
    """Dagster's web UI, and by which names people reach it and the media server."""

    host: str = "127.0.0.1"
    """The address it listens at. It asks nobody for a password."""
    port: int = Field(default=3000, ge=0, le=65535)
    """0: any that is free."""
    hosts: tuple[str, ...] = ()
    """Names of this machine in people's browsers, beside those in `media`; a request by another name is refused."""

    @field_validator("hosts")
    @classmethod
    def _check_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not _NAME.fullmatch(host):
                raise ValueError(f"expected a name such as robots.example, without a port, found {host!r}")
        return hosts


class AlertSettings(_Section):
    """Who is told when a run or a check fails."""

    webhook: str | None = None
    """Address that alerts are posted to as JSON; None: they go to the log."""
    timeout_s: float = Field(default=5.0, gt=0, le=8)
    """Of one attempt to post. All attempts have to fit into what Dagster gives a sensor, a minute."""
    attempts: int = Field(default=3, ge=1, le=3)
    """Within one tick; what is not delivered is tried again at the next."""
    is_on: bool = False
    """The sensors run from the first start on, without being switched on in the web UI."""

    @field_validator("webhook")
    @classmethod
    def _check_webhook(cls, webhook: str | None) -> str | None:
        if webhook is None or (urlsplit(webhook).scheme in ("http", "https") and urlsplit(webhook).hostname):
            return webhook
        raise ValueError(f"expected an address such as https://chat.example/hooks/abc, found {webhook!r}")


class Deployment(_Section):
    """A deployment's settings; paths are absolute once loaded."""

    recordings: LocalPath = Path("recordings")
    dataset: LocalPath = Path("dataset")
    profiles: tuple[ProfileChoice, ...] = ()
    """The first that matches counts; a recording that none matches is refused."""
    workers: WorkerSettings = WorkerSettings()
    web: WebSettings = WebSettings()
    media: MediaSettings = MediaSettings()
    arrivals: ArrivalSettings = ArrivalSettings()
    nights: NightSettings = NightSettings()
    alerts: AlertSettings = AlertSettings()
    limits: Limits = Limits()
    """What a recording may cost at most."""


def load_deployment(path: Path | None = None) -> Deployment:
    """Read the deployment's file.

    Args:
        path: None: the one that the environment or the default names, which may be absent.

    Raises:
        AddressError: It is an address, not a path on this machine.
        DeploymentError: It cannot be read or is not valid.
    """
    named = os.environ.get("BAGMILL_DEPLOYMENT")
    path = local_path(path or named or DEFAULT_PATH).absolute()
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
