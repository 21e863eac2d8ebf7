"""sensor_msgs/CompressedImage: a JPEG or PNG file in a message, told by the file's own first bytes."""

from __future__ import annotations

from bagmill.codecs.jpeg_header import jpeg_info
from bagmill.errors import CodecError, DecodeError
from bagmill.messages.compressed_depth import is_compressed_depth, read_compressed_depth
from bagmill.messages.payload import ImagePayload, check_size
from bagmill.messages.png import PNG_MAGIC, read_png_header
from bagmill.messages.wire import WireReader
from bagmill.recordings.records import Buffer

_JPEG_MAGIC = b"\xff\xd8\xff"


def read_compressed_image(data: Buffer, *, message_encoding: str) -> ImagePayload:
    """The file in a sensor_msgs/CompressedImage, as a view into the message.

    Args:
        data: The payload.
        message_encoding: `cdr` or `ros1`.

    Raises:
        DecodeError: Cut off, neither JPEG nor PNG, or a depth that is not exact.

    Source: sensor_msgs/msg/CompressedImage of ROS 1 and ROS 2.
    """
    reader = WireReader(data, message_encoding=message_encoding)
    reader.skip_header()
    format_text = reader.string()
    file = reader.byte_sequence()
    if is_compressed_depth(format_text):
        return read_compressed_depth(file, format_text=format_text)
    return compressed_payload(file, format_text=format_text)


def compressed_payload(file: memoryview, *, format_text: str) -> ImagePayload:
    """A payload of a compressed file, by what it is and not by what it is called.

    Drivers fill `format` in as they please (`jpeg`, `rgb8; jpeg compressed bgr8`, the wrong one): it is only quoted, but for
    Bayer patterns, which nothing else tells from gray pictures.

    Args:
        file: The file's bytes.
        format_text: What the message calls it.

    Raises:
        DecodeError: Neither JPEG nor PNG, broken off inside its header, or a Bayer pattern.
    """
    if file[:3] == _JPEG_MAGIC:
        try:
            info = jpeg_info(file)
        except CodecError as err:
            raise DecodeError(f"a damaged JPEG of {len(file)} bytes: {err.problem}") from err
        check_size(info.height, info.width)
        _refuse_mosaic(format_text, is_gray=info.num_components == 1)
        return ImagePayload("jpeg", info.height, info.width, 0, is_bigendian=False, data=file)
    if file[:8] == PNG_MAGIC:
        header = read_png_header(file)
        _refuse_mosaic(format_text, is_gray=header.is_gray)
        return ImagePayload("png", header.height, header.width, 0, is_bigendian=True, data=file)
    raise DecodeError(
        f"{len(file)} bytes of format {format_text!r} that are neither a JPEG nor a PNG file "
        f"(they begin {bytes(file[:4]).hex(' ') or 'with nothing'})",
        remedy="Supported: JPEG and PNG",
    )


def _refuse_mosaic(format_text: str, *, is_gray: bool) -> None:
    """Refuse a Bayer pattern that was compressed as if it were a gray picture, which compressed_image_transport does.

    Raises:
        DecodeError: It is one.
    """
    if is_gray and format_text.startswith("bayer_"):
        raise DecodeError(
            f"a picture of format {format_text!r} is a mosaic of single colours, not a gray picture",
            remedy="Record the camera's topic in colour (from image_proc or the driver), compressed or not",
        )
