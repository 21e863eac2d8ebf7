"""What earlier runs left that need not be made again."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata
from typing import Final

from bagmill.dataset import Dataset, EpisodeReport, QuarantineEntry, load_report
from bagmill.episodes import episode_version
from bagmill.episodes.layout import is_episode
from bagmill.errors import BagmillError, StorageError, UnsettledRecordingError
from bagmill.ingest.duplicate import original_now
from bagmill.ingest.fingerprint import Fingerprint, fingerprint, read_note, remembered_hash, write_note
from bagmill.ingest.request import IngestOutcome, IngestRequest, wanted_stages
from bagmill.limits import limits
from bagmill.profile import Profile
from bagmill.streams import RecordingIndex, load_index

_FINISHED: Final = "finished"
"""Key of the note beside a recording's fingerprint."""


def recall_index(request: IngestRequest) -> RecordingIndex | None:
    """The index of the last scan, if files and definitions are those that were scanned; None: scan."""
    dataset = Dataset(request.dataset)
    memory = dataset.fingerprint_path(request.episode)
    content_hash = remembered_hash(request.recording, memory)
    if content_hash is None or request.is_forced:
        return None
    if read_note(memory).get("definitions") != scan_settings(request.profile):
        return None
    try:
        index = load_index(dataset.scan_path(request.episode))
    except StorageError:
        return None
    return replace(index, path=str(request.recording)) if index.content_hash == content_hash else None


def scan_settings(profile: Profile) -> str | None:
    """What an index depends on besides the recording: the definitions that a profile gives, and whether it salvages.

    None for a profile that does neither.
    """
    digest = None if profile.definitions is None else profile.definitions.digest
    return f"{digest or ''} salvage" if profile.salvage else digest


def recall_report(request: IngestRequest, version: str) -> EpisodeReport | None:
    """The report of a version made earlier; None where there is none, or it is damaged, or it is to be made anew."""
    if request.is_forced:
        return None
    try:
        return load_report(Dataset(request.dataset), request.episode, version=version)
    except StorageError:
        return None


@dataclass(frozen=True, slots=True)
class FinishedEpisode:
    """A request for which there is nothing to do."""

    request: IngestRequest
    version: str

    def recall(self) -> IngestOutcome:
        """What `ingest` would say of it.

        Raises:
            StorageError: Its report is gone or damaged since.
        """
        started = time.perf_counter()
        report = load_report(Dataset(self.request.dataset), self.request.episode, version=self.version)
        return IngestOutcome(
            episode=self.request.episode,
            report=report,
            refusal=None,
            is_reused=True,
            num_seconds=time.perf_counter() - started,
        )


def split_finished(
    requests: Iterable[IngestRequest], *, stamps: Mapping[str, Fingerprint] | None = None
) -> tuple[list[FinishedEpisode], list[IngestRequest]]:
    """Tell what is finished from what is not, by a small note and a handful of `stat` calls each.

    Finished is an episode of which all that is asked for stands, whose recording's files and profile are those it was made
    from, and against which nothing speaks: `ingest` would read its report and change nothing. The note is of the version
    that was asked for last; one that has to be made the current one again, and all doubt, counts as not finished.

    Args:
        requests: The episodes.
        stamps: Episode → its recording's fingerprint, where that was taken already.

    Returns:
        What is finished, and the other requests, each in their order.
    """
    finished: list[FinishedEpisode] = []
    others: list[IngestRequest] = []
    names: dict[int, str] = {}
    for request in requests:
        profile = id(request.profile)  # to write a profile out takes longer than all the rest
        if profile not in names:
            names[profile] = _profile_name(request)
        taken = None if stamps is None else stamps.get(request.episode)
        version = _finished_version(request, profile_name=names[profile], taken=taken)
        if version is None:
            others.append(request)
        else:
            finished.append(FinishedEpisode(request, version))
    return finished, others


def attempt_name(request: IngestRequest, taken: Fingerprint) -> str:
    """A name for what is ingested: the recording's files as they are, and the profile.

    An episode that was refused is worth another attempt by itself once this has changed.
    """
    content = json.dumps([taken, _profile_name(request)])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def forget_finished(request: IngestRequest) -> None:
    """Drop the note of what is finished, before anything is made: a run that is killed has something to sweep then.

    Raises:
        StorageError: The disk does not take it.
    """
    memory = Dataset(request.dataset).fingerprint_path(request.episode)
    note = read_note(memory)
    if note.pop(_FINISHED, None) is not None:
        write_note(memory, note)


