"""sensor_msgs/Image: uncompressed pixels, from CDR or ROS 1 serialisation."""

from __future__ import annotations

from bagmill.messages.payload import ImagePayload, raw_payload
from bagmill.messages.wire import WireReader
from bagmill.recordings.records import Buffer


def read_image(data: Buffer, *, message_encoding: str) -> ImagePayload:
    """The picture in a sensor_msgs/Image, as a view into the message.

    Bytes behind the message are fine: RealSense's recorder leaves four there.

    Args:
        data: The payload.
        message_encoding: `cdr` or `ros1`.

    Raises:
        DecodeError: Cut off, of an unknown pixel encoding, or with fewer pixels than it says.

    Source: sensor_msgs/msg/Image of ROS 1 and ROS 2.
    """
    reader = WireReader(data, message_encoding=message_encoding)
    reader.skip_header()
    height, width = reader.uint32(), reader.uint32()
    encoding = reader.string()
    is_bigendian = reader.uint8() != 0
    step = reader.uint32()
    pixels = reader.byte_sequence()
    return raw_payload(pixels, encoding=encoding, height=height, width=width, step=step, is_bigendian=is_bigendian)
