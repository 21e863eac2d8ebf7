"""JPEG through Pillow: slower than TurboJPEG, and reads every header that libjpeg reads.

TurboJPEG gives up at what libjpeg only warns of in a header: bytes between segments, an unknown revision of JFIF.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL.JpegImagePlugin import JpegImageFile

from bagmill.codecs.jpeg_segments import without_metadata
from bagmill.errors import CodecError

if TYPE_CHECKING:
    from bagmill.codecs.jpeg_header import Buffer


def open_by_pillow(data: Buffer) -> JpegImageFile:
    """A JPEG whose header Pillow has read, and whose picture it has not decoded yet.

    Raises:
        CodecError: Pillow cannot read it.
    """
    try:
        # Not by `Image.open`, and without what the camera says beside the picture: Pillow looks for further pictures behind
        # the first and for the resolution in EXIF, and warns where it finds half of them.
        return JpegImageFile(io.BytesIO(without_metadata(memoryview(data))))  # type: ignore[arg-type]  # an ndarray is a buffer
    except MemoryError:
        raise  # of the whole process: these bytes are not to blame for it
    except Exception as err:  # SyntaxError, OSError, struct.error… on damage
        raise CodecError(f"a damaged JPEG ({err})") from err


def decode_by_pillow(data: Buffer, *, divisor: int = 1) -> NDArray[np.uint8]:
    """Decode a picture; a gray one is given as three equal channels.

    Args:
        data: The file's bytes.
        divisor: 1, 2, 4 or 8, by which libjpeg makes the picture smaller.

    Returns:
        (H', W', 3) uint8, H' = ⌈H / divisor⌉.

    Raises:
        CodecError: The file is damaged, or breaks off.
    """
    image = open_by_pillow(data)
    try:
        if divisor > 1:
            # It takes the largest divisor that leaves at least these.
            image.draft("RGB", (max(image.width // divisor, 1), max(image.height // divisor, 1)))
        return np.asarray(image.convert("RGB"))
    except MemoryError:
        raise  # of the whole process: these bytes are not to blame for it
    except Exception as err:  # as above
        raise CodecError(f"a damaged JPEG ({err})") from err
