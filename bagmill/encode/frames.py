"""One message → one stored frame: copied where it is JPEG already, else decoded and encoded by the feature's codec step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bagmill.codecs.depth import encode_depth
from bagmill.codecs.jpeg import decode_jpeg, encode_jpeg
from bagmill.codecs.jpeg_whole import jpeg_problem, whole_jpeg
from bagmill.codecs.lossless import encode_lossless
from bagmill.codecs.policy import CodecStep
from bagmill.errors import BagmillError, DecodeError
from bagmill.messages import ImagePayload, UsualJpeg, image_decoder, to_depth, to_rgb
from bagmill.messages.foreign import said
from bagmill.plan import FeaturePlan
from bagmill.quality import FrameSample, PictureStatistics, measure_fidelity
from bagmill.recordings.records import Buffer


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """What goes into a shard for one message."""

    data: Buffer
    source: NDArray[np.uint8] | NDArray[np.uint16] | None
    """The frame as the recording has it, only where it is audited: (H, W, 3) uint8 or (H, W) uint16."""
    fidelity: Mapping[str, float] = field(default_factory=dict)
    """Check → how close the stored bytes come to an audited frame that was encoded as JPEG; empty for all others."""
    picture: PictureStatistics | None = None
    """Of an audited image: `source` beside what `data` decodes to. None: not measured yet."""
    warning: str | None = None
    """What libjpeg warns of in an audited JPEG that was copied; None where it does not."""


FrameEncoder = Callable[[Buffer, int | None], EncodedFrame]
"""(payload, tick to audit it at or None) → frame. Raises DecodeError or CodecError. Safe to call from several threads."""


def frame_encoder(feature: FeaturePlan, step: CodecStep, *, mixed: str = "") -> FrameEncoder:
    """The work to be done on every message of a feature.

    Args:
        feature: An image or depth feature.
        step: How its frames are stored; depth is always `lossless`.
        mixed: How many of the channel's pictures are of which size and encoding, where they differ: for error messages.
    """
    decode_any = image_decoder(feature.channel)

    def decode(payload: Buffer) -> ImagePayload:
        image = decode_any(payload)
        _check_form(image, feature, mixed)
        return image

    def encode_depth_message(payload: Buffer, audited_tick: int | None) -> EncodedFrame:
        depth = to_depth(decode(payload), scale_m=feature.spec.scale_m)
        return EncodedFrame(encode_depth(depth), None if audited_tick is None else depth)

    usual = UsualJpeg(feature.channel)

    def copy_message(payload: Buffer, audited_tick: int | None) -> EncodedFrame:
        found = usual.find(payload)
        file = decode(payload).data if found is None else found
        data = whole_jpeg(file)
        if found is None:
            usual.learn(payload)
        if audited_tick is None:
            return EncodedFrame(data, None)
        # Of views, the container's whole chunk would stay in memory as long as the sample lives.
        stored, source = bytes(data), decode_jpeg(data)
        # What is stored is what was recorded, and gives the same picture.
        return EncodedFrame(stored, source, picture=PictureStatistics.of(source, source), warning=jpeg_problem(stored))

    def encode(rgb: NDArray[np.uint8]) -> bytes:
        if step == "lossless":
            return encode_lossless(rgb)
        return encode_jpeg(rgb, quality=feature.spec.quality, subsampling="444" if step == "444" else "420")

    def encode_message(payload: Buffer, audited_tick: int | None) -> EncodedFrame:
        rgb = to_rgb(decode(payload))
        data = encode(rgb)
        if audited_tick is None:
            return EncodedFrame(data, None)
        # A view into the payload would keep the container's whole chunk alive as long as the sample lives.
        source = rgb.copy()
        if step == "lossless":
            return EncodedFrame(data, source)
        sample = FrameSample(audited_tick, source=source, stored=decode_jpeg(data))
        return EncodedFrame(data, source, measure_fidelity([sample]), sample.picture)

    if feature.kind == "depth":
        return _guarded(encode_depth_message, feature)
    return _guarded(copy_message if step == "copy" else encode_message, feature)


def _guarded(encode: FrameEncoder, feature: FeaturePlan) -> FrameEncoder:
    """An encoder that raises nothing of the libraries at work."""

    def encode_or_say_why(payload: Buffer, audited_tick: int | None) -> EncodedFrame:
        try:
            return encode(payload, audited_tick)
        except BagmillError:
            raise
        except Exception as err:
            raise DecodeError(f"a picture that cannot be stored ({said(err)})", channel=feature.channel.topic) from err

    return encode_or_say_why


def _check_form(image: ImagePayload, feature: FeaturePlan, mixed: str) -> None:
    """Refuse a picture of another size or encoding than the feature's.

    Raises:
        DecodeError: It is of another one.
    """
    height, width = feature.shape[:2]
    is_other_encoding = feature.is_jpeg_source and image.encoding != "jpeg"
    if (image.height, image.width) == (height, width) and not is_other_encoding:
        return
    encoding = " jpeg" if is_other_encoding else ""
    raise DecodeError(
        f"expected a picture of {width}×{height}{encoding}, found {image.width}×{image.height} {image.encoding}"
        + (f" ({mixed})" if mixed else ""),
        channel=feature.channel.topic,
        remedy="A camera that changes its size or encoding makes several recordings: split this one where it changes",
    )
