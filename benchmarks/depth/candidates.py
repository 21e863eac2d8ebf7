"""The codecs: how each writes and reads one frame, and by which chain of Zarr v3 codecs others read it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, Final

import numpy as np
from numcodecs import blosc, zstd
from numcodecs.registry import register_codec
from numcodecs.shuffle import Shuffle
from numpy.typing import NDArray
from PIL import Image

from benchmarks.depth.extras import load_extra
from benchmarks.depth.sorted_pcodec import LEVEL, encode_sorted

Frame = NDArray[np.uint16]
Chain = tuple[dict[str, Any], ...]

BASELINE: Final = "zstd 3"
"""What the others are held against: as episodes have it."""
_BYTES: Final[dict[str, Any]] = {"name": "bytes", "configuration": {"endian": "little"}}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One codec."""

    name: str
    encode: Callable[[Frame], bytes]
    decode: Callable[[bytes, Frame], Any]
    """Of the bytes, and of an array that it may decode into; its result holds the frame's numbers in C order."""
    chain: Chain
    """Zarr v3 metadata of the codecs that read the bytes."""

    @property
    def needs(self) -> str:
        """What stock zarr must have to read it."""
        names = [codec["name"] for codec in self.chain]
        if "numcodecs.pcodec" in names:
            return "numcodecs, pcodec"
        if any(name.startswith("imagecodecs_") for name in names):
            return "imagecodecs-zarr"
        return "numcodecs" if any(name.startswith("numcodecs.") for name in names) else "nothing: core"


def candidates(shape: tuple[int, int], *, is_quick: bool) -> list[Candidate]:
    """All that can be had here, `BASELINE` first.

    Args:
        shape: (H, W) of the frames.
        is_quick: Leave out those that take a tenth of a second a frame.
    """
    blosc.set_nthreads(1)
    slow_levels = () if is_quick else (19,)
    made = [_zstd(level) for level in (3, 1, 6, 9, 12, *slow_levels)]
    made += [_blosc("lz4hc", 9, "shuffle"), _blosc("lz4", 5, "bitshuffle")]
    made += [_blosc("zstd", level, shuffle) for level in (3, *(() if is_quick else (9,))) for shuffle in _SHUFFLES]
    made += [*_filtered(shape), _png(shape)]
    return [*made, *_pcodec(), *_imagecodecs(shape)]


_SHUFFLES: Final = {"shuffle": blosc.SHUFFLE, "bitshuffle": blosc.BITSHUFFLE}


def _zstd_codec(level: int) -> dict[str, Any]:
    return {"name": "zstd", "configuration": {"level": level, "checksum": False}}


def _zstd(level: int) -> Candidate:
    return Candidate(
        f"zstd {level}",
        lambda frame: zstd.compress(frame.reshape(-1), level),
        zstd.decompress,
        (_BYTES, _zstd_codec(level)),
    )


def _blosc(name: str, level: int, shuffle: str) -> Candidate:
    codec = blosc.Blosc(name, level, _SHUFFLES[shuffle])
    settings = {"cname": name, "clevel": level, "shuffle": shuffle, "typesize": 2, "blocksize": 0}
    return Candidate(
        f"blosc {name} {level}, {shuffle}",
        codec.encode,
        codec.decode,
        (_BYTES, {"name": "blosc", "configuration": settings}),
    )


def _filtered(shape: tuple[int, int]) -> Iterator[Candidate]:
    """Zstandard behind what is meant to help it."""
    shuffle = Shuffle(2)
    shuffle_codec = {"name": "numcodecs.shuffle", "configuration": {"elementsize": 2}}
    delta_codec = {"name": "numcodecs.delta", "configuration": {"dtype": "<u2"}}

    def to_differences(frame: Frame) -> Frame:
        return np.diff(frame.reshape(-1), prepend=np.uint16(0))

    def from_differences(differences: Any, out: Frame) -> Frame:
        return np.cumsum(np.frombuffer(differences, np.uint16), dtype=np.uint16, out=out.reshape(-1))

    yield Candidate(
        "byte shuffle, zstd 3",
        lambda frame: zstd.compress(shuffle.encode(frame.reshape(-1)), 3),
        lambda data, out: shuffle.decode(zstd.decompress(data), out),
        (_BYTES, shuffle_codec, _zstd_codec(3)),
    )
    yield Candidate(
        "left difference, zstd 3",
        lambda frame: zstd.compress(to_differences(frame), 3),
        lambda data, out: from_differences(zstd.decompress(data), out),
        (delta_codec, _BYTES, _zstd_codec(3)),
    )
    yield Candidate(
        "left difference, byte shuffle, zstd 3",
        lambda frame: zstd.compress(shuffle.encode(to_differences(frame)), 3),
        lambda data, out: from_differences(shuffle.decode(zstd.decompress(data)), out),
        (delta_codec, _BYTES, shuffle_codec, _zstd_codec(3)),
    )
    yield Candidate(
        "columns first, zstd 3",
        lambda frame: zstd.compress(np.ascontiguousarray(frame.T).reshape(-1), 3),
        lambda data, _: np.ascontiguousarray(np.frombuffer(zstd.decompress(data), np.uint16).reshape(shape[::-1]).T),
        ({"name": "transpose", "configuration": {"order": [0, 2, 1]}}, _BYTES, _zstd_codec(3)),
    )


