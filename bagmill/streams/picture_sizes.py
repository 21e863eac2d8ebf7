"""Cameras that change their pictures' size or encoding within a recording, in words."""

from __future__ import annotations

import numpy as np

from bagmill.messages import UNREADABLE
from bagmill.messages.content import ChannelContent
from bagmill.streams.index import Stream

_MOST_SHOWN = 4


def picture_text(content: ChannelContent) -> str:
    """`640×480 jpeg`: one form of a channel's pictures."""
    return f"{content.width}×{content.height} {content.encoding}"


def mixed_pictures(stream: Stream) -> str:
    """`412 of 417 pictures are 640×480 jpeg, 3 are 320×240 jpeg, 2 cannot be read`; empty where all are of one form.

    Args:
        stream: Of a channel of pictures.
    """
    counts = stream.num_messages_by_form
    order = sorted(range(len(stream.contents)), key=lambda form: -counts[form])
    parts = [f"{_are(counts[form])} {picture_text(stream.contents[form])}" for form in order[:_MOST_SHOWN]]
    if rest := int(sum(counts[form] for form in order[_MOST_SHOWN:])):
        parts.append(f"{_are(rest)} of {len(order) - _MOST_SHOWN} other kinds")
    if num_unreadable := int(np.count_nonzero(stream.form == UNREADABLE)):
        parts.append(f"{num_unreadable:,} cannot be read")
    if len(parts) < 2:
        return ""
    number, _, of = parts[0].partition(" ")
    return ", ".join([f"{number} of {stream.num_messages:,} pictures {of}", *parts[1:]])


def _are(count: int) -> str:
    return f"{count:,} {'is' if count == 1 else 'are'}"
