"""Numbers inside messages without a header that are evidently their stamps: PX4's `timestamp`, a `time` in seconds."""

from __future__ import annotations

from collections.abc import Sequence

from bagmill.drafts.candidates import Candidate
from bagmill.drafts.inventory import is_stamp_name
from bagmill.drafts.look import WantedField
from bagmill.drafts.pace import measure_pace
from bagmill.drafts.values import FieldValues
from bagmill.profile import StampSpec
from bagmill.streams.index import Stream

_NS_PER_UNIT = {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0}
_WITHIN = 0.15
"""Of the time by log: a sample does not reach to the last message."""
_FEWEST = 10
_UNIX_NS = (946_684_800_000_000_000, 4_102_444_800_000_000_000)
"""2000 to 2100."""


def wanted_stamps(candidates: Sequence[Candidate]) -> list[WantedField]:
    """The fields that may be stamps, of channels whose messages carry none in a header."""
    return [
        WantedField(candidate.stream.channel.id, path, is_stamp=True)
        for candidate in candidates
        if not candidate.stream.has_header_stamps and candidate.stream.num_messages >= _FEWEST
        for path in _named_like_stamps(candidate.stream)
    ]


def stamp_of_field(stream: Stream, wanted: WantedField, seen: FieldValues | None) -> StampSpec | None:
    """What a field counts if it is a stamp: it rises with the log's time, in one of the units that stamps have.

    Args:
        stream: The channel's.
        wanted: The field.
        seen: Its values; None where nobody looked.
    """
    pace = measure_pace(stream.log_time_ns)
    duration_ns = pace.end_ns - pace.start_ns
    if seen is None or seen.usual_width != 1 or not seen.is_rising or seen.num_unreadable or not duration_ns:
        return None
    for unit, ns in _NS_PER_UNIT.items():
        if abs((seen.highest - seen.lowest) * ns / duration_ns - 1) <= _WITHIN:
            is_unix = _UNIX_NS[0] <= seen.lowest * ns <= _UNIX_NS[1]
            return StampSpec.model_validate(
                {"field": wanted.path, "unit": unit, "epoch": "unix" if is_unix else "boot"}
            )
    return None


def _named_like_stamps(stream: Stream) -> list[str]:
    paths = [
        path for path, size in stream.content.fields.items() if size == 1 and "[" not in path and is_stamp_name(path)
    ]
    # `timestamp` before `timestamp_sample`: when the message was made is told beside every other message's.
    return sorted(paths, key=lambda path: (path.count("."), len(path)))
