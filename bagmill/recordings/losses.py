"""What a damaged recording no longer gives: how many messages of which channel, and how much time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bagmill.limits import limits

LOSS_CODES: Final = frozenset(
    {
        "chunk_crc_mismatch",
        "chunk_damaged",
        "chunk_missing",
        "count_differs_from_summary",
        "database_damaged",
        "message_damaged",
        "missing_split",
        "record_damaged",
        "rows_missing",
        "split_unreadable",
        "truncated",
        "unknown_channel",
    }
)
"""Codes of faults by which messages are missing while those that are read are whole: what salvage goes on without."""
_LONGEST_S: Final = 366 * 86_400.0
"""A longer time between two messages is a damaged stamp."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Messages that are missing at one place, of one channel where that is known."""

    kind: str
    """The code of the fault, as in `LOSS_CODES`."""
    where: str
    """The place, in words: `bytes 120,331 to 188,120`."""
    channel: str | None = None
    """Topic; None: of whichever channels."""
    num_messages: int | None = None
    """None: it cannot be known."""
    seconds: float | None = None
    """Time that the missing messages covered; None: it cannot be known. Equal in all entries of one place."""

    @property
    def sentence(self) -> str:
        """The loss in words."""
        count = "an unknown number of messages" if self.num_messages is None else f"{self.num_messages:,} messages"
        on = "" if self.channel is None else f" on {self.channel}"
        time = "" if self.seconds is None else f", {self.seconds:.3f} s"
        return f"{count}{on}{time} ({self.where})"


@dataclass(frozen=True, slots=True)
class Losses:
    """All that is missing in a recording; false where nothing is."""

    entries: tuple[Loss, ...] = ()
    """In the order in which they were found."""
    num_messages: int | None = 0
    """Together; None where it cannot be known."""
    seconds: float | None = 0.0
    """Together; None where it cannot be known."""

    def __bool__(self) -> bool:
        return bool(self.entries)


class LossLog:
    """Losses as they are found, each told once however often the recording is read.

    Args:
        is_kept: False: nothing is noted, for a recording that is not salvaged.
    """

    def __init__(self, *, is_kept: bool) -> None:
        self.is_kept = is_kept
        self._entries: dict[tuple[str, str, str | None], Loss] = {}
        self._num_more = 0
        self._is_counted = False

    def add(
        self,
        kind: str,
        where: str,
        *,
        channel: str | None = None,
        num_messages: int | None = None,
        seconds: float | None = None,
    ) -> None:
        """Note a loss, unless that place of that channel was noted before."""
        key = (kind, where, channel)
        if not self.is_kept or key in self._entries:
            return
        if len(self._entries) >= limits().faults:
            self._num_more += 1
            return
        self._entries[key] = Loss(kind, where, channel, num_messages, seconds)

    def add_counts(
        self, kind: str, where: str, counts: Mapping[str, int] | None, *, seconds: float | None = None
    ) -> None:
        """Note a loss channel by channel; None or nothing: it is not known which and how many."""
        if not counts:
            self.add(kind, where, seconds=seconds)
        for channel, count in (counts or {}).items():
            self.add(kind, where, channel=channel, num_messages=count, seconds=seconds)

    def extend(self, losses: Losses, *, where: str, rest_s: float | None = None) -> None:
        """Take over the losses of one file of several.

        Args:
            losses: Of the file.
            where: Its name.
            rest_s: Time from its last message that was read to its last one, where that is known.
        """
        cut_s = sum(loss.seconds or 0.0 for loss in losses.entries if loss.kind == "truncated")
        for loss in losses.entries:
            seconds = loss.seconds
            if seconds is None and loss.kind == "truncated" and rest_s is not None:
                seconds = max(rest_s - cut_s, 0.0)
            self.add(
                loss.kind,
                f"{where}: {loss.where}",
                channel=loss.channel,
                num_messages=loss.num_messages,
                seconds=seconds,
            )

    def count(self, missing: Mapping[str, int]) -> None:
        """Hold the losses against what the recording counts of itself: what is missing is known from then on.

        Args:
            missing: Messages by topic that the recording counts and that were not read.
        """
        self._is_counted = True
        known: dict[str, int] = {}
        for loss in self._entries.values():
            if loss.channel is not None:
                known[loss.channel] = known.get(loss.channel, 0) + (loss.num_messages or 0)
        for topic, num_missing in missing.items():
            rest = num_missing - known.get(topic, 0)
            if rest > 0:
                where = "by the recording's own count"
                self.add("count_differs_from_summary", where, channel=topic, num_messages=rest)

    @property
    def losses(self) -> Losses:
        """As far as they are known."""
        if not self._entries:
            return Losses()
        entries = tuple(self._entries.values())
        if self._num_more:
            entries += (Loss("more", f"{self._num_more:,} further places"),)
        # Where all messages were counted, the entries of channels make up the whole; those of places tell where it is.
        counted = [loss.num_messages for loss in entries if loss.channel is not None or not self._is_counted]
        times: dict[tuple[str, str], float | None] = {(loss.kind, loss.where): loss.seconds for loss in entries}
        if self._is_counted:  # that entry is of no place of its own, so that its time is in the others
            times = {key: time for key, time in times.items() if key[0] != "count_differs_from_summary"} or times
        seconds = [time for time in times.values() if time is not None]
        return Losses(
            entries=entries,
            num_messages=None if self._num_more or None in counted else sum(filter(None, counted)),
            seconds=sum(seconds) if len(seconds) == len(times) else None,
        )


def seconds_between(first_ns: int | None, last_ns: int | None) -> float | None:
    """Time from one stamp to another; None where one is not known, or they are not stamps of one recording."""
    if first_ns is None or last_ns is None:
        return None
    seconds = (last_ns - first_ns) / 1e9
    return seconds if 0 <= seconds <= _LONGEST_S else None


def bytes_text(start: int, end: int) -> str:
    """Place of the bytes [start, end) of a file, in words."""
    return f"bytes {start:,} to {end:,}"
