"""Reads an episode: frames straight from the shards, everything else whole.

zarr's own indexing costs more than decoding a frame does, so frames go round it: the root metadata is read once, a
shard is opened when it is first touched, and a tick is then a look-up, a checksum and one call to the decoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from bagmill.disk import is_absent
from bagmill.episodes import layout
from bagmill.episodes.frame_array import Frame, FrameArray, parse_frame_array
from bagmill.episodes.metadata import read_root_metadata
from bagmill.episodes.shard import ShardReader
from bagmill.episodes.value_array import read_value_array
from bagmill.errors import CodecError, StorageError
from bagmill.profile import FeatureKind, feature_kind

_REMEDY = "Verify the episode, delete it and make it again from its recording"


@dataclass(frozen=True, slots=True)
class FeatureInfo:
    """What an episode holds of a feature."""

    kind: FeatureKind
    shape: tuple[int, ...]
    """Of one tick's value: (H, W, 3) for images, (H, W) for depth, (D,) for signals."""
    dtype: np.dtype[Any]
    attributes: dict[str, Any]
    """Of its array."""


class Episode:
    """An open episode; may be shared by threads, and sent to other processes, where it opens anew.

    Args:
        path: The folder of one published version.

    Raises:
        StorageError: It is no episode, damaged, or of another format.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.attributes, arrays = read_root_metadata(self.path)
        self._arrays = arrays
        try:
            (self.num_ticks,) = arrays[layout.TIME]["shape"]
            self.features = {name: _feature(name, array) for name, array in arrays.items() if layout.is_feature(name)}
        except (KeyError, TypeError, ValueError) as err:
            raise StorageError("the episode's metadata are damaged", path=self.path, remedy=_REMEDY) from err
        self._frames = {
            name: parse_frame_array(name, arrays[name], path=self.path)
            for name, feature in self.features.items()
            if feature.kind != "signal"
        }
        self._shards: dict[tuple[str, int], ShardReader | None] = {}
        self._values: dict[str, NDArray[Any]] = {}

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open an episode; as its constructor."""
        return cls(path)

    def __reduce__(self) -> tuple[object, ...]:
        # Maps and locks stay behind.
        return type(self), (self.path,)

    def __repr__(self) -> str:
        features = ", ".join(f"{name} {feature.shape}" for name, feature in self.features.items())
        return f"Episode({str(self.path)!r}, {self.num_ticks} ticks: {features})"

    @property
    def time_ns(self) -> NDArray[np.int64]:
        """The ticks (T,), ns since the Unix epoch."""
        return self._read(layout.TIME)

    def frame(self, name: str, tick: int, *, out: NDArray[Any] | None = None) -> Frame:
        """One decoded frame.

        Args:
            name: An image or depth feature.
            tick: Position on the timeline.
            out: Where to decode to, C-contiguous, of the frame's shape and dtype; None: a new array.

        Returns:
            (H, W, 3) uint8, or (H, W) uint16; zeros where the tick is not valid, as Zarr's fill value says.

        Raises:
            StorageError: No such feature or tick, or the frame is damaged, or missing though the tick is valid.
        """
        array = self._frame_array(name)
        data = self._chunk(array, tick)
        if data is None:
            if out is None:
                return np.zeros(array.shape, array.dtype)
            out[...] = 0
            return out
        try:
            return array.decode(data, out=out)
        except CodecError as err:
            raise StorageError(
                f"the frame of {name} at tick {tick} cannot be decoded: {err.problem}", path=self.path, remedy=_REMEDY
            ) from err

    def frames(self, name: str, ticks: Sequence[int] | NDArray[np.integer], *, num_threads: int = 1) -> Frame:
        """Several decoded frames, in the order asked for.

        Args:
            name: An image or depth feature.
            ticks: (N,) in any order, also repeated.
            num_threads: Threads that decode.

        Returns:
            (N, H, W, 3) uint8, or (N, H, W) uint16.

        Raises:
            StorageError: As `frame`.
        """
        array = self._frame_array(name)
        wanted = np.asarray(ticks, dtype=np.int64).tolist()
        out = np.empty((len(wanted), *array.shape), array.dtype)

        def decode(places: range) -> None:
            for place in places:
                self.frame(name, wanted[place], out=out[place])

        if num_threads <= 1 or len(wanted) <= 1:
            decode(range(len(wanted)))
        else:
            with ThreadPoolExecutor(num_threads, thread_name_prefix="decode") as pool:
                for future in [pool.submit(decode, range(n, len(wanted), num_threads)) for n in range(num_threads)]:
                    future.result()
        return cast("Frame", out)

    def chunk_bytes(self, name: str, tick: int) -> memoryview | None:
        """A frame's encoded bytes as stored, without a copy; None where the tick has none.

        Raises:
            StorageError: No such feature or tick, or the bytes do not match their checksum, or are missing though the
                tick is valid.
        """
        return self._chunk(self._frame_array(name), tick)

    def has_frame(self, name: str, tick: int) -> bool:
        """Whether a frame is stored for a tick.

        Raises:
            StorageError: No such feature or tick, or the shard's index is damaged.
        """
        array = self._frame_array(name)
        shard, chunk = self._locate(array, tick)
        return shard is not None and shard.has_chunk(chunk)

    def stored_ticks(self, name: str) -> NDArray[np.bool_]:
        """(T,) True where a frame is stored. Errors as of `has_frame`."""
        array = self._frame_array(name)
        is_stored = np.zeros(self.num_ticks, np.bool_)
        for first in range(0, self.num_ticks, array.shard_ticks):
            shard, _ = self._locate(array, first)
            if shard is not None:
                ticks = is_stored[first : first + array.shard_ticks]
                ticks[:] = shard.is_present[: len(ticks)]
        return is_stored

    def signal(self, name: str) -> NDArray[np.floating]:
        """A signal's values (T, D), float32 or float64; nan where not valid.

        Raises:
            StorageError: No such feature, or its bytes are damaged.
        """
        if name not in self.features or name in self._frames:
            raise self._no_feature(name, [each for each in self.features if each not in self._frames])
        return self._read(name)

    def valid(self, name: str) -> NDArray[np.bool_]:
        """A feature's mask (T,); False where nothing fell within the tolerance. Errors as of `signal`."""
        return self._read_of(layout.VALID, name)

    def interpolated(self, name: str) -> NDArray[np.bool_]:
        """(T,) True where a feature's value was made from two messages. Errors as of `signal`."""
        return self._read_of(layout.INTERPOLATED, name)

    def source_ns(self, name: str) -> NDArray[np.int64]:
        """Stamps (T,) of the messages behind a feature's ticks, ns. Errors as of `signal`."""
        return self._read_of(layout.SOURCE, name)

    def sequence(self, name: str) -> NDArray[np.int64]:
        """Positions (T,) of the messages behind a feature's ticks; −1 where not valid. Errors as of `signal`."""
        return self._read_of(layout.SEQUENCE, name)

    def skew_ns(self, name: str) -> NDArray[np.int64]:
        """Source stamp minus tick (T,), ns; 0 where not valid. Errors as of `signal`."""
        return self.source_ns(name) - self.time_ns

    def _frame_array(self, name: str) -> FrameArray:
        array = self._frames.get(name)
        if array is None:
            raise self._no_feature(name, list(self._frames))
        return array

    def _chunk(self, array: FrameArray, tick: int) -> memoryview | None:
        shard, chunk = self._locate(array, tick)
        data = None if shard is None else shard.chunk(chunk)
        # Zarr would read zeros where a file has vanished, and nobody would notice that they train on black frames.
        if data is None and f"{layout.VALID}/{array.name}" in self._arrays and self.valid(array.name)[tick]:
            raise StorageError(
                f"the frame of {array.name} at tick {tick} is missing, though the tick is valid",
                path=self.path if shard is None else shard.path,
                remedy=_REMEDY,
            )
        return data

    def _locate(self, array: FrameArray, tick: int) -> tuple[ShardReader | None, int]:
        if not 0 <= tick < self.num_ticks:
            raise StorageError(f"tick {tick} is outside the episode's {self.num_ticks} ticks", path=self.path)
        number, chunk = divmod(tick, array.shard_ticks)
        key = (array.name, number)
        if key not in self._shards:
            path = array.shard_path(self.path, number)
            # Two threads may both open it: the same map twice, and one of them is dropped.
            self._shards[key] = None if is_absent(path) else ShardReader(path, array.shard_ticks)
        return self._shards[key], chunk

    def _read_of(self, room: str, name: str) -> NDArray[Any]:
        if name not in self.features:
            raise self._no_feature(name, list(self.features))
        return self._read(f"{room}/{name}")

    def _read(self, name: str) -> NDArray[Any]:
        values = self._values.get(name)
        if values is None:
            if name not in self._arrays:
                raise StorageError(f"array {name} is missing", path=self.path, remedy=_REMEDY)
            shape, dtype = self._arrays[name]["shape"], np.dtype(self._arrays[name]["data_type"])
            values = read_value_array(self.path, name, shape=tuple(shape), dtype=dtype)
            # Handed to every caller, so nobody may write into it.
            values.flags.writeable = False
            self._values[name] = values
        return values

    def _no_feature(self, name: str, known: list[str]) -> StorageError:
        return StorageError(f"there is no {name}", path=self.path, remedy=f"It has {', '.join(known) or 'none'}")


def _feature(name: str, array: dict[str, Any]) -> FeatureInfo:
    return FeatureInfo(
        kind=feature_kind(name),
        shape=tuple(array["shape"][1:]),
        dtype=np.dtype(array["data_type"]),
        attributes=dict(array["attributes"]),
    )