def _png(shape: tuple[int, int]) -> Candidate:
    def encode(frame: Frame) -> bytes:
        file = io.BytesIO()
        Image.fromarray(frame).save(file, "PNG")
        return file.getvalue()

    def decode(data: bytes, _: Frame) -> Frame:
        return np.asarray(Image.open(io.BytesIO(data)), dtype=np.uint16).reshape(shape)

    return Candidate("PNG, 16 bits", encode, decode, ({"name": "imagecodecs_png"},))


def _pcodec() -> Iterator[Candidate]:
    pcodec, standalone, wrapped = map(load_extra, ("pcodec", "pcodec.standalone", "pcodec.wrapped"))
    if pcodec is None or standalone is None or wrapped is None:
        return
    # numcodecs looks for pcodec when it is imported, which was before the extras' folder was known.
    register_codec(import_module("numcodecs.pcodec").PCodec)
    simple_compress, simple_decompress_into = standalone.simple_compress, standalone.simple_decompress_into
    config = pcodec.ChunkConfig(compression_level=LEVEL)
    chain: Chain = ({"name": "numcodecs.pcodec", "configuration": {"level": LEVEL}},)

    def encode(frame: Frame) -> bytes:
        return bytes(simple_compress(frame.reshape(-1), config))

    def decode(data: bytes, out: Frame) -> Frame:
        simple_decompress_into(data, out.reshape(-1))
        return out

    yield Candidate(f"pcodec {LEVEL}", encode, decode, chain)
    yield Candidate(f"pcodec {LEVEL}, sorted dictionary", lambda frame: encode_sorted(frame, pcodec), decode, chain)
    yield Candidate(
        f"pcodec {LEVEL}, the smaller of both",
        lambda frame: min(encode(frame), encode_sorted(frame, pcodec), key=len),
        decode,
        chain,
    )


def _imagecodecs(shape: tuple[int, int]) -> Iterator[Candidate]:
    ic = load_extra("imagecodecs")
    if ic is None:
        return

    def from_left_and_up(data: bytes, out: Frame) -> Any:
        differences = np.frombuffer(zstd.decompress(data), np.uint16).reshape(shape)
        return ic.delta_decode(ic.delta_decode(differences, axis=0), axis=1, out=out)

    yield Candidate(
        "left + up − upper left, zstd 3",
        lambda frame: zstd.compress(ic.delta_encode(ic.delta_encode(frame, axis=1), axis=0).reshape(-1), 3),
        from_left_and_up,
        (
            {"name": "imagecodecs_delta", "configuration": {"axis": 2}},
            {"name": "imagecodecs_delta", "configuration": {"axis": 1}},
            _BYTES,
            _zstd_codec(3),
        ),
    )
    yield Candidate(
        "JPEG-LS",
        ic.jpegls_encode,
        lambda data, out: ic.jpegls_decode(data, out=out),
        ({"name": "imagecodecs_jpegls"},),
    )
    yield from (_jpegxl(ic, effort) for effort in (1, 3))
    yield Candidate(
        "lossless JPEG",
        lambda frame: ic.ljpeg_encode(frame, bitspersample=16),
        lambda data, out: ic.ljpeg_decode(data, out=out),
        ({"name": "imagecodecs_ljpeg", "configuration": {"bitspersample": 16}},),
    )
    yield Candidate(
        "HTJ2K",
        lambda frame: ic.htj2k_encode(frame, level=0),
        lambda data, _: ic.htj2k_decode(data),
        ({"name": "imagecodecs_htj2k"},),
    )
    yield Candidate(
        "LERC, zstd 3",
        lambda frame: ic.lerc_encode(frame, level=0, compression="zstd", compressionargs={"level": 3}),
        lambda data, out: ic.lerc_decode(data, out=out),
        ({"name": "imagecodecs_lerc"},),
    )
    yield Candidate(
        "Rice",
        ic.rcomp_encode,
        lambda data, _: ic.rcomp_decode(data, shape=shape, dtype="uint16"),
        ({"name": "imagecodecs_rcomp"},),
    )


def _jpegxl(ic: ModuleType, effort: int) -> Candidate:
    return Candidate(
        f"JPEG XL, effort {effort}",
        lambda frame: ic.jpegxl_encode(frame, lossless=True, effort=effort, numthreads=1),
        lambda data, out: ic.jpegxl_decode(data, numthreads=1, out=out),
        ({"name": "imagecodecs_jpegxl", "configuration": {"lossless": True, "effort": effort}},),
    )
