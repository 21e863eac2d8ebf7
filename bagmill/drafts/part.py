"""One field of one channel, or a camera's pictures, as a draft takes it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bagmill.drafts.candidates import Candidate
from bagmill.profile import Clock, StampSpec
from bagmill.streams.index import Stream


@dataclass(frozen=True, slots=True, eq=False)
class PartDraft:
    """One field of one channel, or a camera's pictures."""

    stream: Stream
    field: str | None
    """None for pictures."""
    suffix: str
    rule: str
    clock: Clock
    rows: NDArray[np.int64]
    """(M,) the messages that hold it, as rows of the stream."""
    stamp: StampSpec | None = None
    """Where its messages' stamp is; None: in their header."""
    num_values: int = 0
    settings: Mapping[str, object] = dataclasses.field(default_factory=dict)
    """What else a profile says of it, in the order it is written: `names`, `units`, `nan`…"""
    notes: tuple[str, ...] = ()
    """What was seen in its values, for the comment."""
    is_discrete: bool = False
    """Its messages tell of states that last until the next one."""
    is_still: bool = False
    """One of several elements of a list, and the same in every message."""
    valid_share: float = 1.0
    """Of its messages, those that hold what is wanted, as far as they were looked at."""

    @property
    def stamps_ns(self) -> NDArray[np.int64]:
        """(M,) when its messages were, by its clock."""
        return self.stream.time_ns(self.clock)[self.rows]


def picture_part(candidate: Candidate, *, clock: Clock) -> PartDraft:
    """A camera's pictures."""
    rows = np.arange(candidate.stream.num_messages, dtype=np.int64)
    return PartDraft(candidate.stream, None, "", "nearest", clock, rows)
