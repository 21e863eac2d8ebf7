"""Which JPEGs become frames, judged by Pillow and OpenCV: what is stored, both of them and our decoder read, and alike."""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bagmill.codecs import decode_jpeg, decode_jpeg_reduced, whole_jpeg
from bagmill.errors import CodecError

END = b"\xff\xd9"
Change = Callable[[bytes], bytes]


def picture(seed: int = 1, height: int = 45, width: int = 70) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / 9 + seed), np.cos(y / 7), np.sin((x + y) / 11)]
    return np.asarray(128 + 100 * np.stack(waves, axis=-1), dtype=np.uint8)


def saved(rgb: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", **{"quality": 90, **options})
    return file.getvalue()


def by_pillow(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def by_opencv(data: bytes) -> np.ndarray:
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    assert found is not None, "OpenCV refuses it"
    return found


def assert_every_reader_reads(stored: bytes, *, size: tuple[int, int] = (45, 70)) -> np.ndarray:
    """Ours at every scale, Pillow and OpenCV; and the same from all three."""
    decoded = decode_jpeg(stored)
    assert decoded.shape == (*size, 3)
    for divisor in (2, 4, 8):
        least = {"min_height": -(-size[0] // divisor), "min_width": -(-size[1] // divisor)}
        assert decode_jpeg_reduced(stored, **least).shape == (*least.values(), 3)
    assert np.abs(decoded.astype(int) - by_pillow(stored)).max() <= 1
    assert np.abs(decoded.astype(int) - by_opencv(stored)).max() <= 1
    return decoded


def with_thumbnail(data: bytes) -> bytes:
    """A second JPEG inside the header, as cameras put it into EXIF."""
    thumbnail = saved(picture(9, 24, 32))
    content = b"Exif\0\0MM\0\x2a\0\0\0\x08" + bytes(6) + thumbnail
    return data[:2] + b"\xff\xe1" + (len(content) + 2).to_bytes(2, "big") + content + data[2:]


AS_RECORDED: dict[str, Change] = {
    "as it should be": lambda data: data,
    "zeros behind": lambda data: data + bytes(5000),
    "a line's end behind": lambda data: data + b"\r\n",
    "0xFF behind": lambda data: data + b"\xff" * 30,
    "junk behind": lambda data: data + b"\x12\xff\xd8\xff\xc4 junk" * 9,
    "another JPEG behind": lambda data: data + saved(picture(4, 30, 20)),
    "an end behind the end": lambda data: data + END,
    "bytes before the end": lambda data: data[:-2] + b"\x12\x34\x56" + END,
    "many bytes before the end": lambda data: data[:-2] + b"\x12" * 500 + END,
    "0xFF before the end": lambda data: data[:-2] + b"\xff" * 7 + END,
    "a thumbnail in the header": with_thumbnail,
    "0xFF before a segment": lambda data: data[:2] + b"\xff\xff" + data[2:],
    "a comment": lambda data: data[:2] + b"\xff\xfe\x00\x06\xff\xd9\xff\xda" + data[2:],
    "bytes between segments": lambda data: data[:20] + b"\1\2\3\4" + data[20:],
    "an unknown revision of JFIF": lambda data: data[:11] + b"\x09" + data[12:],
}
SOURCES = {
    "4:4:4": {"subsampling": 0},
    "4:2:0": {"subsampling": 2},
    "restart markers": {"restart_marker_blocks": 3},
    "own Huffman tables": {"optimize": True},
    "progressive": {"progressive": True},
}


@pytest.mark.parametrize("kind", AS_RECORDED)
@pytest.mark.parametrize("source", SOURCES)
def test_what_readers_take_is_stored_as_recorded_and_is_the_picture(kind: str, source: str) -> None:
    clean = saved(picture(), **SOURCES[source])
    data = AS_RECORDED[kind](clean)

    assert whole_jpeg(data) is data
    assert np.array_equal(assert_every_reader_reads(data), by_pillow(clean))
    view = memoryview(b"in a message " + data)[13:]
    assert whole_jpeg(view) is view


def test_of_several_pictures_in_one_file_the_first_is_taken() -> None:
    file = io.BytesIO()
    first, second = Image.fromarray(picture(1)), Image.fromarray(picture(5))
    first.save(file, "MPO", save_all=True, append_images=[second], quality=90)
    data = file.getvalue()
    assert whole_jpeg(data) is data
    assert np.abs(assert_every_reader_reads(data).astype(int) - picture(1)).mean() < 3


def test_gray_is_a_picture_too() -> None:
    data = saved(picture()[:, :, 0].copy())
    assert whole_jpeg(data) is data
    assert_every_reader_reads(data)


WITHOUT_END: dict[str, Change] = {
    "nothing": lambda data: data[:-2],
    "half of it": lambda data: data[:-1],
    "zeros instead": lambda data: data[:-2] + bytes(900),
    "two zeros instead": lambda data: data[:-2] + bytes(2),
    "a line's end instead": lambda data: data[:-2] + b"\r\n",
}


@pytest.mark.parametrize("kind", WITHOUT_END)
@pytest.mark.parametrize("source", [name for name in SOURCES if name != "progressive"])
def test_a_whole_picture_without_its_end_gets_one(kind: str, source: str) -> None:
    clean = saved(picture(), **SOURCES[source])
    stored = bytes(whole_jpeg(WITHOUT_END[kind](clean)))

    assert stored.endswith(END)
    assert np.array_equal(assert_every_reader_reads(stored), by_pillow(clean))


@pytest.mark.parametrize("padding", [b"", bytes(400)])
@pytest.mark.parametrize("source", SOURCES)
@given(part=st.floats(0.0, 0.93))
def test_a_file_that_breaks_off_is_no_frame(source: str, padding: bytes, part: float) -> None:
    data = saved(picture(), **SOURCES[source])
    with pytest.raises(CodecError, match="breaks off|not a JPEG|damaged JPEG"):
        whole_jpeg(data[: int(len(data) * part)] + padding)


@pytest.mark.parametrize("source", ["4:2:0", "restart markers"])
def test_lost_blocks_before_an_end_are_a_picture_as_all_readers_have_it(source: str) -> None:
    data = saved(picture(), **SOURCES[source])
    short = data[: int(len(data) * 0.7)] + END
    assert whole_jpeg(short) is short
    assert_every_reader_reads(short)


@pytest.mark.parametrize("segment", [b"\xff\xc4\x00\x05\0\0\0", b"\xff\xd8", b"\xff\x02"])
def test_segments_inside_the_picture_that_libjpeg_cannot_pass_are_refused(segment: bytes) -> None:
    data = saved(picture())
    with pytest.raises(CodecError, match="damaged JPEG"):
        whole_jpeg(data[:-40] + segment + data[-40:])


def test_a_header_that_lacks_its_tables_is_refused_however_often_it_comes() -> None:
    data = saved(picture())
    first = data.index(b"\xff\xdb")
    size = 2 + int.from_bytes(data[first + 2 : first + 4], "big")
    for _ in range(3):
        with pytest.raises(CodecError, match="[Qq]uantization table"):
            whole_jpeg(data[:first] + data[first + size :])


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8\xff\xd9", b"\0" + saved(picture()), b"\xff\xd8\xff\xfe\x00\x04hi\xff\xd9"]
)
def test_what_is_no_jpeg_is_refused(data: bytes) -> None:
    with pytest.raises(CodecError):
        whole_jpeg(data)


def test_cmyk_is_refused_with_a_remedy() -> None:
    file = io.BytesIO()
    Image.fromarray(picture()).convert("CMYK").save(file, "JPEG")
    with pytest.raises(CodecError, match=r"CMYK.*Record the camera as RGB"):
        whole_jpeg(file.getvalue())


@settings(max_examples=150)
@given(st.data())
@pytest.mark.parametrize("source", SOURCES)
def test_whatever_is_stored_no_reader_fails_on(source: str, data: st.DataObject) -> None:
    file = bytearray(saved(picture(height=24, width=33), **SOURCES[source]))
    scan = bytes(file).rindex(b"\xff\xda")
    for _ in range(data.draw(st.integers(1, 4))):
        first = data.draw(st.sampled_from([0, scan, scan, scan]))
        place = data.draw(st.integers(min(first, len(file)), len(file)))
        size = data.draw(st.integers(0, 30))
        new = data.draw(st.one_of(st.binary(max_size=20), st.sampled_from([END, b"\xff\xd0", b"\xff", b"\xff\xc4"])))
        file[place : place + size] = new
    try:
        stored = bytes(whole_jpeg(bytes(file)))
        size = decode_jpeg(stored).shape[:2]
    except CodecError:
        return
    if max(size) < 100:  # a damaged header may say any size, which the message's reader judges
        assert_every_reader_reads(stored, size=size)
