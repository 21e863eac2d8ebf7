"""JPEG: judged by Pillow, on files that Pillow wrote."""

import io
import struct

import numpy as np
import pytest
import simplejpeg
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from bagmill.codecs import JpegInfo, decode_jpeg, decode_jpeg_reduced, encode_jpeg, jpeg_info
from bagmill.codecs.jpeg_header import header_of
from bagmill.errors import CodecError


def _picture(height: int = 45, width: int = 70) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 11)]
    return np.asarray(128 + 100 * np.stack(waves, axis=-1), dtype=np.uint8)


def _pillow_jpeg(image: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def _by_pillow(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize(("subsampling", "name"), [(0, "444"), (1, "422"), (2, "420")])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}])
def test_decode_gives_what_pillow_gives(subsampling: int, name: str, options: dict[str, object]) -> None:
    data = _pillow_jpeg(Image.fromarray(_picture()), quality=90, subsampling=subsampling, **options)

    decoded = decode_jpeg(data)

    assert jpeg_info(data) == JpegInfo(45, 70, 3, name)
    assert decoded.shape == (45, 70, 3)
    assert np.abs(decoded.astype(int) - _by_pillow(data)).max() <= 1


def test_gray_is_given_as_three_equal_channels() -> None:
    gray = _picture()[:, :, 0]
    data = _pillow_jpeg(Image.fromarray(gray), quality=95)

    decoded = decode_jpeg(data)

    assert jpeg_info(data) == JpegInfo(45, 70, 1, "gray")
    assert np.array_equal(decoded[:, :, 0], decoded[:, :, 1])
    assert np.array_equal(decoded[:, :, 0], decoded[:, :, 2])
    assert np.abs(decoded[:, :, 0].astype(int) - np.asarray(Image.open(io.BytesIO(data)))).max() <= 1


@pytest.mark.parametrize(("subsampling", "tolerance"), [("420", 12), ("444", 8)])
def test_encoded_pictures_look_the_same_to_pillow(subsampling: str, tolerance: int) -> None:
    picture = _picture()

    data = encode_jpeg(picture, quality=95, subsampling=subsampling)

    assert jpeg_info(data).subsampling == subsampling
    assert np.abs(_by_pillow(data).astype(int) - picture).max() <= tolerance
    # Red and blue swapped would differ by far more than the tolerance.
    assert np.abs(_by_pillow(data)[:, :, ::-1].astype(int) - picture).max() > 50


def test_quality_is_the_one_asked_for() -> None:
    sizes = [len(encode_jpeg(_picture(), quality=quality)) for quality in (30, 60, 95)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2]


def test_views_and_strides_make_no_difference() -> None:
    picture = _picture()
    turned = np.ascontiguousarray(picture[::-1, ::-1])[::-1, ::-1]
    data = encode_jpeg(picture)

    assert encode_jpeg(turned) == data
    assert np.array_equal(decode_jpeg(memoryview(b"xx" + data)[2:]), decode_jpeg(data))
    assert np.array_equal(decode_jpeg(np.frombuffer(data, np.uint8)), decode_jpeg(data))


def test_decode_into_an_array() -> None:
    data = encode_jpeg(_picture())
    out = np.zeros((2, 45, 70, 3), np.uint8)

    assert decode_jpeg(data, out=out[1]).base is out
    assert np.array_equal(out[1], decode_jpeg(data))
    assert not out[0].any()


@pytest.mark.parametrize(
    "out",
    [
        np.zeros((44, 70, 3), np.uint8),
        np.zeros((46, 70, 3), np.uint8),
        np.zeros((45, 70, 3), np.int8),
        np.zeros((45, 140, 3), np.uint8)[:, ::2],
    ],
)
def test_an_array_of_another_size_is_refused(out: np.ndarray) -> None:
    with pytest.raises(CodecError, match=r"expected a JPEG for"):
        decode_jpeg(encode_jpeg(_picture()), out=out)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(array: np.ndarray) -> None:
    with pytest.raises(CodecError, match="to encode as JPEG"):
        encode_jpeg(array)


