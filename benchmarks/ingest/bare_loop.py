"""The least that must be done: read the same messages, encode on the same threads, write to one file, nothing else."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import simplejpeg
import zstandard
from numpy.typing import NDArray

from benchmarks.ingest.messages import payloads, pictures
from benchmarks.ingest.sources import QUALITY

_AHEAD_PER_THREAD: Final = 4
_BLOCK_BYTES: Final = 1024 * 1024


def prepare(recording: str, folder: str, num_threads: int) -> Callable[[], dict[str, Any]]:
    """The loop over raw pictures: colour to JPEG, depth to zstd."""
    out = Path(folder) / "frames"

    def run() -> dict[str, Any]:
        ahead: deque[Future[bytes]] = deque()
        with ThreadPoolExecutor(num_threads) as pool, out.open("wb") as file:
            for _, pixels in pictures(Path(recording)):
                ahead.append(pool.submit(_encode, pixels))
                if len(ahead) >= _AHEAD_PER_THREAD * num_threads:
                    file.write(ahead.popleft().result())
            while ahead:
                file.write(ahead.popleft().result())
        return {"stored_bytes": out.stat().st_size}

    return run


def prepare_copy(recording: str, folder: str) -> Callable[[], dict[str, Any]]:
    """For pictures that are JPEG already: the file's copy, and a CRC-32 over it on the way."""
    out = Path(folder) / "copy"

    def run() -> dict[str, Any]:
        crc = 0
        with Path(recording).open("rb") as source, out.open("wb") as file:
            while block := source.read(_BLOCK_BYTES):
                crc = zlib.crc32(block, crc)
                file.write(block)
        return {"stored_bytes": out.stat().st_size, "crc": crc}

    return run


def prepare_messages(recording: str, folder: str) -> Callable[[], dict[str, Any]]:
    """For pictures that are JPEG already: every payload, read by mcap with the file's CRCs checked, to one file."""
    out = Path(folder) / "payloads"

    def run() -> dict[str, Any]:
        with out.open("wb") as file:
            for _, data in payloads(Path(recording), is_checked=True):
                file.write(data)
        return {"stored_bytes": out.stat().st_size}

    return run


def _encode(pixels: NDArray[Any]) -> bytes:
    if pixels.ndim == 2:
        return zstandard.ZstdCompressor(level=3).compress(pixels.data)
    encoded: bytes = simplejpeg.encode_jpeg(pixels, quality=QUALITY, colorspace="RGB", colorsubsampling="420")
    return encoded
