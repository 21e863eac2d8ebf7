"""The deployment's one file: where recordings and episodes are, which profile is for which, how many work at once.

`examples/deployment.yaml` shows every setting. What a deployment is run by (Dagster, its media server) is not known here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from bagmill.addresses import has_secrets, host_of, public_address
from bagmill.errors import AddressError, SettingsError
from bagmill.limits import Limits
from bagmill.local_paths import local_path
from bagmill.yaml_files import read_mapping, tell_problems


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


_CRON_RANGES: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
"""Least and greatest of a minute, an hour, a day of the month, a month, a day of the week."""
_CRON_NAMES: Final = {
    name: number
    for names, first in (("jan feb mar apr may jun jul aug sep oct nov dec", 1), ("sun mon tue wed thu fri sat", 0))
    for number, name in enumerate(names.split(), start=first)
}
_CRON_ITEM: Final = re.compile(
    r"(?:\*|(?P<first>[0-9a-z]{1,3})(?:-(?P<last>[0-9a-z]{1,3}))?)(?:/(?P<step>[0-9]{1,2}))?"
)


def _is_cron_field(field: str, bounds: tuple[int, int]) -> bool:
    """Whether it is a list of `*`, numbers and ranges, with steps; see crontab(5)."""
    return all(_is_cron_item(item, *bounds) for item in field.lower().split(","))


def _is_cron_item(item: str, least: int, greatest: int) -> bool:
    match = _CRON_ITEM.fullmatch(item)
    if match is None or match["step"] == "0":
        return False
    ends = [_CRON_NAMES.get(end, int(end) if end.isdecimal() else -1) for end in match.group("first", "last") if end]
    return all(least <= end <= greatest for end in ends) and ends == sorted(ends)


def _checked_cron(cron: str) -> str:
    fields = cron.split()
    if len(fields) != 5 or not all(map(_is_cron_field, fields, _CRON_RANGES)):
        raise ValueError(f"expected five fields as of cron, `0 2 * * *` for 02:00, found {cron!r}")
    return cron


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
        fields = _checked_cron(cron).split()
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


class VerifySettings(_Section):
    """When a part of the dataset is read back and compared with its checksums."""

    cron: str = "0 12 * * *"
    """Minute, hour, day of the month, month, day of the week, in the time zone of the nights."""
    sample: float = Field(default=0.01, gt=0, le=1)
    """Part of the episodes that is read each time: the next one, until all have had their turn."""
    is_on: bool = False
    """The schedule runs from the first start on, without being switched on in the web UI."""

    @field_validator("cron")
    @classmethod
    def _check_cron(cls, cron: str) -> str:
        return _checked_cron(cron)


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
        # Links that everybody sees begin with it: it may hold no password.
        if has_secrets(url) or not url.startswith(("http://", "https://")) or not host_of(url):
            raise ValueError(
                "expected an address such as http://robots.example:3001, without a user or a query, "
                f"found {public_address(url)!r}"
            )
        return url.rstrip("/")


class AlertSettings(_Section):
    """Who is told when a run or a check fails."""

    webhook: str | None = Field(default=None, repr=False)
    """Address that alerts are posted to as JSON; None: they go to the log."""
    timeout_s: float = Field(default=5.0, gt=0, le=8)
    """Of one attempt to post. All attempts have to fit into what Dagster gives a sensor, a minute."""
    attempts: int = Field(default=3, ge=1, le=3)
    """Within one tick; what is not delivered is tried again at the next."""
    is_on: bool = False
    """The sensors run from the first start on, without being switched on in the web UI."""
    disk_free_percent: float = Field(default=5.0, ge=0, lt=100)
    """A disk with less room than this raises an alert; 0: none does."""
    silent_after_h: float | None = Field(default=None, gt=0)
    """Hours without a new recording after which a robot raises an alert; None: none does."""

    @field_validator("webhook")
    @classmethod
    def _check_webhook(cls, webhook: str | None) -> str | None:
        if webhook is None or (webhook.startswith(("http://", "https://")) and host_of(webhook)):
            return webhook
        # Not what was found: it is a secret even where it is misspelt.
        raise ValueError("expected an address such as https://chat.example/hooks/abc, found something else")


class Deployment(_Section):
    """A deployment's settings; paths are absolute once loaded."""

    recordings: LocalPath = Path("recordings")
    dataset: LocalPath = Path("dataset")
    profiles: tuple[ProfileChoice, ...] = ()
    """The first that matches counts; a recording that none matches is refused."""
    workers: WorkerSettings = WorkerSettings()
    web: WebSettings = WebSettings()
    verify: VerifySettings = VerifySettings()
    media: MediaSettings = MediaSettings()
    arrivals: ArrivalSettings = ArrivalSettings()
    nights: NightSettings = NightSettings()
    alerts: AlertSettings = AlertSettings()
    limits: Limits = Limits()
    """What a recording may cost at most."""


def read_deployment(path: Path) -> Deployment:
    """Read a deployment's file.

    Raises:
        AddressError: It is an address, not a path on this machine.
        SettingsError: It cannot be read or is not valid: every mistake, with its place.
    """
    path = local_path(path).absolute()
    try:
        return parse_deployment(read_mapping(path), path=path)
    except ValueError as err:
        raise SettingsError(str(err), path=path) from err


def parse_deployment(content: Mapping[str, Any], *, path: Path) -> Deployment:
    """The settings that a file's content gives.

    Args:
        content: Of the file.
        path: Where it lies, absolute: relative paths in it start at its folder.

    Raises:
        SettingsError: It is not valid: every mistake, with its place.
    """
    try:
        deployment = Deployment.model_validate(content)
    except ValidationError as err:
        raise SettingsError(
            "; ".join(tell_problems(err)), path=path, remedy="examples/deployment.yaml shows every setting"
        ) from None
    return beside(path.parent, deployment)


def beside(folder: Path, deployment: Deployment) -> Deployment:
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
