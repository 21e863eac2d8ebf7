"""What a camera's pictures were, as far as they were looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bagmill.errors import BagmillError, DecodeError
from bagmill.messages import ImagePayload, image_decoder, to_depth, to_rgb
from bagmill.quality import PictureStatistics
from bagmill.recordings import Buffer
from bagmill.streams.index import Stream

_NUM_DECODED = 16
"""Pictures, spread over the recording; the others are only compared with the one before."""
_SCALES_M = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
_DARK, _WHITE = 8.0, 0.9
"""As the checks `frames_black` and `frames_blown` have it."""


@dataclass(frozen=True, slots=True)
class CameraValues:
    """A sample of one camera's pictures."""

    num_decoded: int = 0
    """Pictures that were decoded, or would not be."""
    fitting_share: float = 1.0
    """Of those, the ones that can be decoded and are as large as the recording's scan says."""
    problem: str | None = None
    """Why the first of the others is not."""
    black_share: float = 0.0
    white_share: float = 0.0
    repeated_share: float = 0.0
    """Of all pictures, those that are the same as the one before, byte for byte."""
    scale_m: float | None = None
    """Depth in metres: the finest step that all distances seen leave room for; None for counts, or none that does."""


@dataclass(slots=True)
class CameraSample:
    """Gathers what is seen of one camera.

    Args:
        stream: The camera's.
    """

    stream: Stream
    _num_seen: int = 0
    _num_repeated: int = 0
    _previous: bytes = b""
    _problems: list[str] = field(default_factory=list)
    _pictures: list[PictureStatistics] = field(default_factory=list)
    _num_decoded: int = 0
    _scale_m: float | None = _SCALES_M[0]
    _decode: Callable[[Buffer], ImagePayload] | None = None

    def take(self, payload: Buffer) -> None:
        """One picture, in the recording's order."""
        # The stamp stands in front of the pixels, and changes where they do not.
        pixels = bytes(memoryview(payload)[len(payload) // 4 :])
        self._num_repeated += bool(pixels) and pixels == self._previous
        self._previous = pixels
        step = max(self.stream.num_messages // _NUM_DECODED, 1)
        # A place further every time: of pictures that take turns, both are seen.
        if self._num_seen == self._num_decoded * step + self._num_decoded % step and self._num_decoded < _NUM_DECODED:
            self._num_decoded += 1
            try:
                self._look_at(payload)
            except BagmillError as err:
                self._problems.append(str(getattr(err, "problem", err)))
        self._num_seen += 1

    def values(self) -> CameraValues:
        """What was seen."""
        num_pictures = max(len(self._pictures), 1)
        is_black = [one.mean_luma < _DARK and one.luma_spread < _DARK for one in self._pictures]
        return CameraValues(
            num_decoded=self._num_decoded,
            fitting_share=1 - len(self._problems) / max(self._num_decoded, 1),
            problem=self._problems[0] if self._problems else None,
            black_share=sum(is_black) / num_pictures,
            white_share=sum(one.white_share > _WHITE for one in self._pictures) / num_pictures,
            repeated_share=self._num_repeated / max(self._num_seen - 1, 1),
            scale_m=self._scale_m if self._is_in_metres else None,
        )

    @property
    def _is_in_metres(self) -> bool:
        return self.stream.content.kind == "depth" and (self.stream.content.encoding or "").startswith("32F")

    def _look_at(self, payload: Buffer) -> None:
        content = self.stream.content
        self._decode = self._decode or image_decoder(self.stream.channel)
        picture = self._decode(payload)
        if (picture.height, picture.width) != (content.height, content.width):
            raise DecodeError(
                f"its pictures change their size: {content.width}×{content.height} and {picture.width}×{picture.height}"
            )
        if content.kind == "image":
            rgb: NDArray[np.uint8] = to_rgb(picture)
            self._pictures.append(PictureStatistics.of(rgb, rgb))
        elif self._is_in_metres:
            self._widen_scale(picture)
        else:
            to_depth(picture)

    def _widen_scale(self, picture: ImagePayload) -> None:
        for scale_m in _SCALES_M:
            if self._scale_m is None or scale_m < self._scale_m:
                continue
            try:
                to_depth(picture, scale_m=scale_m)
            except DecodeError:
                if scale_m == _SCALES_M[-1]:
                    self._scale_m = None
                    raise
            else:
                self._scale_m = scale_m
                return
