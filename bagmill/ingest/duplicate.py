"""The same recording twice: renamed, moved, or uploaded again.

Its bytes say so, once it is scanned: the dataset keeps a small file for each content hash, with the episode that counts.
That episode is the first one that was scanned. It stays the one as long as its recording lies where it lay and nothing
speaks against it. Otherwise:

- Its recording is gone, and what it was made into is just what the second one asks for: the recording was renamed. The
  episode stays as it is published, and notes where its recording lies now.
- Its recording is gone, and where the second one lies another profile holds: the recording was moved there to be ingested
  so. The second becomes an episode by itself, and from then on it is the one that counts.
- The first one's recording is another by now, or was refused for what is in it: the second becomes an episode likewise.

A snapshot takes from every recording the one episode that counts.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bagmill.dataset import (
    Dataset,
    KnownRecording,
    load_report,
    note_if_new,
    note_known,
    read_known,
    read_quarantine,
    save_report,
)
from bagmill.episodes import episode_version
from bagmill.errors import StorageError
from bagmill.ingest.fingerprint import Fingerprint, read_note, write_note
from bagmill.ingest.request import IngestRequest


def find_original(request: IngestRequest, *, content_hash: str, taken: Fingerprint) -> str | None:
    """Say which episode the recording is ingested as already, and note what was found out.

    Args:
        request: Whose recording was scanned.
        content_hash: Of that recording.
        taken: Its fingerprint when it was scanned.

    Returns:
        None where this episode is the one that counts.

    Raises:
        StorageError: The disk does not take the note.
    """
    dataset = Dataset(request.dataset)
    ours = KnownRecording(content_hash, request.episode, str(request.recording.absolute()), request.episode)
    known = note_if_new(dataset, ours)
    if known.episode != request.episode:
        if _stands(dataset, known):
            if Path(known.place).exists():
                return known.episode
            if _follow(request, known, taken=taken):
                note_known(dataset, replace(ours, episode=known.episode))
                return known.episode
        note_known(dataset, ours)
    elif known.place != ours.place:
        note_known(dataset, ours)
    return None


def original_now(dataset: Dataset, *, content_hash: str, episode: str) -> str | None:
    """The episode that a recording counts as instead of this one, as far as a look can tell.

    Returns:
        None where it counts as this one; empty where it counted as another that no longer stands for it.
    """
    known = read_known(dataset, content_hash)
    if known is None or known.episode == episode:
        return None
    return known.episode if _stands(dataset, known) and Path(known.place).exists() else ""


def place_of(dataset: Dataset, episode: str) -> KnownRecording | None:
    """What is known of the recording that an episode was last made from; None where nothing is."""
    content_hash = read_note(dataset.fingerprint_path(episode)).get("content_hash")
    return read_known(dataset, str(content_hash)) if content_hash else None


def _stands(dataset: Dataset, known: KnownRecording) -> bool:
    """Whether an episode is still of that recording, and was not refused for what is in it."""
    if read_note(dataset.fingerprint_path(known.episode)).get("content_hash") != known.content_hash:
        return False
    try:
        refusal = read_quarantine(dataset, known.episode)
    except StorageError:
        return False
    return refusal is None or refusal.is_passing


def _follow(request: IngestRequest, known: KnownRecording, *, taken: Fingerprint) -> bool:
    """Have an episode whose recording was renamed say where it lies now; False where it is not what is asked for here."""
    dataset = Dataset(request.dataset)
    version = episode_version(known.content_hash, request.profile)
    try:
        report = load_report(dataset, known.episode, version=version)
    except StorageError:
        return False
    if report.is_blocked or version not in dataset.published(known.episode):
        return False
    save_report(dataset, replace(report, recording_path=str(request.recording)))
    memory = dataset.fingerprint_path(known.episode)
    write_note(memory, read_note(memory) | {"fingerprint": taken})
    return True
