"""Frames on their way into an array's shards, as they come."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from bagmill.codecs import jpeg_info
from bagmill.codecs.lossless import check_size
from bagmill.episodes.frame_array import FrameArray
from bagmill.episodes.shard import ShardWriter
from bagmill.episodes.write_behind import WriteBehind
from bagmill.errors import CodecError, StorageError

_MAX_OPEN_FILES: Final = 4


class FrameSink:
    """Takes encoded frames by tick and writes them to their shards at once; memory is 16 bytes a tick.

    Frames lie in a shard in the order of `put`, so that the same calls give the same bytes. For one thread at a time.

    Args:
        array: The array that the frames are of.
        root: The folder the array is in.
        behind: Who writes the shards; None: the thread that calls.
    """

    def __init__(self, array: FrameArray, root: Path, *, behind: WriteBehind | None = None) -> None:
        self.array = array
        self._behind = behind
        self._root = root
        # Asked of every frame.
        self._is_jpeg = array.coding == "jpeg"
        self._frame_bytes = math.prod(array.shape) * array.dtype.itemsize
        self._num_ticks = array.num_ticks
        self._shard_ticks = array.shard_ticks
        self._shards: dict[int, ShardWriter] = {}
        self._recent: list[int] = []
        self._checksums: list[str | None] = [None] * array.num_shards

    def put(self, tick: int, data: bytes | memoryview, *, also: Iterable[int] = ()) -> None:
        """Store one encoded frame behind one or several ticks: once in every shard that has some of them.

        Args:
            tick: Position on the timeline.
            data: The encoded frame; a read-only view must stay as it is until the sink is closed.
            also: Further ticks of the same frame.

        Raises:
            CodecError: A frame that is not of the array's size, or a JPEG that no RGB can be made of.
            StorageError: A tick that is outside the episode or has a frame already, or the disk does not take it.
        """
        if self._is_jpeg:
            self._check_jpeg(data)
        else:
            check_size(data, self._frame_bytes)
        first_chunk: dict[int, int] = {}
        for each in (tick, *also):
            if not 0 <= each < self._num_ticks:
                raise StorageError(f"{self.array.name}: tick {each} is outside 0…{self._num_ticks - 1}")
            shard, chunk = divmod(each, self._shard_ticks)
            writer = self._shard(shard)
            if shard in first_chunk:
                writer.alias(chunk, first_chunk[shard])
            else:
                writer.append(chunk, data)
                first_chunk[shard] = chunk

    def close(self) -> None:
        """Finish every shard.

        Raises:
            StorageError: The disk does not take it.
        """
        for shard, writer in self._shards.items():
            writer.finish()
            self._checksums[shard] = writer.checksum
        self._forget()

    @property
    def checksums(self) -> Sequence[str | None]:
        """Of the closed sink's files, as `ShardWriter.checksum`; None for a shard that has no frame, and no file."""
        return self._checksums

    def abandon(self) -> None:
        """Give the file handles back; what was written is of no use, so that a full disk is no matter here."""
        for writer in self._shards.values():
            with contextlib.suppress(StorageError):
                writer.pause()
        self._forget()

    def _forget(self) -> None:
        self._shards.clear()
        self._recent.clear()

    def _check_jpeg(self, data: bytes | memoryview) -> None:
        info = jpeg_info(data)
        if (info.height, info.width) != self.array.shape[:2] or info.num_components > 3:
            height, width = self.array.shape[:2]
            raise CodecError(
                f"{self.array.name}: expected a gray or colour JPEG of {width}×{height}, "
                f"found {info.width}×{info.height} with {info.num_components} components"
            )

    def _shard(self, shard: int) -> ShardWriter:
        if not self._recent or self._recent[-1] != shard:
            self._touch(shard)
        return self._shards[shard]

    def _touch(self, shard: int) -> None:
        """Make a shard the most recent one, and pause the one that was touched longest ago."""
        if shard not in self._shards:
            path = self.array.shard_path(self._root, shard)
            self._shards[shard] = ShardWriter(path, self._shard_ticks, behind=self._behind)
        if shard in self._recent:
            self._recent.remove(shard)
        self._recent.append(shard)
        if len(self._recent) > _MAX_OPEN_FILES:
            self._shards[self._recent.pop(0)].pause()
