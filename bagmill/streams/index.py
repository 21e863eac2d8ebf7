"""The scan's result: every stream of a recording as stamps and pointers, and what the recording holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bagmill.messages.content import ChannelContent
from bagmill.profile import Clock, StampSpec
from bagmill.recordings.losses import Losses
from bagmill.recordings.records import Channel, Fault

NO_STAMP = np.iinfo(np.int64).min
"""In `Stream.header_time_ns`: the message has no header stamp, or one that could not be read."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One channel's messages as time stamps plus pointers into the recording.

    The pointer is the position itself: row n is the channel's message with `Message.sequence == n`.
    """

    channel: Channel
    content: ChannelContent
    """What most of its messages hold, of those that hold something."""
    log_time_ns: NDArray[np.int64]
    """(N,) ns since the Unix epoch, in the recording's own order, so not necessarily rising."""
    publish_time_ns: NDArray[np.int64]
    """(N,)"""
    header_time_ns: NDArray[np.int64]
    """(N,) the stamp inside the message; `NO_STAMP` where there is none."""
    size_bytes: NDArray[np.int64]
    """(N,) payload sizes."""
    contents: tuple[ChannelContent, ...] = ()
    """The forms that its messages have, in the order of their first appearance; left out: `content` alone."""
    form: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    """(N,) the place of every message's form in `contents`; `messages.UNREADABLE` or `messages.UNTOLD` where it has none.
    Left out: all of them are of the first."""

    def __post_init__(self) -> None:
        if not self.contents:
            object.__setattr__(self, "contents", (self.content,))
            object.__setattr__(self, "form", np.zeros(len(self.log_time_ns), np.int32))

    @property
    def num_messages(self) -> int:
        """N."""
        return len(self.log_time_ns)

    @property
    def num_messages_by_form(self) -> NDArray[np.int64]:
        """(F,) of each of `contents`; those without a form are in none."""
        return np.bincount(self.form[self.form >= 0], minlength=len(self.contents))

    @property
    def has_header_stamps(self) -> bool:
        """Every message carries a stamp that is not zero (drivers that never set it leave it at zero)."""
        return self.num_messages > 0 and bool(np.all((self.header_time_ns != NO_STAMP) & (self.header_time_ns != 0)))

    def time_ns(self, clock: str) -> NDArray[np.int64]:
        """Stamps (N,) by the named clock: `header`, `log` or `publish`."""
        match clock:
            case "header":
                return self.header_time_ns
            case "log":
                return self.log_time_ns
            case "publish":
                return self.publish_time_ns
        raise ValueError(f"no clock is called {clock!r}")


@dataclass(frozen=True, slots=True)
class RecordingIndex:
    """All that the later stages need to know of a recording without opening it."""

    path: str
    """Where it was when it was scanned."""
    container: str
    """`mcap`, `rosbag1` or `rosbag2`."""
    content_hash: str
    """`xxh3_128:` and 32 hex digits over the files' bytes in order: the recording's identity, wherever it lies."""
    size_bytes: int
    """Of all its files together."""
    streams: tuple[Stream, ...]
    """By channel id; channels without a message included."""
    faults: tuple[Fault, ...]
    losses: Losses = field(default_factory=Losses)
    """What is missing in a recording that was salvaged."""
    own_stamps: Mapping[tuple[str, StampSpec], NDArray[np.int64]] = field(default_factory=dict)
    """(topic, where in its messages) → the stamps (N,) that stand there, ns; `NO_STAMP` where there is none. Empty in the
    scan itself: `restamped` fills it for a profile."""
    boot_offset_ns: int | None = None
    """What was added to stamps that count from boot, ns; None where the profile names none, and in the scan itself."""

    @property
    def is_salvaged(self) -> bool:
        """Whether it was read around damage that would have stopped it otherwise, with messages missing."""
        return bool(self.losses)

    @property
    def num_messages_from_scan(self) -> int:
        """On all channels together, as counted, not as the container says."""
        return sum(stream.num_messages for stream in self.streams)

    def stamps_of(self, stream: Stream, clock: Clock, stamp: StampSpec | None) -> NDArray[np.int64]:
        """Stamps (N,) of a stream by a clock, ns; by `header` those that stand where a profile says."""
        if clock == "header" and stamp is not None:
            return self.own_stamps[stream.channel.topic, stamp]
        return stream.time_ns(clock)

    def streams_of(self, topic: str) -> tuple[Stream, ...]:
        """Streams of a topic: one, but for a topic that was recorded with two schemas."""
        return tuple(stream for stream in self.streams if stream.channel.topic == topic)
