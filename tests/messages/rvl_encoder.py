"""An encoder of RVL, number by number as the paper describes it: slow, and independent of the decoder."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray


def encode_rvl(depth: NDArray[np.uint16]) -> bytes:
    """A depth frame (H, W) as words of 32 bits."""
    groups: list[int] = []

    def put(number: int) -> None:
        while True:
            low, number = number & 7, number >> 3
            groups.append(low | (8 if number else 0))
            if not number:
                return

    pixels = depth.ravel().tolist()
    place, previous = 0, 0
    while place < len(pixels):
        zeros = next((n for n, value in enumerate(pixels[place:]) if value), len(pixels) - place)
        place += zeros
        others = next((n for n, value in enumerate(pixels[place:]) if not value), len(pixels) - place)
        put(zeros)
        put(others)
        for value in pixels[place : place + others]:
            difference = value - previous
            put(2 * difference if difference >= 0 else -2 * difference - 1)
            previous = value
        place += others
    groups += [0] * (-len(groups) % 8)
    words = (sum(group << 4 * (7 - n) for n, group in enumerate(groups[i : i + 8])) for i in range(0, len(groups), 8))
    return b"".join(struct.pack("<I", word) for word in words)
