"""Channels whose definitions are completed by those that a user gives."""

from __future__ import annotations

from dataclasses import replace

from bagmill.definitions import GivenDefinitions, UnreadableDefinitionError
from bagmill.recordings.records import Channel

GIVE_DEFINITIONS = (
    "Give the folder of its .msg files: `definitions: FOLDER` in the profile, `--definitions FOLDER` of `bagmill scan` and "
    "`bagmill profile`"
)
_MSG_ENCODINGS = {"cdr": "ros2msg", "ros1": "ros1msg"}


def with_definitions(channel: Channel, given: GivenDefinitions | None) -> Channel:
    """The channel with what its definition lacks.

    What the recording itself says counts before what is given, unless it cannot be read.

    Args:
        channel: As recorded.
        given: None: nothing is.
    """
    encoding = _MSG_ENCODINGS.get(channel.message_encoding)
    if given is None or encoding is None or channel.schema_encoding not in ("", encoding):
        return channel
    try:
        text = given.completed(channel.schema_name, channel.schema_data.decode(errors="replace"))
    except UnreadableDefinitionError:
        try:
            text = given.completed(channel.schema_name, "")
        except UnreadableDefinitionError:
            return channel  # its decoder says what cannot be read
    data = text.encode()
    if not text or data == channel.schema_data:
        return channel
    return replace(channel, schema_encoding=encoding, schema_data=data)
