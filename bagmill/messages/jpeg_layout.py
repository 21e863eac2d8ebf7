"""Where the JPEG stands in one message, so that the messages laid out like it need no decoder."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from bagmill.codecs.jpeg_header import header_of
from bagmill.codecs.jpeg_segments import END
from bagmill.messages.wire import BIG_ENDIAN, UINT32, WireReader
from bagmill.recordings.records import Buffer, Channel

_STAMP_BYTES = slice(4, 12)
"""In CDR behind the encapsulation, in ROS 1 behind the header's counter."""
_MAX_LAYOUTS = 16
"""To be found in one channel: where every message has another, finding them would be work for nothing."""


class UsualJpeg:
    """The JPEGs of a channel that mostly sends messages laid out alike. Safe to use from several threads.

    Args:
        channel: Any channel of pictures.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._layout: JpegLayout | None = None
        self._num_layouts_left = _MAX_LAYOUTS

    def learn(self, data: Buffer) -> None:
        """Take a payload as an example: one that the channel's `image_decoder` accepts, with a JPEG in it."""
        if self._num_layouts_left:
            self._num_layouts_left -= 1
            self._layout = JpegLayout.of(data, self._channel)

    def find(self, data: Buffer) -> memoryview | None:
        """The JPEG in a message that is laid out as the latest example is: with the same size and colours, and an end.

        Returns:
            A view; None for any other message, a picture or not.
        """
        return None if self._layout is None else self._layout.jpeg(data)


@dataclass(frozen=True, slots=True)
class JpegLayout:
    """One message's layout. A message fits if only its stamps, the JPEG's entropy-coded data and its length are its own."""

    _start: int
    """Where the JPEG begins."""
    _encapsulation: bytes
    """What CDR begins with; empty in ROS 1."""
    _texts: bytes
    """From behind the stamp to the JPEG's length."""
    _header: bytes
    """The JPEG's own, up to its entropy-coded data."""
    _length: Struct

    @classmethod
    def of(cls, data: Buffer, channel: Channel) -> JpegLayout | None:
        """The layout of one message.

        Args:
            data: A payload that the channel's `image_decoder` accepts.
            channel: Any.

        Returns:
            None where the JPEG has no fixed place in the channel's messages, or no header that others could share.
        """
        if channel.schema_name != "sensor_msgs/msg/CompressedImage":
            return None
        reader = WireReader(data, message_encoding=channel.message_encoding)
        reader.skip_header()
        reader.byte_sequence()
        file = reader.byte_sequence()
        header = header_of(file)
        start = len(data) - len(file)
        if header is None or reader.position != len(reader.data):
            return None
        head = bytes(data[:start])
        return cls(
            _start=start,
            _encapsulation=head[: _STAMP_BYTES.start] if reader.is_cdr else b"",
            _texts=head[_STAMP_BYTES.stop : start - 4],
            _header=header,
            _length=UINT32["big" if reader.is_cdr and head[:2] == BIG_ENDIAN else "little"],
        )

    def jpeg(self, data: Buffer) -> memoryview | None:
        """The JPEG in a message that fits, as a view; it has the same size and colours as the layout's, and an end.

        Args:
            data: Any payload of the channel.

        Returns:
            None where the message does not fit: it may still be a whole picture.
        """
        start = self._start
        head = bytes(data[: start + len(self._header)])
        if (
            head[start:] == self._header
            and head[_STAMP_BYTES.stop : start - 4] == self._texts
            and head.startswith(self._encapsulation)
            and self._length.unpack_from(head, start - 4)[0] == len(data) - start
            and data[-len(END) :] == END
        ):
            return memoryview(data)[start:]
        return None
