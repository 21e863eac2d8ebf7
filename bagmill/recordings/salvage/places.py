"""What is missing at the places of a file that a pass cannot read: counted by the indexes that stand behind lost chunks."""

from __future__ import annotations

from collections.abc import Callable

from bagmill.recordings.losses import LossLog, bytes_text, seconds_between


class LostPlaces:
    """One pass's account of lost chunks and of the gaps between records.

    Args:
        log: Where the losses go.
        topic_of: Name of a channel by the container's own number of it.
    """

    def __init__(self, log: LossLog, topic_of: Callable[[int], str]) -> None:
        self._log = log
        self._topic_of = topic_of
        self._until_ns: int | None = None
        self._lost: tuple[str, str, float | None] | None = None
        self._counts: dict[int, int] = {}
        self._gap: tuple[str, str] | None = None

    @property
    def is_kept(self) -> bool:
        """Whether anybody wants to know."""
        return self._log.is_kept

    def reach(self, first_ns: int, last_ns: int) -> None:
        """Messages were read from one log time to another."""
        self._close()
        if self._gap is not None:
            self._log.add(*self._gap, seconds=seconds_between(self._until_ns, first_ns))
            self._gap = None
        self._until_ns = last_ns

    def lose(self, kind: str, start: int, end: int, *, seconds: float | None) -> None:
        """A chunk is left out; its indexes may follow."""
        self._close()
        self._lost = (kind, bytes_text(start, end), seconds)

    def count(self, number: int, num_messages: int) -> None:
        """What an index says of the chunk before it."""
        if self._lost is not None and num_messages > 0:
            self._counts[number] = self._counts.get(number, 0) + num_messages

    def gap(self, kind: str, start: int, end: int) -> None:
        """There are no records from one offset to another."""
        self._close()
        self._gap = (kind, bytes_text(start, end))

    def finish(self) -> None:
        """There is nothing more to read."""
        self._close()
        if self._gap is not None:
            self._log.add(*self._gap)
            self._gap = None

    def _close(self) -> None:
        """Note the chunk that was lost last: all its indexes are read."""
        if self._lost is None:
            return
        kind, where, seconds = self._lost
        counts: dict[str, int] = {}
        for number, num_messages in self._counts.items():
            topic = self._topic_of(number)
            counts[topic] = counts.get(topic, 0) + num_messages
        self._log.add_counts(kind, where, counts, seconds=seconds)
        self._lost, self._counts = None, {}
