"""The command line: `python -m benchmarks.scale --json FILE`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from bagmill.cores import usable_cores
from benchmarks.folders import add_folder_option, fresh_folder, working_folder
from benchmarks.frames import camera_frames
from benchmarks.program import make_parser, num_rounds, publish
from benchmarks.scale.count import measure_count
from benchmarks.scale.deployment import TINY, ManyEpisodes, camera_kind
from benchmarks.scale.length import measure_length, needed_bytes
from benchmarks.scale.rerun import Costs, measure_reruns

_REAL_SECONDS = 10
_REAL_EPISODE_BYTES = 340_000_000
"""Of the recording and two datasets."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        The exit code.
    """
    parser = make_parser("scale", "What ingesting costs against length of a recording and number of episodes.")
    add_folder_option(parser)
    parser.add_argument("--lengths", type=_rising, help="seconds recorded (default: 10,100,1000; quick: 2,20,60)")
    parser.add_argument("--counts", type=_rising, help="episodes (default: 10,100,1000; quick: 4,12)")
    parser.add_argument(
        "--real-count", type=int, help=f"episodes of {_REAL_SECONDS} s at full size (default: 40; quick: none)"
    )
    options = parser.parse_args(arguments)
    lengths = options.lengths or ((2, 20, 60) if options.quick else (10, 100, 1000))
    counts = options.counts or ((4, 12) if options.quick else (10, 100, 1000))
    real_count = options.real_count if options.real_count is not None else 0 if options.quick else 40
    rgb = camera_frames(min(300, 6 * lengths[-1]))
    threads = usable_cores()
    needed = needed_bytes(lengths) + sum(counts) * 2_200_000 + real_count * _REAL_EPISODE_BYTES
    with working_folder(options.folder, needed_bytes=needed) as (folder, medium):
        with fresh_folder(folder) as part:
            length, length_samples = measure_length(
                part, lengths_s=lengths, rgb=rgb, num_rounds=num_rounds(options), num_threads=threads
            )
        with fresh_folder(folder) as tiny, fresh_folder(folder) as real:
            count, last = measure_count(ManyEpisodes(tiny, TINY), counts=counts)
            firsts = [last]
            if real_count:
                camera = ManyEpisodes(real, camera_kind(rgb, seconds=_REAL_SECONDS))
                firsts.append(Costs.of_first(camera, "real", real_count))
            reruns = measure_reruns(firsts)
    settings = {"num_threads": threads, "frames": rgb.about, "files": medium}
    samples = {"length": length_samples, "count": count.rows, "reruns": reruns.rows}
    publish("scale", [length, count, reruns], options=options, settings=settings, samples=samples)
    return 0


def _rising(text: str) -> tuple[int, ...]:
    numbers = tuple(int(part) for part in text.split(",") if part.isdecimal() and int(part) > 0)
    if not numbers or list(numbers) != sorted(set(numbers)):
        raise argparse.ArgumentTypeError(f"expected rising whole numbers as in 10,100, not {text!r}")
    return numbers


if __name__ == "__main__":
    sys.exit(main())
