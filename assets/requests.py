"""Partitions → what is to be ingested, or why an episode cannot even be tried."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bagmill.dataset import Dataset, QuarantineEntry, put_quarantine, read_quarantine
from bagmill.dataset.current import current_of, published_summaries
from bagmill.dataset.folder import is_name
from bagmill.errors import BagmillError, StorageError, UnsettledRecordingError
from bagmill.ingest import IngestRequest, attempt_name, is_same_attempt, place_of, split_finished
from bagmill.profile import Profile
from bagmill.quality import STAGES, Stage
from resources.profiles import ProfileRules
from resources.recordings import Landed, LandingPlace


@dataclass(frozen=True, slots=True)
class Due:
    """An episode that a run should be started for."""

    episode: str
    landed: Landed
    """Its recording, which lies under another episode's name once it was renamed."""
    attempt: str
    """A name for what is to be done, which stays the same until that has changed."""


def make_requests(
    episodes: Sequence[str],
    *,
    recordings: LandingPlace,
    dataset: Dataset,
    profiles: ProfileRules,
    until: Stage,
) -> tuple[list[IngestRequest], list[QuarantineEntry]]:
    """Find every episode's recording and profile.

    Args:
        episodes: Their names, which are the partition keys.
        recordings: Where they lie.
        dataset: Where they go, and where what cannot be tried is put in quarantine.
        profiles: Which profile fits which.
        until: The last stage wanted.

    Returns:
        Requests, and the episodes whose recording is gone, whose profile is missing or not valid, or whose name is none.

    Raises:
        RecordingError: The landing place cannot be listed.
        StorageError: The quarantine cannot be written.
    """
    requests: list[IngestRequest] = []
    refused: list[QuarantineEntry] = []
    found = _find(episodes, recordings=recordings, dataset=dataset, profiles=profiles)
    for episode, recording, profile in found:
        try:
            if isinstance(profile, BagmillError):
                raise profile
            assert recording is not None, "it has a profile"
            requests.append(_request(episode, recordings.local_path(recording), dataset, profile, until=until))
        except BagmillError as err:
            place = None if recording is None else f"{recordings.place}/{recording.path_below}"
            refused.append(refuse(dataset, episode, recording=place, error=err))
    return requests, refused


def find_due(
    episodes: Sequence[str],
    *,
    recordings: LandingPlace,
    dataset: Dataset,
    profiles: ProfileRules,
    landed: Mapping[str, Landed] | None = None,
    with_passing: bool = False,
) -> list[Due]:
    """The episodes that a run should be started for: the unfinished, less those that would be refused as they were.

    An episode in quarantine is due when its recording or its profile is another, or when it was released.

    Args:
        episodes: Their names.
        recordings: Where they lie.
        dataset: Where they went.
        profiles: Which profile fits which.
        landed: What `recordings` has to show, where somebody has looked already.
        with_passing: Those that were refused for a reason that may have passed by itself are due, too.

    Returns:
        In the order of `episodes`.

    Raises:
        RecordingError: The landing place cannot be listed.
        StorageError: The quarantine cannot be listed.
    """
    quarantined = set(dataset.quarantined())
    requests: list[IngestRequest] = []
    lying: dict[str, Landed] = {}
    due: dict[str, Due] = {}
    found = _find(episodes, recordings=recordings, dataset=dataset, profiles=profiles, landed=landed)
    for episode, recording, profile in found:
        if recording is None:
            continue
        if not isinstance(profile, BagmillError):
            lying[episode] = recording
            requests.append(_request(episode, recordings.local_path(recording), dataset, profile))
        elif episode not in quarantined and is_name(episode) and not dataset.fingerprint_path(episode).exists():
            # It was never tried: a run will say what is wrong with its profile. What was made by one that is wrong now, stands.
            due[episode] = Due(episode, recording, profile.sentence)
    stamps = {episode: recording.stamp for episode, recording in lying.items()}
    for request in split_finished(requests, stamps=stamps)[1]:
        recording = lying[request.episode]
        attempt = attempt_name(request, recording.stamp)
        entry = _entry(dataset, request.episode) if request.episode in quarantined else None
        if entry is not None and entry.released_ns is not None:
            due[request.episode] = Due(request.episode, recording, f"{attempt}:{entry.released_ns}")
        elif entry is None or not is_same_attempt(entry, attempt) or (with_passing and entry.is_passing):
            due[request.episode] = Due(request.episode, recording, attempt)
    return [due[episode] for episode in episodes if episode in due]


def _entry(dataset: Dataset, episode: str) -> QuarantineEntry | None:
    try:
        return read_quarantine(dataset, episode)
    except StorageError:
        return None  # it is damaged: the next attempt writes it anew


def _find(
    episodes: Sequence[str],
    *,
    recordings: LandingPlace,
    dataset: Dataset,
    profiles: ProfileRules,
    landed: Mapping[str, Landed] | None = None,
) -> Iterator[tuple[str, Landed | None, Profile | BagmillError]]:
    """Every episode with its recording and profile, or with why it cannot be tried."""
    landed = recordings.look() if landed is None else landed
    profile_of = profiles.reader()
    for episode in episodes:
        recording = None
        try:
            if not is_name(episode):
                raise StorageError(
                    f"partition {episode!r} can be no episode: its name is not one that a recording's path gives",
                    remedy="Delete the partition: the sensor `arrivals` and the job `register_recordings` add what is right",
                )
            recording = landed.get(episode) or _renamed(dataset, episode, landed)
            if recording is None:
                raise UnsettledRecordingError(
                    f"no recording of episode {episode} is there any more",
                    path=recordings.place,
                    remedy="Bring it back, or delete the partition",
                )
            yield episode, recording, profile_of(recording.path_below)
        except BagmillError as err:
            yield episode, recording, err


def _renamed(dataset: Dataset, episode: str, landed: Mapping[str, Landed]) -> Landed | None:
    """An episode's recording where it lies under another name now."""
    known = place_of(dataset, episode)
    return None if known is None else landed.get(known.name)


def _request(
    episode: str, recording: Path, dataset: Dataset, profile: Profile, *, until: Stage = STAGES[-1]
) -> IngestRequest:
    return IngestRequest(episode=episode, recording=recording, dataset=dataset.path, profile=profile, until=until)


def refuse(dataset: Dataset, episode: str, *, recording: str | None, error: BagmillError) -> QuarantineEntry:
    """Refuse an episode that could not even be tried, and put it in quarantine.

    Where its recording is gone and something is published of it, it stays out of quarantine, and so in the snapshots: a
    landing place may be cleared of what was ingested. A partition whose name can be no episode's has no place there either.

    Args:
        dataset: Whose quarantine.
        episode: Its name.
        recording: Where its recording lies, where there is one.
        error: Why.

    Raises:
        StorageError: The quarantine cannot be written.
    """
    entry = QuarantineEntry(
        episode=episode,
        recording=recording or "",
        stage="recording",
        reason=error.sentence,
        since_ns=time.time_ns(),
        remedy=error.remedy,
        is_passing=error.is_passing,
    )
    if not is_name(episode):
        return replace(entry, is_passing=False)
    if recording is None and _is_published(dataset, episode):
        return replace(entry, reason=f"{entry.reason} What was published of it stands.")
    return put_quarantine(dataset, entry)


def _is_published(dataset: Dataset, episode: str) -> bool:
    try:
        return current_of(published_summaries(dataset, episode)) is not None
    except StorageError:
        return True  # a report of it is damaged: what can be made again must not be hidden behind a refusal