@pytest.mark.parametrize("settings", [{"quality": 101}, {"subsampling": "421"}, {"quality": None}])
def test_settings_that_jpeg_does_not_have_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(CodecError, match="cannot be encoded as JPEG"):
        encode_jpeg(_picture(), **settings)  # type: ignore[arg-type]


def test_cmyk_is_refused_with_a_remedy() -> None:
    data = _pillow_jpeg(Image.fromarray(_picture()).convert("CMYK"))

    assert jpeg_info(data).num_components == 4
    with pytest.raises(CodecError, match=r"CMYK.*Record the camera as RGB"):
        decode_jpeg(data)


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xd9", b"\x89PNG\r\n\x1a\n" + bytes(50), bytes(99)])
def test_what_is_no_jpeg_is_refused(data: bytes) -> None:
    with pytest.raises(CodecError, match="not a JPEG"):
        jpeg_info(data)
    with pytest.raises(CodecError, match="not a JPEG"):
        decode_jpeg(data)


def _said_by_libjpeg(data: bytes) -> tuple[int, int, str] | None:
    try:
        height, width, _, subsampling = simplejpeg.decode_jpeg_header(data)
    except ValueError:  # TurboJPEG refuses what libjpeg only warns of; Pillow reads that too
        try:
            image = JpegImageFile(io.BytesIO(data))
        except (OSError, SyntaxError, struct.error):
            return None
        return image.height, image.width, "other"
    return height, width, subsampling.lower()


def _said(data: bytes | memoryview | np.ndarray) -> tuple[int, int, str] | None:
    try:
        info = jpeg_info(data)
    except CodecError:
        return None
    return info.height, info.width, info.subsampling


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}, {"comment": b"\xff\xda\x00\x08"}])
def test_a_header_after_many_like_it_is_read_as_the_first(options: dict[str, object]) -> None:
    data = _pillow_jpeg(Image.fromarray(_picture(24, 16)), quality=90, **options)
    assert _said(data) == _said(memoryview(data)) == _said(np.frombuffer(data, np.uint8)) == (24, 16, "420")
    # Any other byte before the picture, or a header that breaks off, is read for itself.
    for place in range(min(len(data), 700)):
        for change in (1, 0x80):
            changed = bytearray(data)
            changed[place] ^= change
            assert _said(bytes(changed)) == _said_by_libjpeg(bytes(changed)), place
        assert _said(data[:place]) == _said_by_libjpeg(data[:place]), place
    assert _said(data) == (24, 16, "420")


def test_headers_of_many_cameras_are_told_apart() -> None:
    files = [encode_jpeg(_picture(8 + n, 40 - n), subsampling="444") for n in range(20)]
    for _ in range(2):
        assert [_said(data) for data in files] == [(8 + n, 40 - n, "444") for n in range(20)]


@given(st.floats(0.0, 0.999))
def test_what_is_there_of_a_broken_off_jpeg_is_decoded(part: float) -> None:
    """As libjpeg does it: whether it may become a frame is asked before it is stored."""
    data = encode_jpeg(_picture(16, 16), subsampling="444")
    broken = data[: int(len(data) * part)]
    header = len(header_of(data) or b"")

    if len(broken) < header:
        with pytest.raises(CodecError):
            decode_jpeg(broken)
    else:
        assert np.array_equal(decode_jpeg(broken), _by_pillow(broken + b"\xff\xd9"))


WARNED = {
    "bytes between two segments": lambda data: data[:20] + b"\1\2\3\4" + data[20:],
    "an unknown revision of JFIF": lambda data: data[:11] + b"\x09" + data[12:],
    "bytes before the end": lambda data: data[:-2] + b"\x12" * 40 + data[-2:],
    "damaged blocks": lambda data: data[:-60] + bytes(range(100, 130)) + data[-30:],
    "no last blocks": lambda data: data[:-60] + data[-2:],
}


