"""Changes to the pictures of a batch, so that a model sees no picture twice.

What is random follows from the seed, the epoch, the sample and the camera, and from nothing else: the same sample gets the
same change on any rank, in any process and after any resume. All frames of a sample's window are changed alike; cameras are
changed each on its own, as their exposure and white balance are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from bagmill.codecs import decode_jpeg, encode_jpeg
from bagmill.errors import TrainingError
from bagmill.profile import feature_kind
from bagmill.training.keyed import combine, derive_keys, uniform

_PART_SAMPLES: Final = 4
"""What a thread takes at a time."""
_LUMA: Final = np.array([0.299, 0.587, 0.114])
"""Of red, green and blue. Source: ITU-R BT.601."""
_TO_YIQ: Final = np.array([_LUMA, [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
"""Source: the NTSC colour space, as of SMPTE 170M: brightness, and two axes around which hue turns."""


class Augmentation(Protocol):
    """A change to pictures; your own may be any picklable callable like this.

    One that is done with a picture sooner than threads hand the interpreter to each other says from which size on they are
    worth it: an attribute `least_shared_bytes`, of a sample's pictures. Without it, threads share out samples of any size.
    """

    def __call__(self, images: NDArray[np.uint8], keys: NDArray[np.uint64], /) -> None:
        """Change pictures in place.

        Args:
            images: (N, H, W, 3), or (N, K, H, W, 3) with windows of K frames, uint8, RGB.
            keys: (N,) what is random of a sample follows from its key, as `uniform` does.
        """


@dataclass(frozen=True, slots=True)
class JpegCompression:
    """Pictures encoded as JPEG and decoded again, with a quality that is drawn evenly from a range.

    Raises:
        TrainingError: A quality outside 1 to 100, or a range that ends before it begins.
    """

    quality: tuple[int, int] = (50, 95)
    """The least and the greatest, both included."""
    probability: float = 1.0
    """That a sample is changed at all."""

    def __post_init__(self) -> None:
        lowest, highest = self.quality
        if not 1 <= lowest <= highest <= 100:
            raise TrainingError(f"expected two rising JPEG qualities within 1 to 100, found {self.quality}")
        _check_probability(self.probability)

    def __call__(self, images: NDArray[np.uint8], keys: NDArray[np.uint64], /) -> None:
        """Change pictures in place; see `Augmentation`."""
        lowest, highest = self.quality
        chance, drawn = uniform(keys, 2).T
        qualities = lowest + (drawn * (highest - lowest + 1)).astype(np.int64)
        for sample in np.flatnonzero(chance < self.probability).tolist():
            for frame in _frames(images, sample):
                # An absent frame is zeros, and would not be after a coarse quantisation.
                if frame.any():
                    frame[...] = decode_jpeg(encode_jpeg(frame, quality=int(qualities[sample])))


@dataclass(frozen=True, slots=True)
class ColourJitter:
    """Brightness, contrast, saturation and hue changed, in this order, each by a factor or angle that is drawn evenly.

    All four together are one linear map of the colours, rounded and clipped once at the end. Contrast is spread about the
    mean brightness of the sample's window; hue turns about the grey axis, which leaves brightness as it is.

    Raises:
        TrainingError: A negative width, or one so large that a factor would be negative.
    """

    least_shared_bytes: ClassVar[int] = 500_000
    """Two threads were 1.6 × as slow as one at 224×224, and 1.4 × as fast at 640×480."""
    brightness: float = 0.0
    """Half the width of the factor's range around 1: 0.2 draws from 0.8 to 1.2. So are the next two."""
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    """The greatest turn in either direction, in whole turns: at most 0.5."""
    probability: float = 1.0
    """That a sample is changed at all."""

    def __post_init__(self) -> None:
        for noun, width, most in (
            ("brightness", self.brightness, 1.0),
            ("contrast", self.contrast, 1.0),
            ("saturation", self.saturation, 1.0),
            ("hue", self.hue, 0.5),
        ):
            if not 0 <= width <= most:
                raise TrainingError(f"expected a {noun} between 0 and {most:g}, found {width}")
        _check_probability(self.probability)

    def __call__(self, images: NDArray[np.uint8], keys: NDArray[np.uint64], /) -> None:
        """Change pictures in place; see `Augmentation`."""
        numbers = uniform(keys, 5)
        widths = np.array([self.brightness, self.contrast, self.saturation, self.hue])
        changes = (2 * numbers[:, 1:] - 1) * widths
        colours, offset_per_luma = _colour_maps(changes)
        for sample in np.flatnonzero(numbers[:, 0] < self.probability).tolist():
            all_frames = _frames(images, sample)
            # An absent frame is zeros: it is no part of the mean, and stays as it is.
            is_there = all_frames.any(axis=(1, 2, 3))
            if not is_there.any():
                continue
            here = slice(None) if is_there.all() else is_there
            frames = all_frames[here]
            # One picture, as high as all of them together.
            tall = frames.reshape(-1, *frames.shape[2:])
            # What contrast is spread about, before the brightness is changed.
            mean_luma = float(_LUMA @ np.array(cv2.mean(tall)[:3]))
            offset = np.full((3, 1), offset_per_luma[sample] * mean_luma)
            all_frames[here] = cv2.transform(tall, np.hstack([colours[sample], offset])).reshape(frames.shape)


