"""Writes an episode: features and what describes their ticks in, an immutable folder out, whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import zarr
from numpy.typing import NDArray

from bagmill.codecs import CodecStep
from bagmill.episodes import layout
from bagmill.episodes.frame_array import create_frame_array
from bagmill.episodes.frame_sink import FrameSink
from bagmill.episodes.metadata import write_root_metadata
from bagmill.episodes.staging import StagingFolder
from bagmill.episodes.value_array import write_value_array
from bagmill.episodes.write_behind import WriteBehind
from bagmill.errors import BagmillError, StorageError


class EpisodeWriter:
    """A context manager around one episode version in the making.

    Nothing is to be seen of the episode before `publish`, and nothing is left of it where the block ends without. The
    same calls give the same bytes.

    Args:
        dataset: The dataset's folder.
        episode: Its name.
        version: See `episode_version`.
        replaces: Take the place of the same version where it is published already: it was found damaged. The two are
            exchanged at once; see `StagingFolder.publish`.
    """

    def __init__(self, dataset: Path, episode: str, version: str, *, replaces: bool = False) -> None:
        self.path = layout.episode_path(dataset, episode, version)
        self.has_published = False
        """True once `publish` has put this writer's own episode in place; False where another one's was there."""
        self._version = version
        self._replaces = replaces
        self._staging: StagingFolder | None = None
        self._behind = WriteBehind()
        self._sinks: dict[str, FrameSink] = {}
        self._checksums: dict[str, Sequence[str | None]] = {}
        """By array of values; those of frames are their sinks' to say."""
        self._num_ticks: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._staging = StagingFolder.claim(self.path.parent, version=self._version)
        try:
            with self._translated():
                self._group = zarr.create_group(store=str(self._staging.path), zarr_format=3)
        except StorageError:
            self._staging.discard()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._staging is not None:
            for sink in self._sinks.values():
                sink.abandon()
            self._staging.discard()
            self._staging = None
        self._behind.close()

    def add_images(
        self,
        name: str,
        *,
        num_ticks: int,
        height: int,
        width: int,
        step: CodecStep,
        quality: int = 95,
        attributes: Mapping[str, Any] | None = None,
    ) -> FrameSink:
        """Add a camera's array of RGB frames.

        Args:
            name: `images/<camera>`.
            num_ticks: T.
            height: Of the frames, lines.
            width: Of the frames, pixels.
            step: How the frames put into the sink are encoded.
            quality: Of the JPEGs that are encoded, not copied; on record only.
            attributes: Of the array, JSON values.

        Returns:
            Where its frames go; ticks without one are not stored and read as zeros.

        Raises:
            StorageError: The name is taken, or the disk does not take it.
        """
        return self._add_frames(name, num_ticks, (height, width, 3), step=step, quality=quality, attributes=attributes)

    def add_depth(
        self, name: str, *, num_ticks: int, height: int, width: int, attributes: Mapping[str, Any] | None = None
    ) -> FrameSink:
        """Add a camera's array of depth frames; arguments, result and errors as of `add_images`."""
        return self._add_frames(name, num_ticks, (height, width), step=None, quality=0, attributes=attributes)

    def discard_frames(self, name: str) -> None:
        """Remove a camera's array, so that it can be added again with another codec step.

        Raises:
            StorageError: No frames were added under this name.
        """
        if name not in self._sinks:
            raise StorageError(f"there are no frames of {name} to discard", path=self.path)
        self._sinks.pop(name).abandon()
        del self._num_ticks[name]
        shutil.rmtree(self._folder / name)

    def put_signal(
        self, name: str, values: NDArray[np.floating], *, attributes: Mapping[str, Any] | None = None
    ) -> None:
        """Write a signal's values.

        Args:
            name: Of the feature.
            values: (T, D) float32 or float64; nan where not valid.
            attributes: Of the array, JSON values.

        Raises:
            StorageError: The name is taken, the values have another shape or type, or the disk does not take them.
        """
        if values.ndim != 2 or values.dtype.kind != "f":
            raise StorageError(f"{name}: expected float (T, D), found {values.dtype} {values.shape}", path=self.path)
        self.put_array(name, values, attributes=attributes)

    def put_array(self, name: str, values: NDArray[Any], *, attributes: Mapping[str, Any] | None = None) -> None:
        """Write a whole array, such as `time` or `valid/<feature>`.

        Args:
            name: Of the array; see `layout`.
            values: First axis ticks.
            attributes: Of the array, JSON values.

        Raises:
            StorageError: The name is taken, or the disk does not take it.
        """
        num_ticks, *row = values.shape
        rows = layout.chunk_ticks(num_ticks, tick_bytes=values.itemsize * int(np.prod(row)))
        with self._translated():
            self._checksums[name] = write_value_array(
                self._folder, name, values, chunk_rows=rows, attributes=attributes or {}
            )
        self._num_ticks[name] = num_ticks

    def publish(self, attributes: Mapping[str, Any]) -> Path:
        """Finish the episode and put it in its place, unless another writer has put the same version there.

        Args:
            attributes: Of the episode, JSON values.

        Returns:
            Its folder.

        Raises:
            StorageError: Arrays that do not fit together, attributes that are no JSON, or the disk does not take it.
        """
        for sink in self._sinks.values():
            sink.close()
        self._check_arrays()
        checksums = {**self._checksums, **{name: sink.checksums for name, sink in self._sinks.items()}}
        write_root_metadata(self._folder, attributes, checksums=checksums)
        if self._staging is not None:
            self.has_published = self._staging.publish(self.path, replaces=self._replaces)
            self._staging = None
        return self.path

    @property
    def _folder(self) -> Path:
        if self._staging is None:
            raise StorageError("its writer is not open", path=self.path, remedy="Use it in a `with` block, once")
        return self._staging.path

    def _add_frames(
        self,
        name: str,
        num_ticks: int,
        shape: tuple[int, ...],
        *,
        step: CodecStep | None,
        quality: int,
        attributes: Mapping[str, Any] | None,
    ) -> FrameSink:
        with self._translated():
            array = create_frame_array(
                self._group,
                name,
                num_ticks=num_ticks,
                shape=shape,
                step=step,
                quality=quality,
                attributes=attributes or {},
            )
        self._num_ticks[name] = num_ticks
        self._sinks[name] = FrameSink(array, self._folder, behind=self._behind)
        return self._sinks[name]

    def _check_arrays(self) -> None:
        num_ticks = self._num_ticks.get(layout.TIME)
        problems = [f"{name} lies inside another array" for name in layout.names_that_clash(self._num_ticks)]
        if num_ticks is None:
            problems.append(f"there is no array {layout.TIME}")
        else:
            problems += [
                f"{name} has {n} ticks, {layout.TIME} has {num_ticks}"
                for name, n in self._num_ticks.items()
                if n != num_ticks
            ]
        if problems:
            raise StorageError(f"arrays that do not fit together: {'; '.join(problems)}", path=self.path)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        self._folder  # noqa: B018 - says that the writer is not open, where it is not
        try:
            yield
        except (BagmillError, MemoryError):
            raise
        except Exception as err:
            raise StorageError(f"cannot be written ({err})", path=self.path) from err
