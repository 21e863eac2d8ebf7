"""Streams → one timeline: the span they share, its ticks, and every feature laid on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bagmill.alignment.neighbours import Instants
from bagmill.alignment.rules import RULES
from bagmill.alignment.ticks import count_ticks, make_ticks
from bagmill.alignment.timeline import Timeline
from bagmill.errors import AlignmentError
from bagmill.limits import limits

MAX_DURATION_NS = 24 * 3600 * 1_000_000_000
"""The longest timeline: a day. What is longer is nearly always a wrong stamp."""
_SECONDS_PER_DAY = 86_400
_DAYS_PER_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class AlignmentRequest:
    """One feature that is to be laid on the timeline."""

    stamps_ns: NDArray[np.int64]
    """(N,) stamps of its channel's messages by the chosen clock, as recorded."""
    rule: str
    """Name in `RULES`."""
    tolerance_ns: int
    is_required: bool
    """The timeline lasts as long as all required features do; the others are laid on it as far as they reach."""


def align(
    requests: Mapping[str, AlignmentRequest], *, rate_hz: Fraction, span: Literal["overlap", "union"] = "overlap"
) -> Timeline:
    """Lay features on one timeline.

    Args:
        requests: By feature.
        rate_hz: Ticks a second.
        span: From where to where the required features set the ticks; where no feature is required, all do. `overlap`: as
            long as all of their streams last, from the latest first stamp to the earliest last one. `union`: as long as
            any does.

    Raises:
        AlignmentError: A stream that counts is empty, the streams have no time in common, or have so much of it (a
            stamp of 0 ns) that a stamp must be wrong.
        RegistryError: There is no such rule.
    """
    counting = {name: request for name, request in requests.items() if request.is_required} or requests
    streams = {name: request.stamps_ns for name, request in counting.items()}
    _check_streams(streams)
    start_ns, end_ns = _shared_span(streams) if span == "overlap" else _whole_span(streams)
    num_ticks = count_ticks(start_ns, end_ns, rate_hz=rate_hz)
    if end_ns - start_ns > MAX_DURATION_NS or num_ticks > limits().ticks:
        raise _too_long(counting, start_ns, end_ns, num_ticks=num_ticks)
    ticks_ns = make_ticks(start_ns, end_ns, rate_hz=rate_hz)
    return Timeline(
        time_ns=ticks_ns,
        features={
            name: RULES[request.rule].select(request.stamps_ns, ticks_ns, tolerance_ns=request.tolerance_ns)
            for name, request in requests.items()
        },
    )


def _check_streams(streams: Mapping[str, NDArray[np.int64]]) -> None:
    if not streams:
        raise AlignmentError("no feature to lay on a timeline", remedy="Name at least one in the profile")
    if empty := [name for name, stamps in streams.items() if not len(stamps)]:
        raise AlignmentError(
            f"no messages for {', '.join(f'feature {name}' for name in empty)}",
            remedy="Check that the channel was recorded, or say `required: false` of it in the profile",
        )


def _whole_span(streams: Mapping[str, NDArray[np.int64]]) -> tuple[int, int]:
    """From the earliest first stamp to the latest last one, both included, ns."""
    return min(int(stamps.min()) for stamps in streams.values()), max(int(stamps.max()) for stamps in streams.values())


def _shared_span(streams: Mapping[str, NDArray[np.int64]]) -> tuple[int, int]:
    """From the latest first stamp to the earliest last one, both included, ns."""
    firsts = {name: int(stamps.min()) for name, stamps in streams.items()}
    lasts = {name: int(stamps.max()) for name, stamps in streams.items()}
    late = max(firsts, key=firsts.__getitem__)
    early = min(lasts, key=lasts.__getitem__)
    if firsts[late] > lasts[early]:
        raise AlignmentError(
            f"the features have no time in common: {late} starts {_duration(firsts[late] - lasts[early])} after "
            f"{early} has ended (first message of {late} at {firsts[late]} ns, last of {early} at {lasts[early]} ns)",
            remedy="Check that both use the same clock; `required: false` of one, or `span: union`, lets them pass",
        )
    return firsts[late], lasts[early]


def _too_long(
    requests: Mapping[str, AlignmentRequest], start_ns: int, end_ns: int, *, num_ticks: int
) -> AlignmentError:
    jumps = {name: _largest_jump(request.stamps_ns, start_ns, end_ns) for name, request in requests.items()}
    name, (jump_ns, before, after) = max(jumps.items(), key=lambda item: item[1][0])
    if 2 * jump_ns <= end_ns - start_ns:
        return AlignmentError(
            f"the features share {_duration(end_ns - start_ns)}, which would make {num_ticks:,} ticks; an episode has "
            f"at most {MAX_DURATION_NS // 3_600_000_000_000} h and {limits().ticks:,} ticks (limit `ticks`)",
            remedy="Split the recording, or lower `rate_hz` in the profile",
        )
    stamps = requests[name].stamps_ns
    num_before, num_after = int(np.count_nonzero(stamps <= before)), int(np.count_nonzero(stamps >= after))
    if num_before <= num_after:
        stray = "one message at" if num_before == 1 else f"{num_before:,} messages up to"
        stray += f" {before} ns and the next {_duration(jump_ns)} later, at {after} ns"
    else:
        stray = "one message at" if num_after == 1 else f"{num_after:,} messages from"
        stray += f" {after} ns, {_duration(jump_ns)} after the one before, at {before} ns"
    return AlignmentError(
        f"feature {name} has {stray}: a stamp that is wrong, not a timeline of {num_ticks:,} ticks",
        remedy="Choose another `clock` for this feature in the profile, or cut the recording where its clock jumps",
    )


def _largest_jump(stamps_ns: NDArray[np.int64], start_ns: int, end_ns: int) -> tuple[int, int, int]:
    """The longest time without a message inside the span: its length, the stamp before it and the one after, ns."""
    stamps = Instants.of(stamps_ns).stamps_ns
    stamps = stamps[(stamps >= start_ns) & (stamps <= end_ns)]
    if len(stamps) < 2:
        return 0, start_ns, end_ns
    place = int(np.argmax(np.diff(stamps.view(np.uint64))))
    before, after = int(stamps[place]), int(stamps[place + 1])
    return after - before, before, after


def _duration(length_ns: int) -> str:
    seconds = length_ns / 1e9
    days = seconds / _SECONDS_PER_DAY
    if days < 2:
        return f"{seconds:,.3f} s"
    long = f"{days:,.1f} days" if days < _DAYS_PER_YEAR else f"{days / _DAYS_PER_YEAR:,.1f} years"
    return f"{seconds:,.0f} s ({long})"