def name_of_failure(request: IngestRequest) -> str:
    """The name of an attempt whose process has just failed; empty where the recording is gone."""
    try:
        return under_limits(attempt_name(request, fingerprint(request.recording)))
    except UnsettledRecordingError:
        return ""


def under_limits(attempt: str) -> str:
    """A name for an attempt that would go otherwise with another bagmill or other limits."""
    content = f"{_version()} {limits().model_dump_json()}"
    return f"{attempt}+{hashlib.sha256(content.encode()).hexdigest()[:8]}"


def is_same_attempt(entry: QuarantineEntry, attempt: str) -> bool:
    """Whether an episode would be refused as it was, if it were tried again.

    Args:
        entry: Of its refusal.
        attempt: By `attempt_name`, as things are now.
    """
    return entry.attempted in (attempt, under_limits(attempt))


@cache
def _version() -> str:
    try:
        return metadata.version("bagmill")
    except metadata.PackageNotFoundError:  # run from its source
        return ""


def remember_finished(request: IngestRequest, report: EpisodeReport) -> None:
    """Note beside the recording's fingerprint what is finished of it, for `split_finished`.

    Args:
        request: What was asked for.
        report: Of an episode against which nothing speaks.

    Raises:
        StorageError: The disk does not take it.
    """
    memory = Dataset(request.dataset).fingerprint_path(request.episode)
    note = read_note(memory)
    finished = {
        "profile": _profile_name(request),
        "version": report.version,
        "stages": [stage.stage for stage in report.stages],
        "has_film": _has_film(report),
        "duplicate_of": report.duplicate_of,
    }
    if note.get("content_hash") == report.recording_hash is not None and note.get(_FINISHED) != finished:
        write_note(memory, note | {_FINISHED: finished})


def recall_finished(request: IngestRequest) -> EpisodeReport | None:
    """The report of everything that is asked for, if all of it stands, or if it was found wanting before; reads no payload."""
    dataset = Dataset(request.dataset)
    content_hash = remembered_hash(request.recording, dataset.fingerprint_path(request.episode))
    if content_hash is None:
        return None
    version = episode_version(content_hash, request.profile)
    report = recall_report(request, version)
    if report is None or report.duplicate_of != original_now(
        dataset, content_hash=content_hash, episode=request.episode
    ):
        return None
    return report if report.duplicate_of is not None or _is_all_there(request, report, version) else None


def _is_all_there(request: IngestRequest, report: EpisodeReport, version: str) -> bool:
    """Whether the stages that are asked for, or those before one that was blocked, have left what they leave."""
    dataset = Dataset(request.dataset)
    if not report.is_blocked and any(report.stage(stage) is None for stage in wanted_stages(request)):
        return False
    if report.stage("episode") is not None and version not in dataset.published(request.episode):
        return False
    return not _has_film(report) or dataset.preview_path(request.episode, version).is_file()


def _finished_version(request: IngestRequest, *, profile_name: str, taken: Fingerprint | None) -> str | None:
    """The version by which an episode is finished; None where it is not."""
    if request.is_forced:
        return None
    dataset = Dataset(request.dataset)
    try:
        note = read_note(dataset.fingerprint_path(request.episode))
        said = note.get(_FINISHED)
        if not isinstance(said, dict) or said["profile"] != profile_name:
            return None
        version, stages = str(said["version"]), said["stages"]
        stands = (
            (said.get("duplicate_of") is not None or all(stage in stages for stage in wanted_stages(request)))
            and note["fingerprint"] == (taken or fingerprint(request.recording))
            and ("episode" not in stages or is_episode(dataset.episode_path(request.episode, version)))
            and dataset.report_path(request.episode, version).is_file()
            and (not said["has_film"] or dataset.preview_path(request.episode, version).is_file())
            and not dataset.quarantine_path(request.episode).exists()
            and said.get("duplicate_of")
            == original_now(dataset, content_hash=str(note["content_hash"]), episode=request.episode)
        )
    except (BagmillError, OSError, KeyError, TypeError):
        return None
    return version if stands else None


def _profile_name(request: IngestRequest) -> str:
    """A name for everything but the recording that a version is taken over."""
    return episode_version("", request.profile)


def _has_film(report: EpisodeReport) -> bool:
    return report.stage("preview") is not None and any(feature.kind != "signal" for feature in report.features)
