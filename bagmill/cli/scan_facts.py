"""What a scan says to people: plain facts, and what to mind before training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from bagmill.cli.wording import counted, duration_text, stamp_text
from bagmill.drafts import (
    Candidate,
    Pace,
    draft_profile,
    find_candidates,
    innermost,
    listed,
    measure_pace,
    wanted_stamps,
    why_no_candidates,
    why_unsound,
)
from bagmill.errors import PlanError
from bagmill.messages import ChannelContent
from bagmill.recordings import Channel
from bagmill.recordings.differing import say_what_differs
from bagmill.streams import RecordingIndex, Stream, estimate_clock, mixed_pictures, picture_text
from bagmill.streams.index import NO_STAMP

_YEAR_1990_NS = 631_152_000 * 1_000_000_000
"""No robot was recorded before; a clock that says so was not set."""
_OFFSET_WORTH_A_WORD_NS = 1_000_000_000
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """One channel, as it is told."""

    topic: str
    type: str
    message_encoding: str
    num_messages: int
    size_bytes: int
    rate_hz: float
    """Messages over the time they cover; nan for fewer than two."""
    content: ChannelContent
    mixed: str
    """How many pictures are of which form, where they are of several; else empty."""
    stamps: Literal["header", "partly", "zero", "none"]
    """Whether messages carry a stamp: all of them, some, all but zero, or none."""
    offset_ns: int | None
    """Median of log − header; None without header stamps."""
    drift_ppm: float | None
    latency_p99_ns: int | None

    def holds(self, *, most_fields: int) -> str:
        """What is in its messages, in a few words."""
        content = self.content
        if not self.num_messages:
            return "nothing: no messages"
        if content.problem is not None:
            return content.problem
        if content.kind in ("image", "depth"):
            return f"{content.kind} {picture_text(content)}" + (f"; {self.mixed}" if self.mixed else "")
        if content.kind == "none":
            return "no pictures and no numbers"
        fields = [name if size == 1 else f"{name} ({size})" for name, size in innermost(content.fields).items()]
        more = f", {len(fields) - most_fields} more" if len(fields) > most_fields else ""
        return f"{', '.join(fields[:most_fields])}{more}"


def channel_facts(stream: Stream) -> ChannelFacts:
    """Gather one channel's facts."""
    clock = estimate_clock(stream.header_time_ns, stream.log_time_ns)
    stamps = _stamps(stream)
    return ChannelFacts(
        topic=stream.channel.topic,
        type=stream.channel.schema_name,
        message_encoding=stream.channel.message_encoding,
        num_messages=stream.num_messages,
        size_bytes=int(stream.size_bytes.sum()),
        rate_hz=measure_pace(stream.header_time_ns if stamps == "header" else stream.log_time_ns).mean_rate_hz,
        content=stream.content,
        mixed=mixed_pictures(stream) if stream.content.kind in ("image", "depth") else "",
        stamps=stamps,
        offset_ns=clock.offset_ns,
        drift_ppm=clock.drift_ppm,
        latency_p99_ns=clock.latency_p99_ns,
    )


def recording_facts(index: RecordingIndex) -> dict[str, object]:
    """A scan as plain values, units in the keys."""
    pace = _log_pace(index)
    return {
        "path": index.path,
        "container": index.container,
        "content_hash": index.content_hash,
        "size_bytes": index.size_bytes,
        "num_messages": index.num_messages_from_scan,
        "start_ns": pace.start_ns if pace.num_messages else None,
        "end_ns": pace.end_ns if pace.num_messages else None,
        "duration_ns": pace.end_ns - pace.start_ns if pace.num_messages else None,
        "num_log_times_far_off": pace.num_far,
        "is_trainable": bool(find_candidates(index)[0]),
        "channels": [_plain(channel_facts(stream)) for stream in index.streams],
        "faults": [fault.as_plain() for fault in index.faults],
        "advice": list(advice(index)),
    }


def advice(index: RecordingIndex) -> Iterator[str]:
    """What to mind, one sentence each; empty where nothing needs minding."""
    if not index.num_messages_from_scan:
        yield "It is empty: no channel has a message."
        return
    candidates, _ = find_candidates(index)
    yield from _about_log_time(index)
    if not candidates:
        reason = why_no_candidates(index)
        yield f"There is {reason}." if reason.startswith("nothing") else f"{reason[0].upper()}{reason[1:]}."
        return
    yield from _about_schemas(index)
    streams = [candidate.stream for candidate in candidates]
    yield from _about_missing_stamps(candidates)
    stamped = [stream for stream in streams if stream.has_header_stamps]
    unsound = [stream for stream in stamped if why_unsound(stream, "header") is not None]
    yield from _about_unsound_stamps(unsound)
    yield from _about_offsets([stream for stream in stamped if stream not in unsound])
    yield from _about_draft(index)
    yield "`bagmill profile` writes a profile to start from."


