"""What decoding a picture must give: pixels of the size that the picture says, or one kind of error."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bagmill.errors import DecodeError
from bagmill.messages.foreign import said
from bagmill.messages.payload import ImagePayload

Scalar = TypeVar("Scalar", np.uint8, np.uint16)


def decoded(
    payload: ImagePayload, decode: Callable[[ImagePayload], NDArray[Scalar]], shape: tuple[int, ...]
) -> NDArray[Scalar]:
    """A picture's pixels.

    Args:
        payload: The picture.
        decode: Gives them; may raise anything.
        shape: That they must have.

    Raises:
        DecodeError: They cannot be decoded, or have another shape.
    """
    pixels: NDArray[Scalar]
    try:
        pixels = decode(payload)
    except DecodeError:
        raise
    except Exception as err:  # damaged bytes make libraries raise whatever comes to their mind
        raise DecodeError(f"a damaged {_called(payload)} of {len(payload.data)} bytes ({said(err)})") from err
    if pixels.shape != shape:
        raise DecodeError(
            f"a {_called(payload)} that says {payload.width}×{payload.height} at its beginning and holds "
            f"{'×'.join(map(str, (*pixels.shape[1::-1], *pixels.shape[2:])))} pixels"
        )
    return pixels


def _called(payload: ImagePayload) -> str:
    return {"jpeg": "JPEG", "png": "PNG", "rvl": "RVL picture"}.get(payload.encoding, f"picture of {payload.encoding}")
