"""Single bits that flip in a dataset at rest, and whether `verify` tells."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

from bagmill.dataset import Dataset
from bagmill.health import verify_dataset


def flip_bits(path: Path, *, num_flips: int, random: Random) -> tuple[list[dict[str, str | int]], list[str]]:
    """Flip one bit of one file, look through the dataset, put it back; again and again.

    Files are taken alike, however large; those without a byte have no bit.

    Args:
        path: The dataset's folder.
        num_flips: How often.
        random: Chooses file, byte and bit.

    Returns:
        A row for each kind of file, and every flip that was not told.
    """
    files = sorted(each for each in path.rglob("*") if each.is_file() and each.stat().st_size)
    flips: Counter[str] = Counter()
    told: Counter[str] = Counter()
    problems: list[str] = []
    for _ in range(num_flips):
        file = random.choice(files)
        content = file.read_bytes()
        place, bit = random.randrange(len(content)), random.randrange(8)
        _write(file, content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :])
        kind = _kind_of(file.relative_to(path))
        flips[kind] += 1
        if verify_dataset(Dataset(path)).is_whole:
            problems.append(f"{file.relative_to(path)}: bit {bit} of byte {place} flipped, and nobody told")
        else:
            told[kind] += 1
        _write(file, content)
    if not verify_dataset(Dataset(path)).is_whole:
        problems.append("what was put back is not whole")
    rows: list[dict[str, str | int]] = [
        {"kind": kind, "num_flips": flips[kind], "num_told": told[kind], "num_silent": flips[kind] - told[kind]}
        for kind in sorted(flips)
    ]
    return rows, problems


def _write(file: Path, content: bytes) -> None:
    mode = file.stat().st_mode
    file.chmod(mode | 0o200)
    file.write_bytes(content)
    file.chmod(mode)


def _kind_of(path: Path) -> str:
    """The top folder, and of an episode's array what it is."""
    if any(part.endswith(".zarr") for part in path.parts):
        return "an episode's metadata" if path.name == "zarr.json" else "an episode's arrays"
    return path.parts[0] + (f", {path.suffix}" if path.suffix else "")
