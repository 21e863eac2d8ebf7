"""Inputs that are nearly right: seeds, changed a few times over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

_ODD_NUMBERS = (
    0,
    1,
    2,
    3,
    7,
    8,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    2**63 - 1,
    2**63,
    2**64 - 1,
)
_MOST_BYTES = 1 << 20
_MOST_CHANGES = 8


def mutate(random: Random, seeds: Sequence[bytes], tokens: Sequence[bytes] = ()) -> bytes:
    """One of the seeds with one to eight changes; now and then none at all, or nothing but noise.

    Args:
        random: Says which; the same state gives the same input.
        seeds: What is right.
        tokens: What means something in such an input, to be put in anywhere.
    """
    data = bytearray(random.choice(seeds))
    if random.random() < 0.01:
        return bytes(data)
    if random.random() < 0.01:
        return random.randbytes(random.randrange(4096))
    for _ in range(random.randint(1, _MOST_CHANGES)):
        change = random.choice(_CHANGES)
        change(random, data, seeds, tokens)
        del data[_MOST_BYTES:]
    return bytes(data)


Change = Callable[[Random, bytearray, Sequence[bytes], Sequence[bytes]], None]


def _place(random: Random, data: bytearray) -> int:
    """Anywhere, but headers more often: what stands first decides most."""
    size = len(data)
    return random.randrange(min(size, 64) if random.random() < 0.3 else size) if size else 0


def _flip(random: Random, data: bytearray, *_: object) -> None:
    if data:
        data[_place(random, data)] ^= 1 << random.randrange(8)


def _set(random: Random, data: bytearray, *_: object) -> None:
    if data:
        data[_place(random, data)] = random.randrange(256)


def _number(random: Random, data: bytearray, *_: object) -> None:
    """A number of an odd size where another stands, of either byte order."""
    width = random.choice((1, 2, 4, 8))
    number = random.choice(_ODD_NUMBERS) + random.choice((0, 0, 1, -1)) & (1 << 8 * width) - 1
    place = _place(random, data)
    data[place : place + width] = number.to_bytes(width, random.choice(("little", "big")))


def _cut(random: Random, data: bytearray, *_: object) -> None:
    del data[_place(random, data) :]


def _remove(random: Random, data: bytearray, *_: object) -> None:
    place = _place(random, data)
    del data[place : place + random.choice((1, 2, 4, 8, random.randrange(1, 257)))]


def _repeat(random: Random, data: bytearray, *_: object) -> None:
    place = _place(random, data)
    piece = data[place : place + random.choice((1, 4, random.randrange(1, 1025)))]
    data[place:place] = bytes(piece) * random.choice((1, 2, 16, 256))


def _insert(random: Random, data: bytearray, *_: object) -> None:
    data[(place := _place(random, data)) : place] = random.randbytes(random.randrange(1, 17))


def _splice(random: Random, data: bytearray, seeds: Sequence[bytes], _: object) -> None:
    other = random.choice(seeds)
    start = random.randrange(len(other) + 1)
    place = _place(random, data)
    data[place : place + random.choice((0, 16, 1024))] = other[start : start + random.randrange(1, 4097)]


def _token(random: Random, data: bytearray, _: object, tokens: Sequence[bytes]) -> None:
    if tokens:
        place = _place(random, data)
        token = random.choice(tokens)
        data[place : place + random.choice((0, len(token)))] = token * random.choice((1, 1, 1, 2, 100))


_CHANGES: Sequence[Change] = (
    _flip,
    _flip,
    _set,
    _number,
    _number,
    _cut,
    _remove,
    _repeat,
    _insert,
    _splice,
    _token,
    _token,
)
