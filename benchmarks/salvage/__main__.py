"""The command line: `python -m benchmarks.salvage --json FILE`."""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bagmill.errors import RecordingError
from bagmill.recordings import open_recording
from benchmarks.program import make_parser, publish
from benchmarks.salvage.sources import SOURCES, make_source
from benchmarks.salvage.standing import Key, key, standing_of
from benchmarks.table import Column, Record, Table

_NUM_CUTS: Final = 36
_NUM_FRAMES: Final = 150
_LEAST_PERCENT: Final = 95.0
"""The bar, over all cuts together and in every file."""
_COLUMNS: Final = (
    Column("recording", "recording"),
    Column("num_cuts", "cuts"),
    Column("num_standing", "messages before the cuts", ",.0f"),
    Column("num_back", "come back", ",.0f"),
    Column("percent", "%", ".2f"),
    Column("num_invented", "invented"),
    Column("num_default", "without salvage", ",.0f"),
    Column("is_within_bar", f"≥ {_LEAST_PERCENT:.0f} %, 0 invented"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        The exit code: 1 where less comes back than the bar asks for, or a message that was never recorded.
    """
    parser = make_parser(
        "salvage", "Recordings cut off at random bytes: how many of the messages before the cut come back."
    )
    parser.add_argument("--cuts", type=int, default=_NUM_CUTS, metavar="N", help="of every recording (default: 36)")
    parser.add_argument("--frames", type=int, metavar="N", help="of each camera (default: 150; quick: 30)")
    parser.add_argument("--seed", type=int, default=1, help="of the cuts' places (default: 1)")
    parser.add_argument("--real", type=Path, nargs="*", default=[], metavar="FILE", help="recordings to cut as well")
    options = parser.parse_args(arguments)
    num_frames = options.frames or (30 if options.quick else _NUM_FRAMES)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows: list[Record] = []
        for title, (container, compression) in SOURCES.items():
            source = make_source(folder, container=container, compression=compression, num_frames=num_frames)
            rows.append(_row(title, source, folder=folder, num_cuts=options.cuts, seed=options.seed))
        rows += [
            _row(path.name, path, folder=folder, num_cuts=options.cuts, seed=options.seed) for path in options.real
        ]
    table = Table(
        "Recordings cut off at random bytes",
        _COLUMNS,
        [*rows, _sum(rows)],
        [
            "A message stands before a cut where all of its bytes do: in a chunk that is compressed, those that the "
            "compression's own library gives from what is left; in a database, where its pages are whole.",
            "Invented is a message that the whole recording does not have, or not at that place among the others.",
        ],
    )
    settings = {"num_cuts": options.cuts, "num_frames": num_frames, "seed": options.seed}
    publish("salvage", [table], options=options, settings=settings, samples={})
    return 0 if all(row["is_within_bar"] for row in table.rows) else 1


def _row(title: str, source: Path, *, folder: Path, num_cuts: int, seed: int) -> Record:
    standing = standing_of(source)
    places = random.Random(f"{seed} {title}")  # noqa: S311 - where to cut, not a secret
    cut_file = folder / f"cut{source.suffix}"
    num_standing = num_back = num_invented = num_default = 0
    for _ in range(num_cuts):
        cut = places.randrange(1, len(standing.content))
        cut_file.write_bytes(standing.content[:cut])
        back = read(cut_file, salvage=True)
        num_true = num_in_order(back, standing.messages)
        num_standing += standing.before(cut)
        num_back += num_true
        num_invented += len(back) - num_true
        num_default += len(read(cut_file, salvage=False))
    return _judged(
        {
            "recording": title,
            "num_cuts": num_cuts,
            "num_standing": num_standing,
            "num_back": num_back,
            "num_invented": num_invented,
            "num_default": num_default,
        }
    )


def _judged(counts: dict[str, str | int | float | bool | None]) -> Record:
    standing, back = counts["num_standing"], counts["num_back"]
    assert isinstance(standing, int)
    assert isinstance(back, int)
    percent = 100.0 * back / standing if standing else 100.0
    return counts | {"percent": percent, "is_within_bar": percent >= _LEAST_PERCENT and counts["num_invented"] == 0}


def _sum(rows: Sequence[Record]) -> Record:
    names = ("num_cuts", "num_standing", "num_back", "num_invented", "num_default")
    return _judged({"recording": "all"} | {name: sum(int(row[name] or 0) for row in rows) for name in names})


def read(path: Path, *, salvage: bool) -> list[Key]:
    """The messages of a recording; none where it is refused."""
    try:
        with open_recording(path, salvage=salvage) as recording:
            return [
                key(
                    recording.channels[message.channel_id].topic,
                    message.log_time_ns,
                    message.publish_time_ns,
                    bytes(message.data),
                )
                for message in recording.messages()
            ]
    except RecordingError:
        return []


def num_in_order(found: Sequence[Key], recorded: Sequence[Key]) -> int:
    """How many of the messages found are recorded ones, in the order of the recording."""
    count = 0
    rest = iter(recorded)
    for message in found:
        for candidate in rest:
            if candidate == message:
                count += 1
                break
        else:
            return count
    return count


if __name__ == "__main__":
    sys.exit(main())
