"""How many metres a depth camera's count is, where the recording says it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bagmill.drafts.look import RecordingValues, WantedField
from bagmill.streams.index import RecordingIndex, Stream

_UNITS_WORD = re.compile(r"depth_?(units?|scale)", re.IGNORECASE)
_LEAST_M, _MOST_M = 1e-6, 0.1
"""A count of a depth camera is between these."""


def wanted_units(index: RecordingIndex) -> list[WantedField]:
    """The fields that may say it: RealSense's `/option/Depth_Units/value`, a calibration's `depth_scale`."""
    return [WantedField(stream.channel.id, path) for stream in index.streams for path in _unit_fields(stream)]


def recorded_scale(camera: Stream, *, index: RecordingIndex, values: RecordingValues) -> tuple[float, str] | None:
    """Metres a count and the topic that says so; None where the recording does not say, or says nothing that can be.

    Of several, the one whose topic begins most like the camera's.
    """
    found: list[tuple[int, float, str]] = []
    for wanted in wanted_units(index):
        seen = values.fields.get(wanted)
        topic = index.streams[wanted.channel_id].channel.topic
        if seen is None or seen.usual_width != 1 or seen.lowest != seen.highest:
            continue
        if _LEAST_M <= seen.lowest <= _MOST_M:
            # A float32 of 0.00025 is 0.0002500000118…: what was meant has few digits.
            found.append((_shared_words(topic, camera.channel.topic), float(f"{seen.lowest:.6g}"), topic))
    if not found:
        return None
    _, scale_m, topic = max(found)
    return scale_m, topic


def _unit_fields(stream: Stream) -> Iterator[str]:
    if not stream.num_messages or stream.content.kind != "numeric":
        return
    is_about_units = bool(_UNITS_WORD.search(stream.channel.topic))
    for path, size in stream.content.fields.items():
        if size == 1 and (_UNITS_WORD.search(path) or (is_about_units and path in ("data", "value"))):
            yield path


def _shared_words(topic: str, other: str) -> int:
    count = 0
    for word, its in zip(topic.strip("/").split("/"), other.strip("/").split("/"), strict=False):
        if word != its:
            break
        count += 1
    return count
