"""The fidelity audit: do sampled frames, decoded from their stored bytes, come close enough to their source?"""

from __future__ import annotations

from collections.abc import Mapping

from bagmill.encode.linear_pass import FrameTarget
from bagmill.quality import ResolvedCheck


def is_faithful(target: FrameTarget, checks: Mapping[str, ResolvedCheck]) -> bool:
    """Whether a camera's frames may stay as they are stored: as its audited frames were measured when they were encoded.

    Args:
        target: A camera whose frames were encoded as JPEG.
        checks: The profile's.
    """
    return all(
        not check.is_failed_by(value)
        for frame in target.audit.values()
        for name, value in frame.fidelity.items()
        if (check := checks.get(name)) is not None
    )
