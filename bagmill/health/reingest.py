"""Episodes and reports made again from their recording, by the profile that the episode itself has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bagmill.dataset import Dataset, load_report, read_known, save_report
from bagmill.episodes import Episode, episode_version
from bagmill.errors import BagmillError
from bagmill.health.cannot_mend import CannotMendError
from bagmill.health.finding import Finding
from bagmill.ingest import IngestRequest, ingest
from bagmill.ingest.fingerprint import read_note, write_note
from bagmill.profile import Profile, parse_profile

_REMEDY = "Bring its recording back and ingest it by the same profile, with --force where its arrays are damaged"


def ingest_again(dataset: Dataset, finding: Finding, *, recordings: Mapping[str, Path]) -> None:
    """Make a version again; it stays behind the version that was asked for last, if that was another.

    Args:
        dataset: Whose.
        finding: Of the version.
        recordings: Episode → where its recording lies, where the dataset may not know.

    Raises:
        CannotMendError: The recording is gone or another one, or the episode does not say by what profile it was made.
        BagmillError: The recording is refused now, or the disk does not take it.
    """
    assert finding.episode is not None
    assert finding.version is not None
    episode, version = finding.episode, finding.version
    profile, content_hash = made_by(dataset, episode, version)
    memory = dataset.fingerprint_path(episode)
    note = read_note(memory)
    last = note.get("finished")
    order = _known_order(dataset, episode, version)
    outcome = ingest(
        IngestRequest(
            episode=episode,
            recording=_recording(dataset, finding, content_hash, recordings.get(episode)),
            dataset=dataset.path,
            profile=profile,
            is_forced=finding.kind == "episode",
        )
    )
    if outcome.report.version != version:
        raise CannotMendError("its recording is another one by now", path=finding.path, remedy=_REMEDY)
    if outcome.refusal is not None:
        raise CannotMendError(outcome.refusal.reason, path=finding.path, remedy=outcome.refusal.remedy or _REMEDY)
    if order is not None:
        save_report(dataset, replace(outcome.report, order=order[0], requested_ns=order[1]))
        write_note(memory, note)
    elif isinstance(last, dict) and last.get("version") != version:
        # Which asking it was is lost with the report; that another was the last is known.
        save_report(dataset, replace(outcome.report, order=0, requested_ns=0))
        write_note(memory, note)


def made_by(dataset: Dataset, episode: str, version: str) -> tuple[Profile, str]:
    """The profile and the recording's content hash that an episode was made of, as it says itself.

    Raises:
        CannotMendError: It does not, or not well enough to make the same version of it.
    """
    path = dataset.episode_path(episode, version)
    try:
        attributes = Episode.open(path).attributes
        profile = parse_profile(attributes["profile"])
        content_hash = str(attributes["recording"]["content_hash"])
    except (BagmillError, KeyError, TypeError) as err:
        told = err.problem if isinstance(err, BagmillError) else "its attributes lack it"
        raise CannotMendError(
            f"its profile cannot be read from the episode ({told})", path=path, remedy=_REMEDY
        ) from err
    if episode_version(content_hash, profile) != version:
        problem = "its profile gives another version by now: it has definitions of its own, or is of another release"
        raise CannotMendError(problem, path=path, remedy=_REMEDY)
    return profile, content_hash


def _known_order(dataset: Dataset, episode: str, version: str) -> tuple[int, int] | None:
    try:
        report = load_report(dataset, episode, version=version)
    except BagmillError:
        return None
    return report.order, report.requested_ns


def _recording(dataset: Dataset, finding: Finding, content_hash: str, named: Path | None) -> Path:
    known = read_known(dataset, content_hash)
    places = [] if named is None else [named]
    if known is not None:
        places.append(Path(known.place))
    for version in dataset.reported(str(finding.episode)):
        try:
            places.append(Path(load_report(dataset, str(finding.episode), version=version).recording_path))
        except BagmillError:
            continue
    for place in places:
        if place.exists():
            return place
    problem = (
        f"its recording is not there any more at {places[0]}"
        if places
        else "where its recording lies stands nowhere any more"
    )
    raise CannotMendError(problem, path=finding.path, remedy=f"Name its folder with --recordings. {_REMEDY}")
