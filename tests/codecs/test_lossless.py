"""Lossless frames: judged by zarr's own codecs."""

import contextlib

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st
from zarr.codecs import BytesCodec, ZstdCodec
from zarr.storage import MemoryStore

from bagmill.codecs import decode_depth, decode_lossless, encode_depth, encode_lossless
from bagmill.errors import CodecError


def _by_zarr(frame: np.ndarray) -> bytes:
    """The chunk that zarr writes for one frame."""
    store = MemoryStore()
    zarr.create_array(
        store,
        data=frame[np.newaxis],
        chunks=(1, *frame.shape),
        serializer=BytesCodec(),
        compressors=[ZstdCodec(level=3)],
        config={"write_empty_chunks": True},
    )
    key = "/".join(["c", "0", *("0" for _ in frame.shape)])
    return store._store_dict[key].to_bytes()


def _picture() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 40, (31, 17, 3), dtype=np.uint8)


def _depth() -> np.ndarray:
    depth = np.random.default_rng(2).integers(400, 900, (31, 17), dtype=np.uint16)
    depth[:3] = 0
    depth[-1, -1] = 65535
    return depth


def test_pictures_are_the_bytes_that_zarr_writes() -> None:
    assert encode_lossless(_picture()) == _by_zarr(_picture())
    assert np.array_equal(decode_lossless(_by_zarr(_picture()), (31, 17, 3)), _picture())


def test_depth_is_the_bytes_that_zarr_writes() -> None:
    assert encode_depth(_depth()) == _by_zarr(_depth())
    decoded = decode_depth(memoryview(_by_zarr(_depth())), (31, 17))
    assert decoded.dtype == np.uint16
    assert np.array_equal(decoded, _depth())


def test_byte_order_and_strides_of_the_source_make_no_difference() -> None:
    padded = np.zeros((31, 20), ">u2")
    padded[:, :17] = _depth()

    assert encode_depth(padded[:, :17]) == encode_depth(_depth())
    assert encode_lossless(np.asfortranarray(_picture())) == encode_lossless(_picture())


def test_decode_into_an_array() -> None:
    out = np.zeros((2, 31, 17), np.uint16)
    decode_depth(encode_depth(_depth()), (31, 17), out=out[1])
    assert np.array_equal(out[1], _depth())
    assert not out[0].any()

    pictures = np.zeros((2, 31, 17, 3), np.uint8)
    decode_lossless(encode_lossless(_picture()), (31, 17, 3), out=pictures[0])
    assert np.array_equal(pictures[0], _picture())


@pytest.mark.parametrize("shape", [(31, 16), (31, 18), (1, 1)])
def test_frames_of_another_size_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(CodecError, match=r"expected a Zstandard frame of \d+ bytes"):
        decode_depth(encode_depth(_depth()), shape)


@given(st.data())
def test_damage_raises_a_codec_error_or_leaves_a_frame_of_the_right_size(data: st.DataObject) -> None:
    encoded = bytearray(encode_depth(_depth()))
    if data.draw(st.booleans(), label="cut"):
        del encoded[data.draw(st.integers(0, len(encoded) - 1)) :]
    else:
        encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(CodecError):
        assert decode_depth(bytes(encoded), (31, 17)).shape == (31, 17)


def test_bytes_behind_the_frame_are_refused() -> None:
    encoded = encode_depth(_depth())
    for trailing in (b"x", encoded):
        with pytest.raises(CodecError, match="damaged"):
            decode_depth(encoded + trailing, (31, 17))


@pytest.mark.parametrize("array", [np.zeros((4, 4), np.int16), np.zeros((4, 4), np.uint8), np.zeros(4, np.uint16)])
def test_what_is_no_depth_is_refused(array: np.ndarray) -> None:
    with pytest.raises(CodecError, match="to encode as depth"):
        encode_depth(array)


@pytest.mark.parametrize("array", [np.zeros((4, 4, 3), np.uint16), np.zeros((4, 4), np.uint8)])
def test_what_is_no_picture_is_refused(array: np.ndarray) -> None:
    with pytest.raises(CodecError, match="to encode without loss"):
        encode_lossless(array)
