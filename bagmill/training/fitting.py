"""A stored frame → a picture of the size that is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from bagmill.codecs import decode_depth, decode_jpeg, decode_jpeg_reduced, decode_lossless, jpeg_info
from bagmill.errors import CodecError, TrainingError

Fit = Literal["stretch", "pad", "crop"]
Resampling = Literal["bilinear", "area"]

_INTERPOLATIONS: Final = {"bilinear": cv2.INTER_LINEAR, "area": cv2.INTER_AREA}
_JPEG_START: Final = 0xFF


@dataclass(frozen=True, slots=True)
class FrameFit:
    """How frames of one size become pictures of another.

    Args:
        stored: (height, width) of the frames.
        wanted: (height, width) of the pictures; equal to `stored`: the frames as they are, bit for bit.
        fit: `stretch` takes the whole frame and lets its aspect change, `pad` keeps the aspect and leaves black bars,
            `crop` keeps the aspect and cuts what stands over at both sides.
        resampling: Of images that change size. `bilinear` after the JPEG has been decoded at the smallest sufficient
            scale, or `area`, the mean over all pixels that fall into one. Depth takes the nearest pixel, because a
            mean of two distances, or of a distance and a hole, is a distance that nothing has.

    Raises:
        TrainingError: A size without pixels, or a name that is none of these.
    """

    stored: tuple[int, int]
    wanted: tuple[int, int]
    fit: Fit = "stretch"
    resampling: Resampling = "bilinear"
    _inner: tuple[tuple[int, int], tuple[int, int]] = field(init=False, repr=False)
    """Where the frame lies in the picture: (top, left) and (height, width)."""
    _least: tuple[int, int] = field(init=False, repr=False)
    """(height, width) of the smallest decoded frame that the picture can be made from without enlarging it."""

    def __post_init__(self) -> None:
        if min(self.wanted) < 1:
            raise TrainingError(f"expected an image size of at least 1×1, found {self.wanted[0]}×{self.wanted[1]}")
        if self.fit not in ("stretch", "pad", "crop") or self.resampling not in _INTERPOLATIONS:
            raise TrainingError(
                f"no way to fit a frame is called {self.fit!r} with {self.resampling!r}",
                remedy="fit is stretch, pad or crop; resampling is bilinear or area",
            )
        is_padded = self.fit == "pad"
        size = _same_aspect(self.stored, within=self.wanted) if is_padded else self.wanted
        object.__setattr__(self, "_inner", _centred(self.wanted, size))
        height, width = self._uncropped() if self.fit == "crop" else size
        object.__setattr__(self, "_least", (min(height, self.stored[0]), min(width, self.stored[1])))

    def decode(self, data: memoryview, out: NDArray[Any]) -> None:
        """Decode a frame into a picture.

        Args:
            data: The frame's chunk.
            out: (H, W, 3) uint8, or (H, W) uint16 for depth, C-contiguous, of the wanted size.

        Raises:
            CodecError: The bytes are not a frame of the stored size.
        """
        if self.wanted == self.stored:
            self._decode_whole(data, out)
        elif out.ndim == 2:
            self._place(decode_depth(data, self.stored), out, cv2.INTER_NEAREST)
        else:
            self._place(self._decode_enough(data), out, _INTERPOLATIONS[self.resampling])

    def _decode_whole(self, data: memoryview, out: NDArray[Any]) -> None:
        if out.ndim == 2:
            decode_depth(data, self.stored, out=out)
        elif _is_jpeg(data):
            decode_jpeg(data, out=out)
        else:
            decode_lossless(data, (*self.stored, 3), out=out)

    def _decode_enough(self, data: memoryview) -> NDArray[np.uint8]:
        """The frame at the smallest scale that the wanted picture can be made from without enlarging it."""
        if not _is_jpeg(data):
            return decode_lossless(data, (*self.stored, 3))
        info = jpeg_info(data)
        if (info.height, info.width) != self.stored:
            raise CodecError(f"expected a JPEG of {self.stored}, found one of {(info.height, info.width)}")
        if self.resampling == "area":
            return decode_jpeg(data)
        return decode_jpeg_reduced(data, min_height=self._least[0], min_width=self._least[1])

    def _place(self, frame: NDArray[Any], out: NDArray[Any], interpolation: int) -> None:
        source = frame
        height, width = self.wanted
        if self.fit == "crop":
            (top, left), (rows, columns) = _centred(frame.shape[:2], _same_aspect(self.wanted, within=frame.shape[:2]))
            source = frame[top : top + rows, left : left + columns]
        elif self.fit == "pad":
            (top, left), (rows, columns) = self._inner
            out[...] = 0
            inner = out[top : top + rows, left : left + columns]
            inner[...] = cv2.resize(source, (columns, rows), interpolation=interpolation)
            return
        if source.shape[:2] == self.wanted:
            out[...] = source
        else:
            cv2.resize(source, (width, height), dst=out, interpolation=interpolation)

    def _uncropped(self) -> tuple[int, int]:
        """The size of the whole frame if what is left of it by the crop has the wanted one."""
        kept = _same_aspect(self.wanted, within=self.stored)
        scale = max(self.wanted[0] / kept[0], self.wanted[1] / kept[1])
        return round(self.stored[0] * scale + 0.5), round(self.stored[1] * scale + 0.5)


def _same_aspect(size: tuple[int, int], *, within: tuple[int, int]) -> tuple[int, int]:
    """The largest size of this aspect that lies within another."""
    scale = min(within[0] / size[0], within[1] / size[1])
    return max(1, min(within[0], round(size[0] * scale))), max(1, min(within[1], round(size[1] * scale)))


def _centred(outer: tuple[int, int], inner: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    return ((outer[0] - inner[0]) // 2, (outer[1] - inner[1]) // 2), inner


def _is_jpeg(data: memoryview) -> bool:
    # How a camera's frames are stored says their array's metadata; so do the frames themselves: a Zstandard frame begins
    # with 0x28.
    return data[0] == _JPEG_START
