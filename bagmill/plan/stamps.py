"""Which stamps inside the messages a profile goes by, beside those in their headers."""

from __future__ import annotations

from bagmill.errors import DecodeError
from bagmill.messages.field_path import FieldPath, Selector, follow, parse_field_path, spell
from bagmill.messages.tree import is_list, is_stamp
from bagmill.plan.streams import clock_of
from bagmill.profile import PartSpec, Profile, StampSpec
from bagmill.streams.index import RecordingIndex, Stream


def stamps_wanted(profile: Profile, index: RecordingIndex) -> set[tuple[str, StampSpec]]:
    """(topic, where in its messages) of every stamp that is to be read before the plan can be made."""
    wanted: set[tuple[str, StampSpec]] = set()
    for spec in profile.features.values():
        for part in spec.sources:
            for stream in index.streams_of(part.channel):
                stamp = stamp_of(part, profile, stream)
                if stamp is not None and stream.num_messages:
                    wanted.add((part.channel, stamp))
    return wanted


def stamp_of(part: PartSpec, profile: Profile, stream: Stream) -> StampSpec | None:
    """Where a part's stamp is; None where it goes by the message's own header, or by another clock.

    An element that is chosen from a list of stamped messages goes by its own stamp, not by that of the list's first.
    """
    if part.stamp is not None or clock_of(part, profile) != "header" or not part.field:
        return part.stamp
    try:
        path = parse_field_path(part.field)
    except DecodeError:
        return None
    for position, step in enumerate(path.steps):
        if isinstance(step, Selector | int) and position + 1 < len(path.steps):
            elements, own = path.steps[:position], (*path.steps[: position + 1], "header", "stamp")
            if _has_several(path.with_steps(elements), path.with_steps(own), stream):
                return StampSpec(field=spell(own))
    return None


def _has_several(elements: FieldPath, own: FieldPath, stream: Stream) -> bool:
    """Whether a message's list has several elements, and the one that is wanted has a stamp."""
    has_several = has_stamp = False
    for content in stream.contents:
        if content.example is None:
            continue
        try:
            value = follow(content.example, elements)
            has_several |= is_list(value) and len(value) > 1
            has_stamp |= is_stamp(follow(content.example, own))
        except DecodeError:
            continue
    return has_several and has_stamp