def augment(
    images: Mapping[str, NDArray[Any]],
    augmentations: Sequence[Augmentation],
    *,
    seed: int,
    epoch: int,
    samples: ArrayLike,
    num_threads: int = 1,
) -> None:
    """Change all pictures of a batch in place, by one augmentation after the other.

    Args:
        images: Arrays by key, (N, …) each; those that are no pictures are left alone.
        augmentations: What is done.
        seed: What is random follows from it, …
        epoch: … from the epoch, …
        samples: … and from the samples' numbers (N,).
        num_threads: Threads that the samples are shared out among, where that is worth it.
    """
    least_bytes = min((getattr(each, "least_shared_bytes", 0) for each in augmentations), default=0)
    parts: list[tuple[NDArray[np.uint8], list[NDArray[np.uint64]]]] = []
    is_shared = False
    for name in (key for key in images if feature_kind(key) == "image"):
        pictures = images[name]
        is_shared |= pictures[:1].nbytes >= least_bytes
        keys = [
            combine(derive_keys(f"augmentation {number} of {name}", seed, epoch), samples)
            for number in range(len(augmentations))
        ]
        for first in range(0, len(pictures), _PART_SAMPLES):
            here = slice(first, first + _PART_SAMPLES)
            parts.append((pictures[here], [of_samples[here] for of_samples in keys]))

    def change(part: tuple[NDArray[np.uint8], list[NDArray[np.uint64]]]) -> None:
        pictures, keys = part
        for augmentation, of_samples in zip(augmentations, keys, strict=True):
            augmentation(pictures, of_samples)

    def change_all(rest: Iterator[tuple[NDArray[np.uint8], list[NDArray[np.uint64]]]]) -> None:
        for part in rest:
            change(part)

    # Who is done early takes the next. Taking from an iterator is one step under the GIL.
    rest = iter(parts)
    num_others = min(num_threads, len(parts)) - 1
    if num_others < 1 or not is_shared:
        change_all(rest)
        return
    with ThreadPoolExecutor(num_others, thread_name_prefix="bagmill-augment") as pool:
        others = [pool.submit(change_all, rest) for _ in range(num_others)]
        change_all(rest)
    for other in others:
        other.result()


def _frames(images: NDArray[np.uint8], sample: int) -> NDArray[np.uint8]:
    """A sample's frames (K, H, W, 3), a view; K is 1 without a window."""
    return images[sample] if images.ndim == 5 else images[sample : sample + 1]


def _colour_maps(changes: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What colours are multiplied by, and what is added to them.

    Args:
        changes: (N, 4): of brightness, contrast and saturation about 1, and of hue in turns.

    Returns:
        (N, 3, 3) factors; and (N,) what is added to every channel for each unit of the mean brightness.
    """
    brightness, contrast, saturation = 1 + changes[:, :3].T
    angle = 2 * np.pi * changes[:, 3]
    turn = np.zeros((len(changes), 3, 3))
    turn[:, 0, 0] = 1
    turn[:, 1, 1] = turn[:, 2, 2] = np.cos(angle)
    turn[:, 2, 1] = np.sin(angle)
    turn[:, 1, 2] = -turn[:, 2, 1]
    hue = np.linalg.solve(_TO_YIQ, turn @ _TO_YIQ)
    grey = np.tile(_LUMA, (3, 1))
    saturated = saturation[:, None, None] * np.eye(3) + (1 - saturation)[:, None, None] * grey
    # Grey is what saturation and hue leave as it is.
    return (brightness * contrast)[:, None, None] * hue @ saturated, (1 - contrast) * brightness


def _check_probability(probability: float) -> None:
    if not 0 <= probability <= 1:
        raise TrainingError(f"expected a probability between 0 and 1, found {probability}")
