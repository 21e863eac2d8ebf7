"""Channels of one topic that are not one channel: what sets them apart, in words."""

from __future__ import annotations

from collections.abc import Sequence

from bagmill.definitions import differences
from bagmill.recordings.records import Channel


def say_what_differs(channels: Sequence[Channel]) -> str:
    """Why the channels of one topic are not one: what differs between the first and each of the others.

    Args:
        channels: At least two, all of one topic.
    """
    first, *others = channels
    told = dict.fromkeys(differences(first.schema, other.schema) for other in others)
    what = "; ".join(filter(None, told))
    return f"{first.topic} was recorded with {len(channels)} different schemas: {what} (each needs a topic of its own)"
