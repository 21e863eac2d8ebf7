"""Why messages of a feature could not be read: every reason once, with how many messages have it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bagmill.errors import BagmillError

_SPECIFICS = re.compile(r"0x[0-9a-fA-F]+|(?<![A-Za-z])\d[\d.,]*")
"""Numbers that are a message's own; digits behind a letter belong to a name (`rgb8`, `16UC1` keeps its `UC1`)."""
_MAX_TEXTS = 3
"""Reasons that differ in their numbers only are told one by one up to here, and as one with an example beyond."""
_MAX_KINDS = 16
"""Reasons kept apart; whatever comes later is counted under `_OTHER`."""
_OTHER = "other reasons"


@dataclass(frozen=True, slots=True)
class DecodeFault:
    """One reason why messages could not be read."""

    reason: str
    """A clause without a full stop, as the decoder says it of the first message."""
    channel: str
    """The topic of the messages."""
    num_messages: int
    """That have it."""
    first_sequence: int
    """The first of them."""
    first_ns: int
    """Its log time, ns since the Unix epoch."""
    remedy: str | None = None
    """What can be done about it, a clause without a full stop."""
    is_example: bool = False
    """Other messages have other numbers in the reason: `found 17 bytes` of one, `found 23 bytes` of the next."""

    def text(self, start_ns: int) -> str:
        """`37 messages of /arm: expected 6 numbers, found 4 (first 2.50 s from the start)`.

        Args:
            start_ns: The start that times are told from, ns since the Unix epoch.
        """
        messages = "1 message" if self.num_messages == 1 else f"{self.num_messages:,} messages"
        such_as = "such as " if self.is_example else ""
        first = "" if self.num_messages == 1 else "first "
        when = f"{first}{(self.first_ns - start_ns) / 1e9:,.2f} s from the start"
        return f"{messages} of {self.channel}: {such_as}{self.reason} ({when})"


@dataclass(slots=True)
class _Kind:
    """Reasons that differ in their numbers only."""

    remedy: str | None
    num_messages: Counter[str] = field(default_factory=Counter)
    """By reason; what comes after `_MAX_TEXTS` different ones is counted under the first."""
    first: dict[str, int] = field(default_factory=dict)
    """Reason → the first sequence that has it."""
    has_more: bool = False
    """There were more reasons than are kept apart."""

    def add(self, sequence: int, reason: str) -> None:
        if reason not in self.first and len(self.first) >= _MAX_TEXTS:
            self.has_more = True
            reason = next(iter(self.first))
        self.num_messages[reason] += 1
        self.first[reason] = min(sequence, self.first.get(reason, sequence))

    def faults(self, stamps_ns: NDArray[np.int64], channel: str) -> list[DecodeFault]:
        if self.has_more:
            first = min(self.first, key=lambda reason: self.first[reason])
            totals = {first: self.num_messages.total()}
        else:
            totals = dict(self.num_messages)
        return [
            DecodeFault(
                reason=reason,
                channel=channel,
                num_messages=num_messages,
                first_sequence=self.first[reason],
                first_ns=int(stamps_ns[self.first[reason]]),
                remedy=self.remedy,
                is_example=self.has_more,
            )
            for reason, num_messages in totals.items()
        ]


class DecodeFaults:
    """Collects the messages of one feature that could not be read; memory is 8 bytes a message and a few texts."""

    def __init__(self) -> None:
        self._sequences: list[int] = []
        self._kinds: dict[str, _Kind] = {}

    def add(self, sequence: int, error: BagmillError) -> None:
        """Note a message.

        Args:
            sequence: Its position in its stream.
            error: Why it could not be read.
        """
        self._sequences.append(sequence)
        pattern = _SPECIFICS.sub("#", error.problem)
        kind = self._kinds.get(pattern)
        if kind is None:
            is_known = len(self._kinds) < _MAX_KINDS
            pattern = pattern if is_known else _OTHER
            kind = self._kinds.setdefault(pattern, _Kind(error.remedy if is_known else None))
        kind.add(sequence, error.problem)

    @property
    def sequences(self) -> list[int]:
        """The messages noted, rising."""
        return sorted(self._sequences)

    def grouped(self, stamps_ns: NDArray[np.int64], *, channel: str) -> tuple[DecodeFault, ...]:
        """Every reason with its count, the most frequent first.

        Args:
            stamps_ns: (N,) log times of the stream's messages.
            channel: Its topic.
        """
        faults = [fault for kind in self._kinds.values() for fault in kind.faults(stamps_ns, channel)]
        return tuple(sorted(faults, key=lambda fault: (-fault.num_messages, fault.first_sequence)))
