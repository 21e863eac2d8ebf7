"""zarr-python as one would use it: the same arrays with the same codecs, a whole shard at a time through its own pipeline."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import simplejpeg
import zarr
from numpy.typing import NDArray
from zarr.codecs import BytesCodec, Crc32cCodec, ZstdCodec
from zarr.registry import get_codec_class

from bagmill.codecs import JPEG_CODEC
from benchmarks.frames import HEIGHT, WIDTH
from benchmarks.ingest.messages import jpegs, pictures
from benchmarks.ingest.sources import CAMERA, DEPTH, QUALITY

_SHARD_FRAMES: Final = 128


def prepare(
    recording: str, folder: str, num_frames: int, num_threads: int, is_jpeg: bool
) -> Callable[[], dict[str, Any]]:
    """The arrays of one recording; of one of JPEG, the first frames, which are decoded first, for zarr takes pixels."""
    out = Path(folder) / "plain.zarr"

    def run() -> dict[str, Any]:
        with zarr.config.set({"threading.max_workers": num_threads}):
            group = zarr.create_group(out)
            batches = {CAMERA: _Batch(_images(group, num_frames)), DEPTH: _Batch(_depth(group, num_frames))}
            if is_jpeg:
                for data in islice(jpegs(Path(recording)), num_frames):
                    batches[CAMERA].add(simplejpeg.decode_jpeg(data))
            else:
                for topic, pixels in pictures(Path(recording)):
                    batches[topic].add(pixels)
            for batch in batches.values():
                batch.write()
        return {"stored_bytes": sum(file.stat().st_size for file in out.rglob("*") if file.is_file())}

    return run


class _Batch:
    """A shard's worth of frames."""

    def __init__(self, array: zarr.Array[Any]) -> None:
        self._array = array
        self._frames: list[NDArray[Any]] = []
        self._num_written = 0

    def add(self, frame: NDArray[Any]) -> None:
        self._frames.append(frame)
        if len(self._frames) == _SHARD_FRAMES:
            self.write()

    def write(self) -> None:
        if self._frames:
            end = self._num_written + len(self._frames)
            self._array[self._num_written : end] = np.stack(self._frames)
            self._num_written = end
            self._frames.clear()


def _images(group: zarr.Group, num_frames: int) -> zarr.Array[Any]:
    configuration: Any = {"level": QUALITY, "subsampling": "420", "colorspace_data": "RGB"}
    codec: Any = get_codec_class(JPEG_CODEC).from_dict({"name": JPEG_CODEC, "configuration": configuration})
    return group.create_array(
        "images/camera",
        shape=(num_frames, HEIGHT, WIDTH, 3),
        dtype=np.uint8,
        chunks=(1, HEIGHT, WIDTH, 3),
        shards=(_SHARD_FRAMES, HEIGHT, WIDTH, 3),
        serializer=codec,
        compressors=[Crc32cCodec()],
        fill_value=0,
    )


def _depth(group: zarr.Group, num_frames: int) -> zarr.Array[Any]:
    return group.create_array(
        "depth/camera",
        shape=(num_frames, HEIGHT, WIDTH),
        dtype=np.uint16,
        chunks=(1, HEIGHT, WIDTH),
        shards=(_SHARD_FRAMES, HEIGHT, WIDTH),
        serializer=BytesCodec(),
        compressors=[ZstdCodec(level=3), Crc32cCodec()],
        fill_value=0,
    )
