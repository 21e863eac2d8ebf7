"""Which clock a draft's timeline is built on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bagmill.drafts.candidates import Candidate
from bagmill.drafts.pace import Pace, measure_pace
from bagmill.profile import Clock
from bagmill.streams.index import Stream


@dataclass(frozen=True, slots=True)
class ClockChoice:
    """The clock, and why this one."""

    clock: Clock
    reason: str


def choose_clock(candidates: Sequence[Candidate]) -> ClockChoice:
    """`header` where all stamps of all candidates are sound and of one time, `log` elsewhere.

    Args:
        candidates: Those that the timeline is about, at least one.
    """
    unstamped = [candidate.topic for candidate in candidates if not candidate.stream.has_header_stamps]
    if not unstamped and is_one_time([measure_pace(candidate.stream.header_time_ns) for candidate in candidates]):
        return ClockChoice("header", "every channel's messages carry the stamp of the moment they tell of")
    why = (
        f"{_listed(unstamped)} {'carries' if len(unstamped) == 1 else 'carry'} no header stamps, or zero ones"
        if unstamped
        else "the channels' header stamps are of different clocks"
    )
    logged = [measure_pace(candidate.stream.log_time_ns) for candidate in candidates]
    published = [measure_pace(candidate.stream.publish_time_ns) for candidate in candidates]
    if not is_one_time(logged) and is_one_time(published):
        return ClockChoice("publish", f"{why}; some log times are of another clock")
    return ClockChoice("log", why)


def clock_of_channel(stream: Stream, *, chosen: Clock, main: Pace) -> Clock | None:
    """The clock by which a channel fits into the timeline: the chosen one, else its log time; None where neither does."""
    for clock in dict.fromkeys((chosen, "log")):
        if clock == "header" and not stream.has_header_stamps:
            continue
        if is_one_time([main, measure_pace(stream.time_ns(clock))]):
            return clock
    return None


def is_one_time(paces: Sequence[Pace]) -> bool:
    """All stamps are usable, and there is a time that all channels but for late or short ones share with the longest."""
    longest = max(paces, key=lambda pace: pace.end_ns - pace.start_ns)
    return all(
        pace.num_messages and not pace.num_far and pace.start_ns <= longest.end_ns and pace.end_ns >= longest.start_ns
        for pace in paces
    )


def _listed(topics: Sequence[str]) -> str:
    return ", ".join(topics[:3]) + (f" and {len(topics) - 3} more" if len(topics) > 3 else "")