def _about_missing_stamps(candidates: Sequence[Candidate]) -> Iterator[str]:
    in_messages: dict[str, list[str]] = {}
    without: list[str] = []
    for candidate in candidates:
        if candidate.stream.has_header_stamps:
            continue
        wanted = wanted_stamps([candidate])
        topics = in_messages.setdefault(wanted[0].path, []) if wanted else without
        topics.append(candidate.topic)
    if without:
        yield f"{_say_unstamped(without)}: use clock `log` there."
    for path, topics in in_messages.items():
        yield (
            f"{_say_unstamped(topics)}: use clock `log` there, or, if `{path}` says when they were measured, "
            f"`stamp: {{field: {path}, unit: …, epoch: …}}`, which `bagmill profile` writes where it does."
        )


def _about_unsound_stamps(streams: Sequence[Stream]) -> Iterator[str]:
    for stream in streams[:_MOST_NAMED]:
        remedy = "; use clock `log` there" if why_unsound(stream, "log") is None else ""
        yield f"Header stamps cannot be used everywhere: {why_unsound(stream, 'header')}{remedy}."
    if len(streams) > _MOST_NAMED:
        yield f"Neither can those of {listed([stream.channel.topic for stream in streams[_MOST_NAMED:]])}."


def _say_unstamped(topics: list[str]) -> str:
    return f"{listed(topics)} {'carries' if len(topics) == 1 else 'carry'} no header stamps, or zero ones"


def _about_draft(index: RecordingIndex) -> Iterator[str]:
    try:
        yield from draft_profile(index).warnings
    except PlanError as err:
        yield f"No profile can be drafted: {err.problem}."


def _about_log_time(index: RecordingIndex) -> Iterator[str]:
    pace = _log_pace(index)
    if pace.num_far:
        stamps = np.concatenate([stream.log_time_ns for stream in index.streams])
        is_far = (stamps < pace.start_ns) | (stamps > pace.end_ns)
        be, first = ("is", int(stamps[is_far][0])) if pace.num_far == 1 else ("are", int(stamps[is_far].min()))
        at = "at time 0" if first == 0 else f"at {stamp_text(first)}"
        yield (
            f"{counted(pace.num_far, 'message')} {be} logged {at}, "
            f"{duration_text(abs(pace.start_ns - first))} away from the others: not a recording of that length."
        )
    if pace.num_messages and pace.start_ns < _YEAR_1990_NS:
        year = stamp_text(pace.start_ns)[:4]
        yield f"Log time starts in {year}: the recorder's clock was not set, or it is simulation time."
    if num_back := sum(int(np.count_nonzero(np.diff(stream.log_time_ns) < 0)) for stream in index.streams):
        yield f"{counted(num_back, 'message')} {'goes' if num_back == 1 else 'go'} back in log time on their channels."


def _about_schemas(index: RecordingIndex) -> Iterator[str]:
    of_topic: dict[str, list[Channel]] = {}
    for stream in index.streams:
        if stream.num_messages:
            of_topic.setdefault(stream.channel.topic, []).append(stream.channel)
    yield from (f"{say_what_differs(channels)}." for channels in of_topic.values() if len(channels) > 1)


def _about_offsets(streams: list[Stream]) -> Iterator[str]:
    offsets = {
        stream.channel.topic: offset
        for stream in streams
        if stream.has_header_stamps
        and (offset := estimate_clock(stream.header_time_ns, stream.log_time_ns).offset_ns) is not None
        and abs(offset) > _OFFSET_WORTH_A_WORD_NS
    }
    if not offsets:
        return
    offset = max(offsets.values(), key=abs)
    apart = f"Log time is {duration_text(abs(offset))} {'later' if offset > 0 else 'earlier'} than header time"
    starts = {
        clock: min(measure_pace(s.time_ns(clock)).start_ns for s in streams if s.channel.topic in offsets)
        for clock in ("header", "log")
    }
    if starts["log"] < _YEAR_1990_NS <= starts["header"]:
        what = "use clock `header`, which knows the date"
    elif starts["header"] < _YEAR_1990_NS <= starts["log"]:
        what = "header stamps are of simulation time, or of a clock that was not set"
    else:
        what = "two clocks that do not agree; choose one in the profile"
    yield f"{apart} on {listed(list(offsets))}: {what}."


def _log_pace(index: RecordingIndex) -> Pace:
    stamps = [stream.log_time_ns for stream in index.streams]
    return measure_pace(np.concatenate(stamps) if stamps else np.empty(0, np.int64))


def _stamps(stream: Stream) -> Literal["header", "partly", "zero", "none"]:
    if stream.has_header_stamps:
        return "header"
    header = stream.header_time_ns
    if np.any((header != NO_STAMP) & (header != 0)):
        return "partly"
    return "zero" if np.any(header == 0) else "none"


def _plain(facts: ChannelFacts) -> dict[str, object]:
    plain = asdict(facts)
    content = plain.pop("content")
    return {
        **plain,
        **{key: content[key] for key in ("kind", "encoding", "height", "width", "fields", "problem")},
        "joints": content["names"],
    }
