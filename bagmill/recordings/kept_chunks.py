"""Unpacked chunks kept from one pass for the next: a short recording is unpacked once, though it is read twice."""

from __future__ import annotations

from typing import Final

from bagmill.recordings.records import Buffer

MOST_BYTES: Final = 256 << 20
"""More than the teleoperated episodes of today's datasets, unpacked, and a quarter of what an episode may take."""


class KeptChunks:
    """The contents of a file's first chunks, as long as they fit.

    Args:
        most_bytes: Kept at most, all together.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._contents: dict[int, Buffer] = {}
        self._room_bytes = most_bytes

    def keep(self, offset: int, content: Buffer) -> None:
        """Keep the content of the chunk at an offset, if it is not kept already and there is room."""
        if len(content) <= self._room_bytes and offset not in self._contents:
            self._contents[offset] = content
            self._room_bytes -= len(content)

    def get(self, offset: int) -> Buffer | None:
        """The content of the chunk at an offset; None where it was not kept."""
        return self._contents.get(offset)

    def clear(self) -> None:
        """Let go of them all, and keep no more."""
        self._contents.clear()
        self._room_bytes = 0
