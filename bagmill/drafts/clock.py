"""Which clock a draft's timeline is built on, and by which one a channel fits into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bagmill.drafts.candidates import Candidate
from bagmill.drafts.pace import measure_pace
from bagmill.drafts.soundness import why_unsound
from bagmill.profile import Clock
from bagmill.streams import Stream, estimate_clock

_SAME_CLOCK_NS = 1_000_000_000
"""Clocks whose distance from log time differs by more than this between channels are different clocks."""
_MOST_NAMED = 3
_RECEIVED: Final[tuple[Clock, Clock]] = ("log", "publish")


@dataclass(frozen=True, slots=True)
class ClockChoice:
    """The clock, and why this one."""

    clock: Clock
    reason: str
    log_minus_header_ns: int | None
    """Median over the channels it was chosen for; None where it is not `header`."""
    problem: str | None = None
    """What speaks against the clock all the same, as against every other; None where nothing does."""

    def of_channel(self, stream: Stream) -> Clock | None:
        """The clock by which a channel fits into the timeline: this one, else `log`; None where neither does."""
        if self.clock == "header":
            offset_ns = self.log_minus_header_ns or 0
            is_header = why_unsound(stream, "header") is None
            if is_header and abs(_log_minus_header(stream) - offset_ns) <= _SAME_CLOCK_NS:
                return "header"
            is_log = abs(offset_ns) <= _SAME_CLOCK_NS and why_unsound(stream, "log") is None
            return "log" if is_log else None
        # A step of the receiver's clock is in all channels alike. Times far from the others' are of another clock.
        return None if measure_pace(stream.time_ns(self.clock)).num_far else self.clock


def choose_clock(candidates: Sequence[Candidate]) -> ClockChoice:
    """`header` where all stamps of all candidates are sound and of one clock, `log` elsewhere.

    Args:
        candidates: Those that the timeline is about, at least one.
    """
    against = [why for candidate in candidates if (why := why_unsound(candidate.stream, "header"))]
    if not against:
        offsets = [_log_minus_header(candidate.stream) for candidate in candidates]
        if max(offsets) - min(offsets) <= _SAME_CLOCK_NS:
            topics = [candidate.topic for candidate in candidates]
            why = f"the messages of {listed(topics)} carry the stamp of the moment they tell of"
            return ClockChoice("header", why, int(np.median(offsets)))
        against = [f"the header stamps of {listed([one.topic for one in candidates])} are of different clocks"]
    why = against[0] + (f", and {_more_unsound(len(against) - 1)}" if len(against) > 1 else "")
    problems = {
        clock: [found for candidate in candidates if (found := why_unsound(candidate.stream, clock))]
        for clock in _RECEIVED
    }
    clock: Clock = "publish" if problems["log"] and not problems["publish"] else "log"
    if problems[clock]:
        told = f"{why}; but {problems[clock][0]}: no clock of this recording is sound"
        return ClockChoice(clock, told, None, problem=problems[clock][0])
    return ClockChoice(clock, why if clock == "log" else f"{why}; {problems['log'][0]}", None)


def say_other_clocks(choice: ClockChoice, clocks: Mapping[str, Clock]) -> str:
    """Why the clock, and which topics go by another one.

    Args:
        choice: The profile's clock.
        clocks: Topic → the clock it is laid on the timeline by.
    """
    others: dict[Clock, list[str]] = {}
    for topic, clock in clocks.items():
        if clock != choice.clock:
            others.setdefault(clock, []).append(topic)
    told = [f"{listed(topics)} {'goes' if len(topics) == 1 else 'go'} by {clock}" for clock, topics in others.items()]
    return "; ".join([choice.reason, *told])


def listed(topics: Sequence[str]) -> str:
    """Topics for a sentence; of many the first, and how many more there are."""
    if len(topics) <= _MOST_NAMED:
        return ", ".join(topics)
    return f"{', '.join(topics[:_MOST_NAMED])} and {len(topics) - _MOST_NAMED} more"


def _more_unsound(num_channels: int) -> str:
    if num_channels == 1:
        return "those of 1 more channel are of no use either"
    return f"those of {num_channels} more channels are of no use either"


def _log_minus_header(stream: Stream) -> int:
    return estimate_clock(stream.header_time_ns, stream.log_time_ns).offset_ns or 0
