"""A container's connections and channel records folded into channels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from bagmill.definitions import full_name, fuller, means_the_same
from bagmill.limits import limits
from bagmill.recordings.records import Channel

_ROS_SCHEMAS = frozenset({"ros1msg", "ros2msg", "ros2idl"})
_ROS_MESSAGES = frozenset({"cdr", "ros1"})
_COMPARISON_BYTES = 256
"""What comparing two definitions counts for besides their own bytes."""


class ChannelTable:
    """Channels by id: two that agree in topic, type and encoding, and whose definitions mean the same, are one.

    Definitions are compared without comments, empty lines and the order of their sections; what one lacks is taken from the
    other. Two that differ in a field are two channels.
    """

    def __init__(self) -> None:
        self._channels: list[Channel] = []
        self._ids: dict[tuple[str, str, str, bytes, str], int] = {}
        self._ids_of_topic: dict[str, list[int]] = {}
        self._num_connections: Counter[str] = Counter()
        """By topic: those that are not the same byte by byte."""
        self._schemas: set[tuple[str, str, bytes]] = set()
        self._num_bytes = 0
        self._num_compared = 0
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

        Raises:
            LimitError: It is one channel, or one schema, too many, or what it says of itself is too long.
        """
        if schema_encoding in _ROS_SCHEMAS or message_encoding in _ROS_MESSAGES:
            schema_name = full_name(schema_name)
        key = (topic, schema_name, schema_encoding, schema_data, message_encoding)
        if key not in self._ids:
            self._check(key, metadata)
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
        ids = self._ids_of_topic.setdefault(found.topic, [])
        for channel in map(self._channels.__getitem__, ids):
            self._num_compared += len(channel.schema_data) + len(schema.data) + _COMPARISON_BYTES
            limits().check("compared_bytes", self._num_compared, what=f"what has to be compared for {found.topic}")
            if means_the_same(channel.schema, schema):
                full = fuller(channel.schema, schema)
                if full.data != channel.schema_data:
                    self._channels[channel.id] = replace(channel, schema_encoding=full.encoding, schema_data=full.data)
                    self._snapshot = ()
                return channel.id
        self._channels.append(found)
        ids.append(found.id)
        return found.id

    def _check(self, key: tuple[str, str, str, bytes, str], metadata: Mapping[str, str]) -> None:
        """Hold a connection that is not known yet against the limits, before anything looks into its definition."""
        topic, schema_name, schema_encoding, schema_data, message_encoding = key
        table = limits()
        names = (topic, schema_name, schema_encoding, message_encoding)
        table.check("name_bytes", max(map(len, names)), what="the length of a topic's or a type's name")
        table.check("schema_bytes", len(schema_data), what=f"the size of the schema of {topic}")
        self._num_connections[topic] += 1
        num_of_topic = self._num_connections[topic]
        table.check("channels_of_topic", num_of_topic, what=f"the number of different channels of {topic}")
        table.check("channels", len(self._ids) + 1, what="the number of different channels")
        schema = (schema_name, schema_encoding, schema_data)
        if schema not in self._schemas:
            self._schemas.add(schema)
            self._num_bytes += len(schema_data)
            table.check("schemas", len(self._schemas), what="the number of different schemas")
        self._num_bytes += sum(map(len, names)) + sum(len(name) + len(value) for name, value in metadata.items())
        table.check("description_bytes", self._num_bytes, what="the size of all names, schemas and metadata together")
