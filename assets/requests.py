"""Partitions → what is to be ingested, or why an episode cannot even be tried."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from bagmill.dataset import Dataset, QuarantineEntry, put_quarantine
from bagmill.errors import BagmillError, RecordingError
from bagmill.ingest import IngestRequest, split_finished
from bagmill.profile import Profile, load_profile
from bagmill.quality import Stage
from resources.profiles import ProfileRules
from resources.recordings import RecordingsFolder


def make_requests(
    episodes: Sequence[str],
    *,
    recordings: RecordingsFolder,
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
        Requests, and the episodes whose recording is gone, or whose profile is missing or not valid.

    Raises:
        RecordingError: The recordings folder cannot be listed.
        StorageError: The quarantine cannot be written.
    """
    requests: list[IngestRequest] = []
    refused: list[QuarantineEntry] = []
    for episode, recording, found in _find(episodes, recordings=recordings, profiles=profiles):
        if isinstance(found, BagmillError):
            refused.append(refuse(dataset, episode, recording=recording, reason=found.sentence, remedy=found.remedy))
        else:
            path, profile = found
            requests.append(
                IngestRequest(episode=episode, recording=path, dataset=dataset.path, profile=profile, until=until)
            )
    return requests, refused


def find_unfinished(
    episodes: Sequence[str], *, recordings: RecordingsFolder, dataset: Dataset, profiles: ProfileRules
) -> list[IngestRequest]:
    """The episodes that can be tried and are not finished: never made, refused, or of another recording or profile now.

    Args:
        episodes: Their names.
        recordings: Where they lie.
        dataset: Where they went.
        profiles: Which profile fits which.

    Raises:
        RecordingError: The recordings folder cannot be listed.
    """
    requests = [
        IngestRequest(episode=episode, recording=found[0], dataset=dataset.path, profile=found[1])
        for episode, _, found in _find(episodes, recordings=recordings, profiles=profiles)
        if not isinstance(found, BagmillError)
    ]
    return split_finished(requests)[1]


def _find(
    episodes: Sequence[str], *, recordings: RecordingsFolder, profiles: ProfileRules
) -> Iterator[tuple[str, Path | None, tuple[Path, Profile] | BagmillError]]:
    """Every episode with its recording, if there is one, and either recording and profile or why it cannot be tried."""
    by_episode = recordings.by_episode()
    load = cache(load_profile)  # for this batch: the file may be another one by the next
    for episode in episodes:
        recording = by_episode.get(episode)
        try:
            if recording is None:
                raise RecordingError(
                    f"no recording of episode {episode} is there any more",
                    path=recordings.path,
                    remedy="Bring it back, or delete the partition",
                )
            yield episode, recording, (recording, load(profiles.profile_of(recordings.path_below(recording))))
        except BagmillError as err:
            yield episode, recording, err


def refuse(
    dataset: Dataset, episode: str, *, recording: Path | None, reason: str, remedy: str | None = None
) -> QuarantineEntry:
    """Put an episode that was not ingested at all in quarantine.

    Args:
        dataset: Whose quarantine.
        episode: Its name.
        recording: Its recording, where there is one.
        reason: Why, as a sentence.
        remedy: What can be done about it.

    Raises:
        StorageError: The quarantine cannot be written.
    """
    return put_quarantine(
        dataset,
        QuarantineEntry(
            episode=episode,
            recording="" if recording is None else str(recording),
            stage="recording",
            reason=reason,
            since_ns=time.time_ns(),
            remedy=remedy,
        ),
    )
