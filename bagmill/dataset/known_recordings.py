"""Which episode a recording counts as, by what it holds: the same bytes twice are one episode, whatever they are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bagmill.dataset.folder import Dataset
from bagmill.dataset.json_records import from_json, to_json
from bagmill.dataset.whole_file import read_file, write_new, write_whole

SCHEMA: Final = "bagmill-known-recording-1"


@dataclass(frozen=True, slots=True)
class KnownRecording:
    """A recording that was scanned."""

    content_hash: str
    episode: str
    """The one episode that it counts as."""
    place: str
    """Its path when it was last read."""
    name: str
    """The name that an episode of a recording in that place has: another than `episode` once the recording was renamed."""


def read_known(dataset: Dataset, content_hash: str) -> KnownRecording | None:
    """What is known of a recording; None where nothing legible is: it is noted anew then."""
    try:
        data = read_file(dataset.known_recording_path(content_hash))
        return from_json(data, KnownRecording, schema=SCHEMA)
    except (OSError, ValueError):
        return None


def note_known(dataset: Dataset, known: KnownRecording) -> None:
    """Note which episode a recording counts as, in place of what was noted.

    Raises:
        StorageError: The disk does not take it.
    """
    if read_known(dataset, known.content_hash) != known:
        write_whole(dataset.known_recording_path(known.content_hash), to_json(known, schema=SCHEMA))


def note_if_new(dataset: Dataset, known: KnownRecording) -> KnownRecording:
    """Note a recording that nothing is known of.

    Returns:
        What is known of it now: where two episodes of the same recording are made at once, this says which came first.

    Raises:
        StorageError: The disk does not take it.
    """
    if not write_new(dataset.known_recording_path(known.content_hash), to_json(known, schema=SCHEMA)):
        found = read_known(dataset, known.content_hash)
        if found is not None:
            return found
        note_known(dataset, known)  # it is damaged
    return known


def counts_elsewhere(dataset: Dataset, *, content_hash: str | None, episode: str) -> bool:
    """Whether a recording counts as another episode than this one."""
    known = None if content_hash is None else read_known(dataset, content_hash)
    return known is not None and known.episode != episode
