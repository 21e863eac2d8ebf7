"""Arrays of frames: their Zarr metadata, and where the bytes of a tick lie.

zarr writes and checks the metadata; the chunks' bytes are ours, because zarr's own pipeline writes frames several times
slower than they can be encoded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.abc.codec import ArrayBytesCodec
from zarr.codecs import BytesCodec, Crc32cCodec, ZstdCodec
from zarr.registry import get_codec_class

from bagmill.codecs import JPEG_CODEC, CodecStep, decode_depth, decode_jpeg, decode_lossless
from bagmill.codecs.lossless import ZSTD_LEVEL
from bagmill.episodes import layout
from bagmill.errors import StorageError
from bagmill.limits import limits

Frame = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class FrameArray:
    """One camera's array: everything that is needed to find and decode a tick's frame."""

    name: str
    num_ticks: int
    shape: tuple[int, ...]
    """Of one frame: (H, W, 3) uint8, or (H, W) uint16 for depth."""
    coding: Literal["jpeg", "zstd"]
    shard_ticks: int
    """Frames in a shard."""

    @property
    def is_depth(self) -> bool:
        """Whether its frames are depth, (H, W) uint16."""
        return len(self.shape) == 2

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of its frames."""
        return np.dtype(np.uint16 if self.is_depth else np.uint8)

    @property
    def num_shards(self) -> int:
        """Shards in all, those without a file counted."""
        return math.ceil(self.num_ticks / self.shard_ticks)

    def shard_path(self, root: Path, shard: int) -> Path:
        """Where a shard is, below the episode's folder."""
        return root.joinpath(self.name, "c", str(shard), *("0" for _ in self.shape))

    def decode(self, data: memoryview | bytes, *, out: NDArray[Any] | None = None) -> Frame:
        """Decode one frame, into `out` where it is given.

        Raises:
            CodecError: The bytes are not a frame of this array.
        """
        if self.is_depth:
            return decode_depth(data, cast("tuple[int, int]", self.shape), out=out)
        if self.coding == "zstd":
            return decode_lossless(data, cast("tuple[int, int, int]", self.shape), out=out)
        return decode_jpeg(data, out=np.empty(self.shape, np.uint8) if out is None else out)


def create_frame_array(
    group: zarr.Group,
    name: str,
    *,
    num_ticks: int,
    shape: tuple[int, ...],
    step: CodecStep | None,
    quality: int,
    attributes: Mapping[str, Any],
) -> FrameArray:
    """Create an array of frames without a frame in it.

    Args:
        group: The episode.
        name: `images/…` or `depth/…`.
        num_ticks: T.
        shape: Of one frame: (H, W, 3), or (H, W) for depth.
        step: How images are stored; None for depth.
        quality: JPEG quality, on record only for frames that are encoded here.
        attributes: Of the array.
    """
    is_jpeg = step is not None and step != "lossless"
    frames_a_shard = layout.shard_ticks(num_ticks)
    compressors: list[Any] = [Crc32cCodec()] if is_jpeg else [ZstdCodec(level=ZSTD_LEVEL), Crc32cCodec()]
    group.create_array(
        name,
        shape=(num_ticks, *shape),
        dtype=np.uint16 if len(shape) == 2 else np.uint8,
        chunks=(1, *shape),
        shards=(frames_a_shard, *shape),
        serializer=_jpeg_codec(step, quality) if is_jpeg else BytesCodec(),
        compressors=compressors,
        filters=None,
        fill_value=0,
        attributes=dict(attributes),
    )
    return FrameArray(name, num_ticks, shape, "jpeg" if is_jpeg else "zstd", frames_a_shard)


def parse_frame_array(name: str, metadata: Mapping[str, Any], *, path: Path) -> FrameArray:
    """Read an array of frames from its Zarr metadata.

    Args:
        name: Of the array.
        metadata: Its `zarr.json`.
        path: Of the episode, for errors.

    Raises:
        StorageError: The array is not laid out as `create_frame_array` does.
    """
    try:
        num_ticks, *shape = metadata["shape"]
        (sharding,) = metadata["codecs"]
        configuration = sharding["configuration"]
        frames_a_shard, *shard_shape = metadata["chunk_grid"]["configuration"]["chunk_shape"]
        codecs = [codec["name"] for codec in configuration["codecs"]]
        is_known = (
            sharding["name"] == "sharding_indexed"
            and configuration["chunk_shape"] == [1, *shape]
            and shard_shape == shape
            and configuration["index_location"] == "end"
            and codecs in ([JPEG_CODEC, "crc32c"], ["bytes", "zstd", "crc32c"])
            and (metadata["data_type"], len(shape)) in (("uint8", 3), ("uint16", 2))
            and frames_a_shard == layout.shard_ticks(num_ticks)
            and 0 < shape[0] * shape[1] <= limits().pixels
            and shape[2:] in ([], [3])
        )
    except (KeyError, TypeError, ValueError) as err:
        raise _not_frames(name, path) from err
    if not is_known:
        raise _not_frames(name, path)
    return FrameArray(name, num_ticks, tuple(shape), "jpeg" if codecs[0] == JPEG_CODEC else "zstd", frames_a_shard)


def _jpeg_codec(step: CodecStep | None, quality: int) -> ArrayBytesCodec:
    # The colour space makes every reader give RGB, for gray sources too; chroma and size each JPEG says itself.
    configuration: dict[str, Any] = {"colorspace_data": "RGB"}
    if step != "copy":
        configuration |= {"level": quality, "subsampling": step}
    codec_class = cast("type[ArrayBytesCodec]", get_codec_class(JPEG_CODEC))
    return codec_class.from_dict({"name": JPEG_CODEC, "configuration": configuration})


def _not_frames(name: str, path: Path) -> StorageError:
    return StorageError(
        f"array {name} is not laid out as frames are in episodes of format {layout.FORMAT_VERSION}",
        path=path,
        remedy="Read it with zarr, or make the episode again with this version of bagmill",
    )
