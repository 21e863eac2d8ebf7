"""What a channel's schema is called and holds in an MCAP file.

Source: MCAP format specification, registry of message and schema encodings, https://mcap.dev/spec/registry
"""

from __future__ import annotations

from typing import NamedTuple

from bagmill.definitions import GivenDefinitions, full_name
from bagmill.messages import with_definitions
from bagmill.messages.standard_types import standard_store
from bagmill.recordings import Channel

_ROS_VERSIONS = {"ros1": 1, "cdr": 2}


class McapSchema(NamedTuple):
    """A schema record's content; without a name and data where the channel has none."""

    name: str
    encoding: str
    data: bytes


def schema_of(channel: Channel, given: GivenDefinitions | None) -> McapSchema:
    """A channel's schema: the recording's own, completed by what is given, or one of ROS's own types.

    Args:
        channel: As it was read.
        given: Definitions for what the recording does not define itself.
    """
    channel = with_definitions(channel, given)
    name, encoding, data = channel.schema_name, channel.schema_encoding, channel.schema_data
    version = _ROS_VERSIONS.get(channel.message_encoding)
    if version is not None and name and not data:
        encoding, data = _standard_definition(name, channel.message_encoding, version)
    if encoding == "ros1msg":  # ROS 1 names its types without the folder that they lie in
        name = "/".join(part for place, part in enumerate(name.split("/")) if (place, part) != (1, "msg"))
    return McapSchema(name, encoding, data)


def _standard_definition(name: str, message_encoding: str, version: int) -> tuple[str, bytes]:
    """Encoding and text of one of ROS's own types; empty where it is none of them."""
    store = standard_store(full_name(name), message_encoding=message_encoding)
    if store is None:
        return "", b""
    text, _ = store.generate_msgdef(full_name(name), ros_version=version)
    return f"ros{version}msg", text.encode()
