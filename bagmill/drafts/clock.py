"""Which clock a draft's timeline is built on, and by which one a channel fits into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bagmill.drafts.candidates import Candidate
from bagmill.drafts.pace import measure_pace
from bagmill.profile import Clock
from bagmill.streams import Stream, estimate_clock

_SAME_CLOCK_NS = 1_000_000_000
"""Clocks whose distance from log time differs by more than this between channels are different clocks."""


@dataclass(frozen=True, slots=True)
class ClockChoice:
    """The clock, and why this one."""

    clock: Clock
    reason: str
    log_minus_header_ns: int | None
    """Median over the channels it was chosen for; None where it is not `header`."""

    def of_channel(self, stream: Stream) -> Clock | None:
        """The clock by which a channel fits into the timeline: this one, else `log`; None where neither does."""
        if self.clock == "header":
            offset_ns = self.log_minus_header_ns or 0
            if _is_sound(stream, "header") and abs(_log_minus_header(stream) - offset_ns) <= _SAME_CLOCK_NS:
                return "header"
            return "log" if abs(offset_ns) <= _SAME_CLOCK_NS and _is_sound(stream, "log") else None
        return self.clock if _is_sound(stream, self.clock) else None


def choose_clock(candidates: Sequence[Candidate]) -> ClockChoice:
    """`header` where all stamps of all candidates are sound and of one clock, `log` elsewhere.

    Args:
        candidates: Those that the timeline is about, at least one.
    """
    unstamped = [candidate.topic for candidate in candidates if not candidate.stream.has_header_stamps]
    if not unstamped:
        offsets = [_log_minus_header(candidate.stream) for candidate in candidates]
        is_one_clock = max(offsets) - min(offsets) <= _SAME_CLOCK_NS
        if is_one_clock and all(_is_sound(candidate.stream, "header") for candidate in candidates):
            why = "every channel's messages carry the stamp of the moment they tell of"
            return ClockChoice("header", why, int(np.median(offsets)))
        why = "the channels' header stamps are of different clocks, or jump"
    else:
        shown = ", ".join(unstamped[:3]) + (f" and {len(unstamped) - 3} more" if len(unstamped) > 3 else "")
        why = f"{shown} {'carries' if len(unstamped) == 1 else 'carry'} no header stamps, or zero ones"
    is_logged = all(_is_sound(candidate.stream, "log") for candidate in candidates)
    if not is_logged and all(_is_sound(candidate.stream, "publish") for candidate in candidates):
        return ClockChoice("publish", f"{why}; some log times are of another clock", None)
    return ClockChoice("log", why, None)


def _is_sound(stream: Stream, clock: Clock) -> bool:
    """Every message has a stamp by that clock, and none is far away from the others."""
    return (clock != "header" or stream.has_header_stamps) and not measure_pace(stream.time_ns(clock)).num_far


def _log_minus_header(stream: Stream) -> int:
    return estimate_clock(stream.header_time_ns, stream.log_time_ns).offset_ns or 0
