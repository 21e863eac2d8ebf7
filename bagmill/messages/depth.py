"""Pictures → depth in counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bagmill.errors import DecodeError
from bagmill.messages.decoded import decoded
from bagmill.messages.payload import RAW_ENCODINGS, ImagePayload, Quantisation
from bagmill.messages.png import decode_png, read_png_header
from bagmill.messages.rvl import decode_rvl

_MAX_COUNT = 65535


def to_depth(payload: ImagePayload, *, scale_m: float = 0.001) -> NDArray[np.uint16]:
    """A picture as depth in counts.

    Sources that are counts already (16UC1, mono16, Z16, 16-bit PNG, RVL) come out bit for bit. 32FC1 is in metres and is
    rounded to the nearest count, so that it is off by up to `scale_m` / 2; what is not finite or not positive there
    means "no depth" and becomes 0. Of 32FC1 that compressedDepth has made into counts, the metres are computed first, as
    its subscriber does it.

    Args:
        payload: From an image decoder.
        scale_m: Metres per count; only depth in metres asks for it.

    Returns:
        (H, W) uint16, native byte order, contiguous, not a view of the payload.

    Raises:
        DecodeError: Not depth, a damaged file, or a distance that `scale_m` leaves no count for.
    """
    return decoded(payload, lambda each: _depth(each, scale_m), (payload.height, payload.width))


def _depth(payload: ImagePayload, scale_m: float) -> NDArray[np.uint16]:
    if payload.encoding in ("png", "rvl"):
        counts = _from_png(payload) if payload.encoding == "png" else _from_rvl(payload)
        return counts if payload.quantisation is None else _counts(_metres(counts, payload.quantisation), scale_m)
    layout = RAW_ENCODINGS.get(payload.encoding)
    if layout is None or layout.kind != "depth":
        raise DecodeError(
            f"{payload.encoding} is no depth", remedy="Expected 16UC1, mono16, Z16, 32FC1, RVL or a PNG of 16-bit gray"
        )
    order = ">" if payload.is_bigendian else "<"
    dtype = np.dtype(f"{order}f4" if payload.encoding == "32FC1" else f"{order}u2")
    shape = (payload.height, payload.width)
    pixels = np.ndarray(shape, dtype, payload.data, strides=(payload.step, layout.bytes_per_pixel))
    if payload.encoding == "32FC1":
        return _counts(pixels, scale_m)
    return np.array(pixels, np.uint16, order="C")


def _counts(metres: NDArray[np.float32], scale_m: float) -> NDArray[np.uint16]:
    has_depth = np.isfinite(metres) & (metres > 0)
    counts = np.rint(np.where(has_depth, metres, 0).astype(np.float64) / scale_m)
    farthest = counts.max()
    if farthest > _MAX_COUNT:
        raise DecodeError(
            f"a distance of {farthest * scale_m:.3f} m is beyond the {_MAX_COUNT * scale_m:.3f} m that 16 bits reach "
            f"at {scale_m} m per count",
            remedy="Set a larger `scale_m` for this feature",
        )
    return counts.astype(np.uint16)


def _metres(counts: NDArray[np.uint16], quantisation: Quantisation) -> NDArray[np.float32]:
    """The metres that counts were made of, in float32 as the transport's own subscriber computes them; 0 where there is none."""
    a, b = np.float32(quantisation.a), np.float32(quantisation.b)
    metres = np.zeros(counts.shape, np.float32)
    np.divide(a, counts.astype(np.float32) - b, out=metres, where=counts > 0)
    return metres


def _from_rvl(payload: ImagePayload) -> NDArray[np.uint16]:
    return decode_rvl(payload.data, height=payload.height, width=payload.width)


def _from_png(payload: ImagePayload) -> NDArray[np.uint16]:
    header = read_png_header(payload.data)
    if not header.is_depth:
        raise DecodeError(
            f"a PNG of {header.bit_depth} bits {'gray' if header.is_gray else 'colour'} is no depth",
            remedy="Expected a PNG of 16-bit gray",
        )
    return np.array(decode_png(payload.data), np.uint16, order="C")
