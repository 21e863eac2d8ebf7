"""What a channel's messages hold, as told by the first of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class ChannelContent:
    """The inventory's entry for one channel: enough to plan with, without reading its payloads again."""

    kind: Literal["image", "depth", "numeric", "none"]
    """`none`: nothing to train on (strings, an empty channel, a payload that cannot be decoded)."""
    encoding: str | None = None
    """Pixel encoding of an image as its message names it (`rgb8`, `16UC1`), or `jpeg`, `png`."""
    height: int | None = None
    width: int | None = None
    fields: Mapping[str, int] = field(default_factory=dict)
    """Numeric field path → how many numbers the first message holds there: `{"position": 14, "pose.position": 3}`."""
    names: tuple[str, ...] = ()
    """Joint names of a JointState's first message, in its order."""
    problem: str | None = None
    """Why it cannot be decoded, as one sentence; None where it can or where it is empty."""
