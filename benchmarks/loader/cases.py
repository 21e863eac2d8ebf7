"""What is loaded: cases, and the samples that are drawn for them, the same for every contender.

Imported in LeRobot's environment, too: nothing of bagmill here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

LEFT, RIGHT, DEPTH = "images/left", "images/right", "depth/left"
STATE, ACTION = "state", "action"
NUM_JOINTS: Final = 14
RATE_HZ: Final = 30
_LEAD_TICKS: Final = 7
"""How many ticks from an episode's begin no sample is drawn: windows into the past lie within it."""


@dataclass(frozen=True, slots=True)
class Case:
    """One way of asking for samples."""

    name: str
    cameras: tuple[str, ...] = (LEFT,)
    offsets: tuple[int, ...] = ()
    """Of a window's ticks, for cameras and the state; empty: the sample's own tick, without an axis for it."""
    size: tuple[int, int] | None = None
    """(height, width) of what comes out; None: as stored."""
    has_signals: bool = False
    """Whether state and action are loaded as well."""
    horizon: int = 1
    """Ticks of action, the sample's own first."""
    batch_size: int = 32

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """What `as_json` gave."""
        size = content["size"]
        return cls(
            content["name"],
            tuple(content["cameras"]),
            tuple(content["offsets"]),
            None if size is None else (int(size[0]), int(size[1])),
            bool(content["has_signals"]),
            int(content["horizon"]),
            int(content["batch_size"]),
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @property
    def num_frames(self) -> int:
        """Of one sample."""
        return len(self.cameras) * max(1, len(self.offsets))


def past(num_ticks: int) -> tuple[int, ...]:
    """Offsets of the sample's tick and of those before it, so many in all."""
    return tuple(range(1 - num_ticks, 1))


ONE: Final = Case("1 frame")
TWO: Final = Case("2 frames", offsets=past(2), batch_size=16)
SIX: Final = Case("6 frames", offsets=past(6), batch_size=8)
EIGHT: Final = Case("8 frames", offsets=past(8), batch_size=8)
TWO_CAMERAS: Final = Case("1 frame of 2 cameras", cameras=(LEFT, RIGHT), batch_size=16)
SMALL: Final = Case("1 frame to 224×224", size=(224, 224))
SMALL_EIGHT: Final = Case("8 frames to 224×224", offsets=past(8), size=(224, 224), batch_size=8)
DEPTH_ONE: Final = Case("1 depth frame", cameras=(DEPTH,))


class Timelines:
    """The episodes' lengths, and which sample of a dataset is which tick of which episode.

    Args:
        num_ticks: Of every episode.
    """

    def __init__(self, num_ticks: Sequence[int]) -> None:
        self.num_ticks = np.array(num_ticks, np.int64)
        self.starts = np.cumsum(self.num_ticks) - self.num_ticks

    def draw(self, *, seed: int, batch_size: int) -> Iterator[NDArray[np.int64]]:
        """Batches of random samples (B,) without end; a sample is a tick, counted through all episodes."""
        first = np.minimum(_LEAD_TICKS, self.num_ticks - 1)
        allowed = np.concatenate(
            [
                np.arange(start + skip, start + num)
                for start, skip, num in zip(self.starts, first, self.num_ticks, strict=True)
            ]
        )
        random = np.random.default_rng(seed)
        while True:
            yield random.choice(allowed, batch_size)

    def locate(self, sample: int) -> tuple[int, int]:
        """A sample's episode and tick."""
        episode = int(np.searchsorted(self.starts, sample, side="right")) - 1
        return episode, int(sample - self.starts[episode])

    def ticks(self, episode: int, tick: int, offsets: Sequence[int]) -> list[int]:
        """The ticks of a window, those beyond the episode moved to its first or last one."""
        last = int(self.num_ticks[episode]) - 1
        return [min(max(tick + offset, 0), last) for offset in offsets]
