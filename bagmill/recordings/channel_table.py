"""A container's connections and channel records folded into channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bagmill.definitions import full_name, fuller, means_the_same
from bagmill.recordings.records import Channel

_ROS_SCHEMAS = frozenset({"ros1msg", "ros2msg", "ros2idl"})
_ROS_MESSAGES = frozenset({"cdr", "ros1"})


class ChannelTable:
    """Channels by id: two that agree in topic, type and encoding, and whose definitions mean the same, are one.

    Definitions are compared without comments, empty lines and the order of their sections; what one lacks is taken from the
    other. Two that differ in a field are two channels.
    """

    def __init__(self) -> None:
        self._channels: list[Channel] = []
        self._ids: dict[tuple[str, str, str, bytes, str], int] = {}
        self._snapshot: tuple[Channel, ...] = ()

    def __len__(self) -> int:
        return len(self._channels)

    def __getitem__(self, channel_id: int) -> Channel:
        return self._channels[channel_id]

    @property
    def channels(self) -> tuple[Channel, ...]:
        """By id."""
        if len(self._snapshot) != len(self._channels):  # empty, too, once a definition was completed
            self._snapshot = tuple(self._channels)
        return self._snapshot

    def fold(
        self,
        topic: str,
        *,
        schema_name: str,
        schema_encoding: str,
        schema_data: bytes,
        message_encoding: str,
        metadata: Mapping[str, str],
    ) -> int:
        """Id of the channel that this connection belongs to: a new one at its first appearance.

        Args:
            topic: Name as recorded.
            schema_name: Name as recorded; ROS names come out in their ROS 2 form.
            schema_encoding: As in `Channel`.
            schema_data: The definition's own bytes.
            message_encoding: As in `Channel`.
            metadata: Kept from the first connection of a channel.
        """
        if schema_encoding in _ROS_SCHEMAS or message_encoding in _ROS_MESSAGES:
            schema_name = full_name(schema_name)
        key = (topic, schema_name, schema_encoding, schema_data, message_encoding)
        if key not in self._ids:
            found = Channel(
                id=len(self._channels),
                topic=topic,
                schema_name=schema_name,
                schema_encoding=schema_encoding,
                schema_data=schema_data,
                message_encoding=message_encoding,
                metadata=dict(metadata),
            )
            self._ids[key] = self._joined(found)
        return self._ids[key]

    def _joined(self, found: Channel) -> int:
        """Id of the channel that a connection belongs to, which takes over what its definition lacked."""
        schema = found.schema
        for channel in self._channels:
            if channel.topic == found.topic and means_the_same(channel.schema, schema):
                full = fuller(channel.schema, schema)
                if full.data != channel.schema_data:
                    self._channels[channel.id] = replace(channel, schema_encoding=full.encoding, schema_data=full.data)
                    self._snapshot = ()
                return channel.id
        self._channels.append(found)
        return found.id
