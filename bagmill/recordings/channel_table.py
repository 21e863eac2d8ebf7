"""A container's connections and channel records folded into channels."""

from __future__ import annotations

from collections.abc import Mapping

from bagmill.recordings.records import Channel

_ROS_SCHEMAS = frozenset({"ros1msg", "ros2msg", "ros2idl"})
_ROS_MESSAGES = frozenset({"cdr", "ros1"})


class ChannelTable:
    """Channels by id: two that agree in topic, schema and encodings are one."""

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
        if len(self._snapshot) != len(self._channels):
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
            schema_name = ros2_schema_name(schema_name)
        key = (topic, schema_name, schema_encoding, schema_data, message_encoding)
        channel_id = self._ids.setdefault(key, len(self._channels))
        if channel_id == len(self._channels):
            self._channels.append(
                Channel(
                    id=channel_id,
                    topic=topic,
                    schema_name=schema_name,
                    schema_encoding=schema_encoding,
                    schema_data=schema_data,
                    message_encoding=message_encoding,
                    metadata=dict(metadata),
                )
            )
        return channel_id


def ros2_schema_name(name: str) -> str:
    """`sensor_msgs/Image`, as ROS 1 and some ROS 2 writers have it, in its full form `sensor_msgs/msg/Image`."""
    package, slash, message = name.partition("/")
    return f"{package}/msg/{message}" if slash and package and message and "/" not in message else name
