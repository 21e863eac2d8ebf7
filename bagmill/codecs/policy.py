"""How a camera's frames are stored: which step first, and which next where the audit finds it too coarse."""

from __future__ import annotations

from typing import Final, Literal

CodecStep = Literal["copy", "420", "444", "lossless"]
"""`copy`: the source's own JPEG bytes; `420`, `444`: JPEG with that chroma; `lossless`: every pixel as it was."""

_LADDER: Final[tuple[CodecStep, ...]] = ("420", "444", "lossless")
_THIN_CHROMA_HEIGHT: Final = 480
"""From this many lines up halved chroma is not seen; small images suffer most from it."""


def first_step(
    spec_subsampling: Literal["auto", "420", "444", "lossless"], height: int, is_jpeg_source: bool
) -> CodecStep:
    """The step a camera begins with.

    Args:
        spec_subsampling: What the profile says.
        height: Of the camera's images, lines.
        is_jpeg_source: Its messages are JPEG already: a second encoding would cost time and quality and gain nothing.

    Examples:
        >>> first_step("auto", height=480, is_jpeg_source=False)
        '420'
        >>> first_step("auto", height=224, is_jpeg_source=False)
        '444'
        >>> first_step("444", height=480, is_jpeg_source=True)
        'copy'
    """
    if is_jpeg_source:
        return "copy"
    if spec_subsampling != "auto":
        return spec_subsampling
    return "420" if height >= _THIN_CHROMA_HEIGHT else "444"


def finer(step: CodecStep) -> CodecStep | None:
    """The next finer step; None where there is none: a copy is the source itself, lossless is exact."""
    if step == "copy" or step == _LADDER[-1]:
        return None
    return _LADDER[_LADDER.index(step) + 1]
