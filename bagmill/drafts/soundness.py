"""What is wrong with a channel's stamps by one clock, as another clock of the same messages shows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bagmill.alignment.order import StampOrder
from bagmill.drafts.pace import Pace, measure_pace
from bagmill.drafts.strays import find_strays
from bagmill.profile import Clock
from bagmill.quality.clock_steps import find_steps, other_clock
from bagmill.streams.index import Stream

_CLOCKS: tuple[Clock, ...] = ("header", "log", "publish")
_LEAST_DISTINCT = 0.6
"""Of the different stamps that the best clock gives."""
_LEAST_JUMP_NS = 1_000_000_000
_MOST_PUBLISHERS = 8
_SLOWEST = 0.05
"""A simulation that is slower than this to the recorder is none."""


def why_unsound(stream: Stream, clock: Clock) -> str | None:
    """What speaks against a clock for a channel, as a clause about its topic; None where nothing does."""
    topic = stream.channel.topic
    if clock == "header" and not stream.has_header_stamps:
        return f"{topic} carries no header stamps, or zero ones"
    pace = measure_pace(stream.time_ns(clock))
    if pace.num_far:
        times = "header stamps" if clock == "header" else f"{clock} times"
        return f"{pace.num_far} of the {times} of {topic} are of another clock"
    if clock != "header":
        return _why_stepping(stream, clock)
    others = [other for other in _other_paces(stream) if not other.num_far and other.num_stamps > 1]
    return (
        _why_few(topic, pace, most=max((other.num_stamps for other in others), default=0))
        or _why_stepping(stream, clock)
        or _why_straying(stream)
        or next((why for other in others if (why := _why_jumping(topic, pace, other))), None)
        or next((why for other in others if (why := _why_standing(topic, pace, other))), None)
    )


def _other_paces(stream: Stream) -> list[Pace]:
    return [measure_pace(stream.time_ns(clock)) for clock in _CLOCKS[1:]]


def _why_few(topic: str, pace: Pace, *, most: int) -> str | None:
    if pace.num_stamps >= _LEAST_DISTINCT * most:
        return None
    if pace.num_stamps == 1:
        return f"the header stamp of {topic} never changes"
    return f"{topic} has one header stamp for {pace.num_messages / pace.num_stamps:.2g} messages"


def _why_stepping(stream: Stream, clock: Clock) -> str | None:
    """A clock that was set, as the check `clock_steps` judges it when the recording is ingested."""
    largest_ns = 0
    for rows in _publishers(stream):
        stamps = stream.time_ns(clock)[rows]
        other = other_clock(clock, log_ns=stream.log_time_ns[rows], header_ns=stream.header_time_ns[rows])
        other_ns = None if other is None else other[1]
        steps = find_steps(stamps, StampOrder.of(stamps), other_ns, is_everybodys=clock != "header")
        largest_ns = max([largest_ns, *(step.change_ns for step in steps)], key=abs)
    if not largest_ns:
        return None
    way = "back" if largest_ns < 0 else "forward"
    return f"the {clock} clock of {stream.channel.topic} was set {way} by {abs(largest_ns) / 1e9:.3g} s"


def _why_straying(stream: Stream) -> str | None:
    """Header stamps far from those beside them: their messages would feed no tick, and the first one begin the episode."""
    away_ns = [
        find_strays(stamps, log, pace_ns=measure_pace(log).interval_ns)
        for rows in _publishers(stream)
        for stamps, log in [(stream.header_time_ns[rows], stream.log_time_ns[rows])]
    ]
    num_strays = sum(map(len, away_ns))
    if not num_strays:
        return None
    farthest_s = max(int(away.max(initial=0)) for away in away_ns) / 1e9
    are = "header stamp of {} is" if num_strays == 1 else "header stamps of {} are"
    return f"{num_strays} {are.format(stream.channel.topic)} up to {farthest_s:.3g} s away from those beside"


def _publishers(stream: Stream) -> Iterator[NDArray[np.intp]]:
    """Rows of the messages of every publisher: those that share a channel have a form each, and a clock each."""
    forms = np.unique(stream.form)
    if len(forms) > _MOST_PUBLISHERS:
        yield np.arange(stream.num_messages)
        return
    yield from (np.flatnonzero(stream.form == form) for form in forms)


def _why_jumping(topic: str, pace: Pace, other: Pace) -> str | None:
    """A pause that the other clock knows nothing of is a clock that was set forward."""
    unknown_ns = pace.longest_interval_ns - other.longest_interval_ns
    longer_ns = (pace.end_ns - pace.start_ns) - (other.end_ns - other.start_ns)
    if unknown_ns <= max(_LEAST_JUMP_NS, 0.1 * (other.end_ns - other.start_ns)) or longer_ns < 0.8 * unknown_ns:
        return None
    return f"the header clock of {topic} was set forward by {unknown_ns / 1e9:.3g} s"


def _why_standing(topic: str, pace: Pace, other: Pace) -> str | None:
    """Stamps that hardly move on are set once and counted up; no simulation runs so slowly."""
    covered_ns, recorded_ns = pace.end_ns - pace.start_ns, other.end_ns - other.start_ns
    if recorded_ns <= _LEAST_JUMP_NS or covered_ns >= _SLOWEST * recorded_ns:
        return None
    return f"the header stamps of {topic} cover {covered_ns / 1e9:.2g} s of the {recorded_ns / 1e9:.2g} s it was recorded for"
