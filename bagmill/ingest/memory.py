"""What earlier runs left that need not be made again."""

from __future__ import annotations

from dataclasses import replace

from bagmill.dataset import Dataset, EpisodeReport, load_report
from bagmill.episodes import episode_version
from bagmill.errors import StorageError
from bagmill.ingest.fingerprint import remembered_hash
from bagmill.ingest.request import IngestRequest, wanted_stages
from bagmill.streams import RecordingIndex, load_index


def recall_index(request: IngestRequest) -> RecordingIndex | None:
    """The index of the last scan, if the recording's files are those that were scanned; None: scan."""
    dataset = Dataset(request.dataset)
    content_hash = remembered_hash(request.recording, dataset.fingerprint_path(request.episode))
    if content_hash is None or request.is_forced:
        return None
    try:
        index = load_index(dataset.scan_path(request.episode))
    except StorageError:
        return None
    return replace(index, path=str(request.recording)) if index.content_hash == content_hash else None


def recall_report(request: IngestRequest, version: str) -> EpisodeReport | None:
    """The report of a version made earlier; None where there is none, or it is damaged, or it is to be made anew."""
    if request.is_forced:
        return None
    try:
        return load_report(Dataset(request.dataset), request.episode, version=version)
    except StorageError:
        return None


def recall_finished(request: IngestRequest) -> EpisodeReport | None:
    """The report of everything that is asked for, if all of it stands, or if it was found wanting before; reads no payload."""
    dataset = Dataset(request.dataset)
    content_hash = remembered_hash(request.recording, dataset.fingerprint_path(request.episode))
    if content_hash is None:
        return None
    version = episode_version(content_hash, request.profile)
    report = recall_report(request, version)
    if report is None:
        return None
    if not report.is_blocked and any(report.stage(stage) is None for stage in wanted_stages(request)):
        return None
    if report.stage("episode") is not None and version not in dataset.published(request.episode):
        return None
    has_film = report.stage("preview") is not None and any(f.kind != "signal" for f in report.features)
    if has_film and not dataset.preview_path(request.episode, version).is_file():
        return None
    return report