@pytest.mark.parametrize("kind", WARNED)
@pytest.mark.parametrize("is_gray", [False, True])
def test_what_libjpeg_warns_of_is_decoded_as_pillow_does_it_at_every_scale(kind: str, is_gray: bool) -> None:
    picture = _picture(48, 64)
    data = WARNED[kind](_pillow_jpeg(Image.fromarray(picture[:, :, 0].copy() if is_gray else picture), quality=90))
    assert data[18:20] == b"\x00\x00", "JFIF's own segment ends at 20"

    assert (jpeg_info(data).height, jpeg_info(data).width) == (48, 64)
    assert np.abs(decode_jpeg(data).astype(int) - _by_pillow(data)).max() <= 1
    out = np.zeros((48, 64, 3), np.uint8)
    decode_jpeg(data, out=out)
    assert np.array_equal(out, decode_jpeg(data))
    for divisor in (2, 4, 8):
        image = JpegImageFile(io.BytesIO(data))
        image.draft("RGB", (64 // divisor, 48 // divisor))
        reduced = decode_jpeg_reduced(data, min_height=48 // divisor, min_width=64 // divisor)
        assert reduced.shape == (48 // divisor, 64 // divisor, 3)
        assert np.abs(reduced.astype(int) - np.asarray(image.convert("RGB"))).max() <= 1


def test_an_odd_sampling_of_the_chroma_is_decoded_as_pillow_does_it() -> None:
    """One that TurboJPEG has no name for: one component is sampled thinner than the other."""
    data = bytearray(_pillow_jpeg(Image.fromarray(_picture(48, 64)), subsampling="4:2:0"))
    frame = data.index(b"\xff\xc0")
    data[frame + 14] = 0x21  # of Cb, 2×1 instead of 1×1: the blocks are laid out otherwise, so some are damaged

    assert jpeg_info(bytes(data)) == JpegInfo(48, 64, 3, "other", is_usual=False)
    assert np.array_equal(decode_jpeg(bytes(data)), _by_pillow(bytes(data)))


@given(st.data())
def test_damaged_bytes_raise_a_codec_error_or_decode_to_some_picture(data: st.DataObject) -> None:
    whole = bytearray(encode_jpeg(_picture(16, 16)))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    try:
        decoded = decode_jpeg(bytes(whole), out=np.empty((16, 16, 3), np.uint8))
    except CodecError:
        return
    assert decoded.shape == (16, 16, 3)


@given(height=st.integers(1, 90), width=st.integers(1, 90), min_height=st.integers(1, 90), min_width=st.integers(1, 90))
def test_a_reduced_picture_is_large_enough_and_no_larger(height, width, min_height, min_width):
    min_height, min_width = min(height, min_height), min(width, min_width)
    y, x = np.mgrid[0:height, 0:width]
    frame = np.stack([2 * y, 2 * x, y + x], axis=-1).astype(np.uint8)
    found = decode_jpeg_reduced(encode_jpeg(frame, subsampling="444"), min_height=min_height, min_width=min_width)
    sizes = {divisor: (-(-height // divisor), -(-width // divisor)) for divisor in (1, 2, 4, 8)}
    divisor = max(each for each, size in sizes.items() if size[0] >= min_height and size[1] >= min_width)
    assert found.shape[:2] == sizes[divisor]
    # Ramps: the mean of a piece is the value in its middle. The last piece may hold fewer pixels than the others.
    expected_y = 2 * ((np.arange(found.shape[0]) + 0.5) * divisor - 0.5)
    expected_x = 2 * ((np.arange(found.shape[1]) + 0.5) * divisor - 0.5)
    inner = found[1:-1, 1:-1].astype(int)
    if inner.size:
        assert np.abs(inner[..., 0] - expected_y[1:-1, None]).mean() < 4
        assert np.abs(inner[..., 1] - expected_x[None, 1:-1]).mean() < 4


def test_a_picture_without_its_header_is_not_reduced():
    encoded = encode_jpeg(np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(CodecError, match="not a JPEG"):
        decode_jpeg_reduced(encoded[:300], min_height=16, min_width=16)
