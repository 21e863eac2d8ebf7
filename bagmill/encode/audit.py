"""The fidelity audit: do sampled frames, decoded from their stored bytes, come close enough to their source?"""

from __future__ import annotations

from collections.abc import Mapping

from bagmill.codecs.jpeg import decode_jpeg
from bagmill.encode.linear_pass import FrameTarget
from bagmill.quality import FrameSample, ResolvedCheck, measure_fidelity


def is_faithful(target: FrameTarget, checks: Mapping[str, ResolvedCheck]) -> bool:
    """Whether a camera's frames may stay as they are stored.

    Args:
        target: A camera whose frames were encoded as JPEG.
        checks: The profile's.
    """
    samples = [
        FrameSample(tick, source=frame.source, stored=decode_jpeg(frame.data))
        for tick, frame in sorted(target.audit.items())
        if frame.source is not None
    ]
    return all(
        not check.is_failed_by(value)
        for name, value in measure_fidelity(samples).items()
        if (check := checks.get(name)) is not None
    )
