"""sensor_msgs/CompressedImage: files made and judged by Pillow."""

import io

import numpy as np
import pytest
from PIL import Image

from bagmill.errors import DecodeError
from bagmill.messages import image_decoder, to_depth, to_rgb

COMPRESSED = "sensor_msgs/msg/CompressedImage"


def saved(picture, **options):
    file = io.BytesIO()
    picture.save(file, **options)
    return file.getvalue()


def photo(height=32, width=48):
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows * 5, columns * 4, (rows + columns) * 2], axis=-1).astype(np.uint8)


def decode(wire, file, format_text):
    message = {"header": {"frame_id": "cam"}, "format": format_text, "data": np.frombuffer(file, np.uint8)}
    return image_decoder(wire.channel(COMPRESSED))(wire.pack(COMPRESSED, message))


@pytest.mark.parametrize("format_text", ["jpeg", "rgb8; jpeg compressed bgr8", "png", ""])
def test_a_jpeg_is_one_whatever_it_is_called(wire, format_text):
    file = saved(Image.fromarray(photo()), format="JPEG", quality=90)
    payload = decode(wire, file, format_text)
    assert (payload.encoding, payload.height, payload.width, payload.step) == ("jpeg", 32, 48, 0)
    assert bytes(payload.data) == file
    judged = np.asarray(Image.open(io.BytesIO(file)))
    assert np.abs(to_rgb(payload).astype(int) - judged).max() <= 2  # libjpegs differ in their last bit


def test_a_gray_jpeg_has_three_equal_channels(cdr):
    rgb = to_rgb(decode(cdr, saved(Image.fromarray(photo()).convert("L"), format="JPEG"), "jpeg"))
    assert rgb.shape == (32, 48, 3)
    assert np.array_equal(rgb[..., 0], rgb[..., 2])


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1"])
@pytest.mark.parametrize("format_text", ["png", "jpeg"])
def test_a_png_is_one_whatever_it_is_called_and_exact(wire, mode, format_text):
    picture = Image.fromarray(photo()).convert(mode)
    payload = decode(wire, saved(picture, format="PNG"), format_text)
    assert (payload.encoding, payload.height, payload.width) == ("png", 32, 48)
    assert np.array_equal(to_rgb(payload), np.asarray(picture.convert("RGB")))


def test_a_16_bit_gray_png_is_depth_and_no_picture(cdr):
    depth = np.array([[0, 1, 256], [65535, 1000, 513]], np.uint16)
    payload = decode(cdr, saved(Image.fromarray(depth), format="PNG"), "16UC1; png compressed ")
    assert np.array_equal(to_depth(payload), depth)
    with pytest.raises(DecodeError, match="depth feature"):
        to_rgb(payload)


def test_an_8_bit_png_is_no_depth(cdr):
    payload = decode(cdr, saved(Image.fromarray(photo()), format="PNG"), "png")
    with pytest.raises(DecodeError, match="PNG of 8 bits colour is no depth"):
        to_depth(payload)
    with pytest.raises(DecodeError, match="jpeg is no depth"):
        to_depth(decode(cdr, saved(Image.fromarray(photo()), format="JPEG"), "jpeg"))


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (b"", "0 bytes of format 'jpeg' that are neither a JPEG nor a PNG"),
        (b"not a file", "neither a JPEG nor a PNG file .they begin 6e 6f 74 20"),
        (b"\xff\xd8\xff\xe0 damaged", "damaged JPEG of 12 bytes"),
        (b"\x89PNG\r\n\x1a\n", "expected a PNG file, found 8 bytes"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "without a PNG's header"),
    ],
)
def test_what_is_neither_is_named(wire, file, says):
    with pytest.raises(DecodeError, match=says) as caught:
        decode(wire, file, "jpeg")
    assert caught.value.channel == "/topic"


@pytest.mark.parametrize(("kind", "says"), [("JPEG", "a JPEG that breaks off"), ("PNG", "a damaged PNG")])
def test_a_file_that_breaks_off_is_named_when_it_is_decoded(cdr, kind, says):
    file = saved(Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)), format=kind)
    payload = decode(cdr, file[: len(file) // 2], kind.lower())
    with pytest.raises(DecodeError, match=says):
        to_rgb(payload)


def test_a_png_of_absurd_size_reserves_nothing(cdr):
    file = bytearray(saved(Image.fromarray(photo()), format="PNG"))
    file[16:24] = b"\x7f\xff\xff\xff\x7f\xff\xff\xff"
    with pytest.raises(DecodeError, match="picture of 2147483647×2147483647 is .* where at most 134,217,728"):
        decode(cdr, bytes(file), "png")


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_mosaic_compressed_as_a_gray_picture_is_no_gray_picture(cdr, kind):
    gray, colour = (saved(Image.fromarray(photo()).convert(mode), format=kind) for mode in ("L", "RGB"))
    with pytest.raises(DecodeError, match="a mosaic of single colours, not a gray picture.*in colour"):
        decode(cdr, gray, f"bayer_rggb8; {kind.lower()} compressed ")
    assert decode(cdr, colour, f"bayer_rggb8; {kind.lower()} compressed bgr8").height == 32
    assert decode(cdr, gray, f"mono8; {kind.lower()} compressed ").height == 32


@pytest.mark.parametrize("is_depth", [False, True])
def test_a_png_with_a_second_header_is_named(cdr, is_depth):
    """Pillow goes by the last header: the frame would be larger than the camera's."""
    sizes = (6, 8), (12, 16)
    small, large = (
        saved(Image.fromarray(np.zeros(size, np.uint16 if is_depth else np.uint8)), format="PNG") for size in sizes
    )
    header = slice(8, 8 + 12 + 13)
    payload = decode(cdr, small[: header.stop] + large[header] + large[header.stop :], "png")
    assert (payload.height, payload.width) == (6, 8)
    with pytest.raises(DecodeError, match="a PNG with 2 headers"):
        to_depth(payload) if is_depth else to_rgb(payload)
