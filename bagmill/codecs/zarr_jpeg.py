"""The Zarr v3 codec behind an episode's JPEG chunks: array (1, H, W, 3) ↔ one JPEG file.

The name and its configuration are those of the Python package imagecodecs-zarr, so that stock zarr opens an episode
with that package alone. Where it is installed it keeps the name; this class is for where it is not.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final, Self, cast

import numpy as np
from zarr.abc.codec import ArrayBytesCodec, Codec
from zarr.registry import get_codec_class, register_codec

from bagmill.codecs.jpeg import decode_jpeg, encode_jpeg
from bagmill.errors import CodecError

if TYPE_CHECKING:
    from zarr.core.array_spec import ArraySpec
    from zarr.core.buffer import Buffer, NDBuffer
    from zarr.core.common import JSON

JPEG_CODEC: Final = "imagecodecs_jpeg"
"""The codec's name in the metadata, said here only: a standard `jpeg` codec is to take its place."""

_DEFAULT_QUALITY: Final = 95
_ENCODING_KEYS: Final = frozenset({"level", "subsampling", "optimize", "smoothing", "predictor"})
"""Keys that say how a JPEG was made; how it is read does not depend on them."""
_HONOURED: Final[dict[str, object]] = {
    "bitspersample": 8,
    "colorspace_data": "RGB",
    "lossless": False,
    "fancyupsampling": True,
}
"""Keys that say how a JPEG is read → the one value that means what this class does."""


@dataclass(frozen=True)
class ZarrJpegCodec(ArrayBytesCodec):
    """JPEG as a Zarr codec.

    Args:
        configuration: Keys and values as in the metadata, sorted by key; written back as they came.

    Raises:
        CodecError: A setting of how JPEGs are read that this class cannot honour.
    """

    configuration: tuple[tuple[str, Any], ...] = ()

    is_fixed_size = False

    def __post_init__(self) -> None:
        for key, value in self.configuration:
            is_honoured = key in _ENCODING_KEYS or (key in _HONOURED and value == _HONOURED[key])
            if value is not None and not is_honoured:
                raise CodecError(
                    f"the codec {JPEG_CODEC} with {key} = {value!r} cannot be honoured here",
                    remedy="Install imagecodecs-zarr, whose codec has this setting",
                )

    @classmethod
    def from_dict(cls, data: dict[str, JSON]) -> Self:
        """The codec that metadata describe."""
        configuration = data.get("configuration") or {}
        if data.get("name") != JPEG_CODEC or not isinstance(configuration, dict):
            raise CodecError(f"expected the metadata of the codec {JPEG_CODEC}, found {data!r}")
        return cls(tuple(sorted(configuration.items())))

    def to_dict(self) -> dict[str, JSON]:
        """The codec's metadata."""
        if not self.configuration:
            return {"name": JPEG_CODEC}
        return {"name": JPEG_CODEC, "configuration": dict(self.configuration)}

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        """Not known beforehand."""
        raise NotImplementedError

    # zarr 3.1 asks for the coroutines, later ones for the plain functions, too.

    async def _decode_single(self, chunk_data: Buffer, chunk_spec: ArraySpec) -> NDBuffer:
        return await asyncio.to_thread(self._decode_sync, chunk_data, chunk_spec)

    async def _encode_single(self, chunk_data: NDBuffer, chunk_spec: ArraySpec) -> Buffer | None:
        return await asyncio.to_thread(self._encode_sync, chunk_data, chunk_spec)

    def _decode_sync(self, chunk_data: Buffer, chunk_spec: ArraySpec) -> NDBuffer:
        rgb = np.empty(_picture_shape(chunk_spec), np.uint8)
        decode_jpeg(np.asarray(chunk_data.as_numpy_array(), dtype=np.uint8), out=rgb)
        return chunk_spec.prototype.nd_buffer.from_numpy_array(rgb.reshape(chunk_spec.shape))

    def _encode_sync(self, chunk_data: NDBuffer, chunk_spec: ArraySpec) -> Buffer | None:
        settings: dict[str, Any] = {"level": _DEFAULT_QUALITY, "subsampling": "420"}
        settings.update((key, value) for key, value in self.configuration if value is not None)
        rgb = chunk_data.as_numpy_array().reshape(_picture_shape(chunk_spec))
        encoded = encode_jpeg(rgb, quality=settings["level"], subsampling=settings["subsampling"])
        return chunk_spec.prototype.buffer.from_bytes(encoded)


def _picture_shape(chunk_spec: ArraySpec) -> tuple[int, int, int]:
    *ones, height, width, num_channels = (1, 1, 1, *chunk_spec.shape)
    if num_channels != 3 or len(chunk_spec.shape) < 3 or any(n != 1 for n in ones):
        raise CodecError(f"expected chunks (…, 1, H, W, 3) for JPEG, found {chunk_spec.shape}")
    return height, width, 3


def register_jpeg_codec() -> None:
    """Register the class with zarr, unless anything else has the name."""
    try:
        get_codec_class(JPEG_CODEC)
    except (KeyError, ValueError):  # nothing has it: a KeyError up to zarr 3.1, later an error of zarr's own
        register_codec(JPEG_CODEC, ZarrJpegCodec)
    except Exception:  # noqa: BLE001, S110 - another distribution's class that cannot be loaded; zarr says so when it is used
        pass


def __getattr__(name: str) -> type[Codec]:
    """`entry_point_class`: what this distribution's entry point gives zarr, so that bagmill need not even be imported.

    It is the other distribution's class where there is one: zarr warns of two classes under one name, and takes either.
    """
    if name != "entry_point_class":
        raise AttributeError(name)
    for entry_point in entry_points(group="zarr.codecs", name=JPEG_CODEC):
        if entry_point.module.partition(".")[0] != __name__.partition(".")[0]:
            return cast("type[Codec]", entry_point.load())
    return ZarrJpegCodec
