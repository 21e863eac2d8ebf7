"""Files made wrong at random, the same from the same seed: bits flipped, lengths made absurd, pieces cut, doubled, exchanged.

for seed in range(1000):
    damaged = mutated(whole, random.Random(seed), others=[another])
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

_MOST_CHANGES: Final = 4
_MOST_PIECE_BYTES: Final = 4096
_WIDTHS: Final = ("B", "H", "I", "Q")
_YAML_PIECES: Final = (
    '!!int ""', "!!timestamp x", "!!binary x", "!!set {a}", "!!python/name:os.system", "&a [*a]", "<<: *a", "<<: 1", "*a", "&a",
    "[[[[", "{{{{", "- - - -", "1e99999", "0x", "1:1:1:1", "9" * 5000, ".nan", ".inf", "~", "null", '"\\0"', '"\\ud800"', "\x00",
    "? [", "|2", ">-9", "%YAML 9.9", "---", "...", "!<tag>", "\t", "\ufeff", "\u2028", "'", '"', ": ", ",", "{", "}", "#",
    "2026-13-45", "-1", "18446744073709551616", "[]", "{}", "''", "a: 1\na: 2",
)  # fmt: skip


def mutated(content: bytes, random: Random, *, others: Sequence[bytes] = ()) -> bytes:
    """A file with one to four changes.

    Args:
        content: The whole file.
        random: Decides; the same state gives the same bytes.
        others: Files of the same kind, of which pieces are taken.
    """
    changed = bytearray(content)
    for _ in range(random.randint(1, _MOST_CHANGES)):
        random.choice(_CHANGES)(changed, random)
        if others and random.random() < 0.1:
            other = random.choice(others)
            at, start = random.randrange(len(changed) + 1), random.randrange(len(other) + 1)
            changed[at:] = other[start:] if random.random() < 0.5 else other[start : start + len(changed) - at]
    return bytes(changed)


def mutated_yaml(content: bytes, random: Random) -> bytes:
    """A YAML file with one to four pieces of YAML where none should be, and now and then a change to its bytes."""
    changed = bytearray(content)
    for _ in range(random.randint(1, _MOST_CHANGES)):
        piece = random.choice(_YAML_PIECES).encode() * random.choice((1, 1, 1, 40))
        starts = [at for at, byte in enumerate(changed) if byte in b":\n -"] or [0]
        at = random.choice(starts) + 1
        line_end = changed.find(b"\n", at)
        is_replacing = line_end >= 0 and random.random() < 0.5
        changed[at : line_end if is_replacing else at] = b" " * random.randint(0, 2) + piece
    return mutated(bytes(changed), random) if random.random() < 0.2 else bytes(changed)


def _flip_bits(content: bytearray, random: Random) -> None:
    for _ in range(random.choice((1, 1, 2, 8))):
        if content:
            content[random.randrange(len(content))] ^= 1 << random.randrange(8)


def _set_number(content: bytearray, random: Random) -> None:
    """Write an extreme number, or one near to the file's size, in a place where a length may stand."""
    layout = struct.Struct("<" + random.choice(_WIDTHS))
    if len(content) < layout.size:
        return
    top = 1 << 8 * layout.size
    value = random.choice(
        (0, 1, top - 1, top // 2, top // 2 - 1, len(content), len(content) - 1, 1 << 28, 1 << 31, random.randrange(top))
    )
    layout.pack_into(content, random.randrange(len(content) - layout.size + 1), value % top)


def _cut_off(content: bytearray, random: Random) -> None:
    if random.random() < 0.3:
        del content[random.randrange(len(content) + 1) :]


def _cut_out(content: bytearray, random: Random) -> None:
    start, end = _piece(content, random)
    del content[start:end]


def _double(content: bytearray, random: Random) -> None:
    start, end = _piece(content, random)
    at = random.choice((end, random.randrange(len(content) + 1)))
    content[at:at] = content[start:end] * random.choice((1, 1, 2, 16))


def _put_over(content: bytearray, random: Random) -> None:
    """Write one piece over another, so that everything behind keeps its place."""
    start, end = _piece(content, random)
    at = random.randrange(len(content) + 1)
    content[at : at + end - start] = content[start:end][: len(content) - at]


def _fill(content: bytearray, random: Random) -> None:
    start, end = _piece(content, random)
    content[start:end] = bytes([random.choice((0, 0xFF, 0x20))]) * (end - start)


def _piece(content: bytearray, random: Random) -> tuple[int, int]:
    start = random.randrange(len(content) + 1)
    return start, min(len(content), start + random.randint(1, random.choice((8, 64, _MOST_PIECE_BYTES))))


_CHANGES: Final[tuple[Callable[[bytearray, Random], None], ...]] = (
    _flip_bits,
    _flip_bits,
    _set_number,
    _set_number,
    _set_number,
    _cut_off,
    _cut_out,
    _double,
    _put_over,
    _fill,
)
