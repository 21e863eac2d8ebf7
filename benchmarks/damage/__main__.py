"""The command line: `python -m benchmarks.damage --json FILE`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

from benchmarks.damage.flips import flip_bits
from benchmarks.damage.full_disks import Row, fill_disks
from benchmarks.damage.small_dataset import make_dataset
from benchmarks.folders import add_folder_option, working_folder
from benchmarks.program import make_parser, publish
from benchmarks.table import Column, Table

_FLIP_COLUMNS: Final = (
    Column("kind", "where"),
    Column("num_flips", "bits flipped", ",.0f"),
    Column("num_told", "told by verify", ",.0f"),
    Column("num_silent", "silent", ",.0f"),
)
_DISK_COLUMNS: Final = (
    Column("size_kib", "room, KiB", ",.0f"),
    Column("is_told", "told in words"),
    Column("num_before", "episodes published before it was full"),
    Column("num_after", "with room"),
    Column("num_lost", "lost, half made or left over"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it.

    Returns:
        The exit code: 1 where a flip was silent, or a full disk cost anything.
    """
    parser = make_parser(
        "damage", "Bits that flip in a dataset at rest, and disks that are full before the work is done."
    )
    add_folder_option(parser)
    parser.add_argument("--flips", type=int, metavar="N", help="how many bits (default: 1142; quick: 40)")
    parser.add_argument("--disks", type=int, metavar="N", help="how many full disks (default: 13; quick: 2)")
    parser.add_argument("--seed", type=int, default=0, help="chooses the bits")
    options = parser.parse_args(arguments)
    num_flips = options.flips or (40 if options.quick else 1142)
    num_disks = options.disks or (2 if options.quick else 13)
    with working_folder(options.folder, needed_bytes=100_000_000) as (folder, medium):
        dataset = make_dataset(folder)
        most_kib = sum(each.stat().st_size for each in dataset.rglob("*")) >> 10
        flips, problems = flip_bits(dataset, num_flips=num_flips, random=Random(options.seed))  # noqa: S311
        disks = _disks(folder, most_kib=most_kib, num_disks=num_disks)
    for problem in problems:
        print(problem, file=sys.stderr)
    note = [] if disks is not None else ["No disk may be mounted here: `unshare --user --mount` is not allowed."]
    tables = [
        Table("Bits that flip at rest", _FLIP_COLUMNS, flips),
        Table("Disks that are full before the work is done", _DISK_COLUMNS, disks or [], note),
    ]
    settings = {"files": medium, "num_flips": num_flips, "num_disks": len(disks or []), "seed": options.seed}
    publish("damage", tables, options=options, settings=settings, samples={"problems": problems})
    return bool(problems) or not all(row["is_told"] and not row["num_lost"] for row in disks or [])


def _disks(folder: Path, *, most_kib: int, num_disks: int) -> list[Row] | None:
    """Disks of which the largest has not quite the room for all."""
    sizes = [max(8, most_kib * number // (num_disks + 1)) for number in range(num_disks)]
    disk = folder / "disk"
    disk.mkdir()
    return fill_disks(folder / "recordings", folder / "robot.yaml", folder=disk, sizes_kib=sizes)


if __name__ == "__main__":
    sys.exit(main())
