"""The ladder of codec steps."""

import pytest

from bagmill.codecs import CodecStep, finer, first_step


@pytest.mark.parametrize(
    ("subsampling", "height", "is_jpeg_source", "expected"),
    [
        ("auto", 480, False, "420"),
        ("auto", 479, False, "444"),
        ("auto", 1080, False, "420"),
        ("420", 96, False, "420"),
        ("444", 1080, False, "444"),
        ("lossless", 480, False, "lossless"),
        ("auto", 480, True, "copy"),
        ("lossless", 96, True, "copy"),
    ],
)
def test_first_step(subsampling: str, height: int, is_jpeg_source: bool, expected: CodecStep) -> None:
    assert first_step(subsampling, height=height, is_jpeg_source=is_jpeg_source) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("step", "expected"), [("420", "444"), ("444", "lossless"), ("lossless", None), ("copy", None)]
)
def test_finer(step: CodecStep, expected: CodecStep | None) -> None:
    assert finer(step) == expected
