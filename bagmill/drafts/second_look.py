"""What of a recording is looked at twice before a profile is drafted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bagmill.drafts.candidates import find_candidates
from bagmill.drafts.depth_units import wanted_units
from bagmill.drafts.look import Progress, RecordingValues, WantedField, look_at
from bagmill.drafts.parts import wanted_fields
from bagmill.drafts.robot_description import description_channels
from bagmill.drafts.stamp_fields import stamp_of_field, wanted_stamps
from bagmill.profile import StampSpec
from bagmill.recordings import open_recording
from bagmill.streams import RecordingIndex, restamped


def look_again(index: RecordingIndex, *, progress: Progress | None = None) -> RecordingValues:
    """Read a bounded sample of every value that a draft may be about.

    Args:
        index: The recording's scan; its files must still be where they were.
        progress: Called now and then with the messages done and the messages there are.

    Raises:
        RecordingError: The recording cannot be read.
    """
    candidates, _ = find_candidates(index)
    if not candidates:
        return RecordingValues()
    numeric = [one for one in candidates if one.role not in ("image", "depth")]
    wanted = [field for one in numeric for field in wanted_fields(one)]
    stamps = wanted_stamps(numeric)
    if any(one.role == "depth" for one in candidates):
        wanted += wanted_units(index)
    values = look_at(
        index,
        list(dict.fromkeys([*wanted, *stamps])),
        text_channels=description_channels(index),
        cameras=[one.stream.channel.id for one in candidates if one.role in ("image", "depth")],
        progress=progress,
    )
    return _with_stamps(values, index, stamps)


def _with_stamps(values: RecordingValues, index: RecordingIndex, wanted: Sequence[WantedField]) -> RecordingValues:
    """The same with the stamps that were found inside the messages, which are read for it once more."""
    found: dict[str, StampSpec] = {}
    for one in wanted:
        stream = index.streams[one.channel_id]
        stamp = stamp_of_field(stream, one, values.fields.get(one))
        if stamp is not None:
            found.setdefault(stream.channel.topic, stamp)
    if not found:
        return values
    with open_recording(index.path) as recording:
        own = restamped(index, recording, list(found.items())).own_stamps
    streams = tuple(
        replace(stream, header_time_ns=own[stream.channel.topic, found[stream.channel.topic]])
        if stream.channel.topic in found
        else stream
        for stream in index.streams
    )
    return replace(values, stamps=found, restamped=replace(index, streams=streams))
