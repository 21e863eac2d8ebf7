"""A recording's pictures by the containers' own libraries, the fastest way they have: for the contenders that are not bagmill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from mcap.records import Channel, Message
from mcap.stream_reader import StreamReader
from numpy.typing import NDArray
from rosbags.rosbag1 import Reader

from benchmarks.frames import HEIGHT, WIDTH
from benchmarks.ingest.sources import CAMERA, DEPTH

_JPEG_START = b"\xff\xd8\xff"


def payloads(recording: Path, *, is_checked: bool = False) -> Iterator[tuple[str, bytes]]:
    """(topic, payload) of every message in the file's order; `is_checked`: by the CRCs that an MCAP file has."""
    if recording.suffix == ".bag":
        with Reader(recording) as bag:
            for connection, _, data in bag.messages():
                yield connection.topic, data
        return
    topics: dict[int, str] = {}
    with recording.open("rb") as file:
        for record in StreamReader(file, validate_crcs=is_checked).records:
            if isinstance(record, Message):
                yield topics[record.channel_id], record.data
            elif isinstance(record, Channel):
                topics[record.id] = record.topic


def pictures(recording: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    """(topic, pixels) of raw pictures: uint8 (480, 640, 3) or uint16 (480, 640), views into the payload.

    What stands before the pixels is not looked at: no honest reader is faster.
    """
    for topic, data in payloads(recording):
        if topic == CAMERA:
            yield topic, _last(data, np.dtype(np.uint8), (HEIGHT, WIDTH, 3))
        elif topic == DEPTH:
            yield topic, _last(data, np.dtype("<u2"), (HEIGHT, WIDTH))


def jpegs(recording: Path) -> Iterator[bytes]:
    """The JPEG files of a recording of compressed pictures."""
    for topic, data in payloads(recording):
        if topic == CAMERA:
            yield data[data.index(_JPEG_START) :]


def _last(data: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    num_items = int(np.prod(shape))
    return np.frombuffer(data, dtype, num_items, len(data) - num_items * dtype.itemsize).reshape(shape)
