"""Arrays ↔ bytes, one frame at a time, and the Zarr codec class for JPEG.

Belongs here: JPEG, lossless pictures, depth, and the choice among them (`policy`). Stays out: what a message's payload
means (`messages`), where encoded bytes are kept (`episodes`), whether a picture came out well enough (`quality`).
"""

from bagmill.codecs.depth import decode_depth, encode_depth
from bagmill.codecs.jpeg import decode_jpeg, decode_jpeg_reduced, encode_jpeg
from bagmill.codecs.jpeg_header import JpegInfo, jpeg_info
from bagmill.codecs.jpeg_whole import jpeg_problem, whole_jpeg
from bagmill.codecs.lossless import decode_lossless, encode_lossless
from bagmill.codecs.policy import CodecStep, finer, first_step
from bagmill.codecs.zarr_jpeg import JPEG_CODEC, ZarrJpegCodec, register_jpeg_codec

register_jpeg_codec()

__all__ = [
    "JPEG_CODEC",
    "CodecStep",
    "JpegInfo",
    "ZarrJpegCodec",
    "decode_depth",
    "decode_jpeg",
    "decode_jpeg_reduced",
    "decode_lossless",
    "encode_depth",
    "encode_jpeg",
    "encode_lossless",
    "finer",
    "first_step",
    "jpeg_info",
    "jpeg_problem",
    "register_jpeg_codec",
    "whole_jpeg",
]
