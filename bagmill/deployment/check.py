"""What is wrong with a deployment, or will be, told before anything runs."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from bagmill.cores import usable_cores
from bagmill.deployment.settings import Deployment, FolderName, ProfileChoice
from bagmill.errors import BagmillError
from bagmill.profile import load_profile
from bagmill.quality import resolve_checks
from bagmill.recordings import discover

State = Literal["ok", "warning", "error"]
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    place: str
    """Of the setting: `$.profiles[0].profile`."""
    state: State
    """`error`: what it is for will not work. `warning`: it will, perhaps not as meant."""
    text: str
    """One sentence."""


def check_deployment(deployment: Deployment) -> Iterator[Finding]:
    """Look at every setting with what it names: folders, profiles, recordings, addresses; nothing is written.

    Args:
        deployment: As `read_deployment` gives it.
    """
    found = yield from _check_recordings(deployment.recordings)
    yield _check_dataset(deployment.dataset)
    for number, choice in enumerate(deployment.profiles):
        yield _check_profile(choice.profile, place=f"$.profiles[{number}].profile")
    yield from _check_rules(deployment.profiles, found)
    yield from _check_workers(deployment)
    yield from _check_media(deployment)
    for place, folder in (("$.recordings", deployment.recordings), ("$.dataset", deployment.dataset)):
        yield from _check_room(place, folder, least_percent=deployment.alerts.disk_free_percent)


def _check_recordings(folder: Path) -> Generator[Finding, None, list[str]]:
    """Says what is there, and returns the recordings' paths below the folder, with `/`."""
    try:
        found = [path.relative_to(folder).as_posix() for path in discover(folder)]
    except BagmillError as err:
        yield Finding("$.recordings", "error", str(err))
        return []
    state: State = "ok" if found else "warning"
    yield Finding("$.recordings", state, f"{folder}: {_counted(len(found))}{'' if found else ' yet'}.")
    return found


def _check_dataset(folder: Path) -> Finding:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir():
        return Finding("$.dataset", "error", f"{existing} is a file, not a folder. Name another.")
    if not os.access(existing, os.W_OK | os.X_OK):
        return Finding(
            "$.dataset", "error", f"{existing} may not be written by this account. Change its owner or mode."
        )
    said = "" if existing == folder else ", which is made with the first episode"
    return Finding("$.dataset", "ok", f"{folder}{said}.")


def _check_profile(path: Path, *, place: str) -> Finding:
    try:
        profile = load_profile(path)
        resolve_checks(profile)
    except BagmillError as err:
        return Finding(place, "error", str(err))
    return Finding(place, "ok", f"{path}: {len(profile.features)} features at {profile.rate_hz} Hz.")


def _check_rules(choices: tuple[ProfileChoice, ...], recordings: list[str]) -> Iterator[Finding]:
    if not choices:
        yield Finding("$.profiles", "warning", "there is no rule, so that every recording will be refused. Add one.")
        return
    rules = {
        recording: next((number for number, each in enumerate(choices) if fnmatchcase(recording, each.match)), None)
        for recording in recordings
    }
    counted = Counter(rules.values())
    for number, choice in enumerate(choices):
        place = f"$.profiles[{number}].match"
        num_all = sum(fnmatchcase(recording, choice.match) for recording in recordings)
        if recordings and not counted[number]:
            why = f"the rules before it take all of its {num_all}" if num_all else "no recording's path matches it"
            yield Finding(place, "warning", f"`{choice.match}` is for no recording: {why}.")
        else:
            yield Finding(place, "ok", f"`{choice.match}` is for {_counted(counted[number])}.")
        yield from _check_folders(number, choice, [each for each, rule in rules.items() if rule == number])
    if left := [recording for recording, number in rules.items() if number is None]:
        yield Finding(
            "$.profiles", "error", f"no rule is for {_counted(len(left))}, such as {left[0]}: refused as it is."
        )


def _check_folders(number: int, choice: ProfileChoice, recordings: list[str]) -> Iterator[Finding]:
    for what, told in (("robot", choice.robot), ("task", choice.task)):
        if not isinstance(told, FolderName):
            continue
        depth = told.folder if told.folder > 0 else -told.folder
        if shallow := [recording for recording in recordings if recording.count("/") < depth]:
            said = f"{_counted(len(shallow))}, such as {shallow[0]}, not below {depth} folders: refused as it is."
            yield Finding(f"$.profiles[{number}].{what}", "error", said)


def _check_workers(deployment: Deployment) -> Iterator[Finding]:
    num_processes = deployment.workers.processes or usable_cores()
    if num_processes > usable_cores():
        said = f"{num_processes} episodes at once on {usable_cores()} cores are slower than {usable_cores()}."
        yield Finding("$.workers.processes", "warning", said)
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    wanted_bytes = num_processes * deployment.limits.episode_memory_bytes
    if deployment.limits.episode_memory_bytes > memory_bytes:
        said = (
            f"an episode may take {wanted_bytes / num_processes / 2**30:.1f} GiB, and the machine has "
            f"{memory_bytes / 2**30:.1f}: one that does will be ended by the machine, not by its limit."
        )
        yield Finding("$.limits.episode_memory_bytes", "warning", said)


def _check_media(deployment: Deployment) -> Iterator[Finding]:
    media = deployment.media
    for name, url in (("url", media.url), ("dagster_url", media.dagster_url)):
        place = f"$.media.{name}"
        if urlsplit(url).hostname in _LOOPBACK:
            said = f"links to {url} work on this machine alone. Name the address by which others reach it."
            yield Finding(place, "warning", said)
        else:
            yield Finding(place, "ok", f"links go to {url}.")


def _check_room(place: str, folder: Path, *, least_percent: float) -> Iterator[Finding]:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    usage = shutil.disk_usage(existing)
    percent = 100 * usage.free / usage.total
    if percent < least_percent:
        said = f"{usage.free / 1e9:.1f} GB are free on the disk of {existing}, {percent:.1f} % of it. Make room."
        yield Finding(place, "warning", said)


def _counted(number: int) -> str:
    return f"{number} recording{'' if number == 1 else 's'}"
