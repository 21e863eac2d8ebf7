"""A pcodec frame whose numbers are places in a sorted dictionary: any pcodec reader decodes it, none writes it so.

A stereo camera's depth has few distinct values, one for each step of disparity, ever farther apart. Neighbours differ by a
few steps, but by any number of millimetres. pcodec can store a dictionary and places in it; its own encoder sorts the
dictionary by how often a value comes, which makes neighbouring places unlike. Sorted by value they are alike, and pcodec's
differences between neighbours become small. The places are compressed by pcodec as uint32 numbers, which is what they are
in a frame with a dictionary, too: their page is taken as it is, their metadata with the dictionary in front.

Source: pcodec's docs/format.md (standalone format 3, wrapped format 4.1), and of mode 4, "Dict", its reader in Rust.
"""

from __future__ import annotations

from types import ModuleType
from typing import Final

import numpy as np
from numpy.typing import NDArray

LEVEL: Final = 8
_MAX_NUMBERS: Final = 1 << 18 << 6
_STANDALONE: Final = b"pco!\x03\x00"
"""Magic, the standalone format's version, and no one type for all chunks."""
_UINT16: Final = b"\x07"
_END: Final = b"\x00"
_DICTIONARY_MODE: Final = 4
_CONSECUTIVE: Final = 1
_BIN_BITS: Final = 32 + 6
"""Of a bin of uint32 beside its weight: lower bound and number of offset bits."""


def encode_sorted(frame: NDArray[np.uint16], pcodec: ModuleType) -> bytes:
    """Encode a frame as places in the sorted dictionary of its values.

    Args:
        frame: At most 2²⁴ numbers, of any shape.
        pcodec: The package, with its modules `standalone` and `wrapped`.

    Raises:
        ValueError: pcodec made of the places what this module does not know how to take over.
    """
    if not 0 < frame.size <= _MAX_NUMBERS:
        raise ValueError(f"expected 1 to {_MAX_NUMBERS} numbers, found {frame.size}")
    is_used = np.zeros(1 << 16, np.bool_)
    is_used[frame.reshape(-1)] = True
    place_of = np.cumsum(is_used, dtype=np.uint32) - np.uint32(1)
    config = pcodec.ChunkConfig(
        compression_level=LEVEL,
        mode_spec=pcodec.ModeSpec.classic(),
        delta_spec=pcodec.DeltaSpec.try_consecutive(1),
        paging_spec=pcodec.PagingSpec.equal_pages_up_to(_MAX_NUMBERS),
    )
    file = pcodec.wrapped.FileCompressor()
    chunk = file.chunk_compressor(place_of[frame.reshape(-1)], config)
    dictionary = np.flatnonzero(is_used).astype("<u2")
    # Four bits of mode and 25 of length, then up to the next whole byte.
    mode = (_DICTIONARY_MODE | len(dictionary) << 4).to_bytes(4, "little")
    return b"".join(
        (
            _STANDALONE,
            _size_hint(frame.size),
            file.write_header(),
            _UINT16,
            (frame.size - 1).to_bytes(3, "little"),
            mode,
            dictionary.tobytes(),
            _without_mode(chunk.write_meta()),
            chunk.write_page(0),
            _END,
        )
    )


def _size_hint(size: int) -> bytes:
    """Six bits of length less one, and the number itself."""
    num_bits = size.bit_length()
    return ((num_bits - 1) | size << 6).to_bytes((6 + num_bits + 7) // 8, "little")


def _without_mode(metadata: bytes) -> bytes:
    """A chunk's metadata behind the four bits of its mode, packed anew."""
    bits = int.from_bytes(metadata, "little")
    mode, delta = bits & 15, bits >> 4 & 15
    if mode != 0 or delta not in (0, _CONSECUTIVE):
        raise ValueError(f"pcodec chose mode {mode} and differences {delta}")
    head = 4 + 4 + (4 if delta == _CONSECUTIVE else 0)
    weight_bits, num_bins = bits >> head & 15, bits >> (head + 4) & 0x7FFF
    num_bits = head + 4 + 15 + num_bins * (weight_bits + _BIN_BITS)
    if (num_bits + 7) // 8 != len(metadata):
        raise ValueError(f"pcodec's metadata of {num_bits} bits take {len(metadata)} bytes")
    return (bits >> 4).to_bytes((num_bits - 4 + 7) // 8, "little")
