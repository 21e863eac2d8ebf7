"""Which schemas are pictures, and what reads them."""

from __future__ import annotations

from collections.abc import Callable

from bagmill.errors import DecodeError
from bagmill.messages.compressed_image import read_compressed_image
from bagmill.messages.foreign import guarded
from bagmill.messages.foxglove import foxglove_reader
from bagmill.messages.image import read_image
from bagmill.messages.payload import ImagePayload
from bagmill.recordings.records import Buffer, Channel

_ROS = ("cdr", "ros1")
_ENCODINGS = {
    "sensor_msgs/msg/Image": _ROS,
    "sensor_msgs/msg/CompressedImage": _ROS,
    "foxglove.RawImage": ("protobuf", "json"),
    "foxglove.CompressedImage": ("protobuf", "json"),
    "foxglove_msgs/msg/RawImage": _ROS,
    "foxglove_msgs/msg/CompressedImage": _ROS,
}
_VIDEO = (
    "foxglove.CompressedVideo",
    "foxglove_msgs/msg/CompressedVideo",
    "ffmpeg_image_transport_msgs/msg/FFMPEGPacket",
)


def is_image_schema(channel: Channel) -> bool:
    """Whether a channel's messages are pictures, of a kind that can be decoded or not."""
    return channel.schema_name in _ENCODINGS or channel.schema_name in _VIDEO


def image_decoder(channel: Channel) -> Callable[[Buffer], ImagePayload]:
    """Payload → picture, for a channel of pictures.

    Returns:
        A decoder that may be called from several threads at once. It raises DecodeError where a payload is damaged or
        its pixels are of an encoding that is not supported; what it returns can be read by `to_rgb` or `to_depth`, and
        is a view into the payload.

    Raises:
        DecodeError: The channel's messages are no pictures, or of a kind that cannot be decoded.
    """
    name = channel.schema_name
    if name in _VIDEO:
        raise DecodeError(
            f"{name} is video: its messages depend on each other, and cannot be decoded one by one",
            channel=channel.topic,
            remedy="Record the camera as JPEG, PNG or uncompressed pictures",
        )
    supported = _ENCODINGS.get(name)
    if supported is None:
        raise DecodeError(
            f"messages of {name or 'no schema'} are no pictures",
            channel=channel.topic,
            remedy=f"Supported: {', '.join(_ENCODINGS)}",
        )
    if channel.message_encoding not in supported:
        raise DecodeError(
            f"{name} with message encoding {channel.message_encoding!r} cannot be decoded",
            channel=channel.topic,
            remedy=f"Supported: {', '.join(supported)}",
        )
    return guarded(_reader(channel), channel)


def _reader(channel: Channel) -> Callable[[Buffer], ImagePayload]:
    package, _, kind = channel.schema_name.replace(".", "/").partition("/")
    is_compressed = kind.endswith("CompressedImage")
    if package.startswith("foxglove"):
        return foxglove_reader(channel, is_compressed=is_compressed)
    read = read_compressed_image if is_compressed else read_image
    return lambda data: read(data, message_encoding=channel.message_encoding)
