"""Lossless frames: the pixels themselves under Zstandard, byte for byte what Zarr's `bytes` + `zstd` codecs write.

Source: Zarr v3 `bytes` codec (C order, little endian); Zstandard, RFC 8878.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar, cast

import numpy as np
import zstandard
from numcodecs import zstd
from numpy.typing import NDArray

from bagmill.errors import CodecError

ZSTD_LEVEL: Final = 3
"""On depth as cameras give it, higher levels cost several times the time and gain a few percent."""

Scalar = TypeVar("Scalar", np.uint8, np.uint16)


def encode_lossless(rgb: NDArray[np.uint8]) -> bytes:
    """Encode a picture (H, W, 3) uint8 without loss.

    Raises:
        CodecError: The array is no picture.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise CodecError(f"expected uint8 (H, W, 3) to encode without loss, found {rgb.dtype} {rgb.shape}")
    return compress(rgb)


def decode_lossless(
    data: bytes | memoryview, shape: tuple[int, int, int], *, out: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """Decode a picture.

    Args:
        data: As `encode_lossless` made it.
        shape: (H, W, 3).
        out: Where to decode to, C-contiguous; None: a new array.

    Raises:
        CodecError: The bytes are not a picture of this shape.
    """
    return decompress(data, np.empty(shape, np.uint8) if out is None else out)


def compress(frame: NDArray[Any]) -> bytes:
    """Zstandard over an array's bytes, C order and little endian."""
    little = np.ascontiguousarray(frame, dtype=frame.dtype.newbyteorder("<"))
    return cast("bytes", zstd.compress(little.reshape(-1), ZSTD_LEVEL, False))


def check_size(data: bytes | memoryview, size_bytes: int) -> None:
    """Refuse a Zstandard frame that says that it holds another number of bytes.

    Raises:
        CodecError: It does, or is none.
    """
    try:
        found = zstandard.frame_content_size(data)
    except zstandard.ZstdError as err:
        raise CodecError(f"a damaged Zstandard frame ({err})") from err
    if found != size_bytes:
        raise CodecError(f"expected a Zstandard frame of {size_bytes} bytes, found one of {found}")


def decompress(data: bytes | memoryview, out: NDArray[Scalar]) -> NDArray[Scalar]:
    """Undo `compress` into an array of the same size, C-contiguous and little endian.

    Raises:
        CodecError: The bytes are damaged or hold another number of bytes than the array.
    """
    try:
        # Asked first: a damaged header could claim any size, and fewer bytes would leave the rest of `out` as it was.
        check_size(data, out.nbytes)
        zstd.decompress(data, out)
    except (RuntimeError, ValueError, zstandard.ZstdError) as err:
        raise CodecError(f"a damaged Zstandard frame ({err})") from err
    return out
