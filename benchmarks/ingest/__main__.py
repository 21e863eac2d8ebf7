"""The command line: `python -m benchmarks.ingest --json FILE`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict

from bagmill.cores import usable_cores
from benchmarks.child import Measured
from benchmarks.folders import add_folder_option, working_folder
from benchmarks.frames import camera_frames, depth_frames
from benchmarks.ingest.contest import BARE, COPY, OURS, Contest, Settings
from benchmarks.ingest.lerobot_dataset import lerobot_python
from benchmarks.ingest.quality_share import Share, share_table
from benchmarks.ingest.sources import SOURCES, Source
from benchmarks.program import make_parser, num_rounds, publish
from benchmarks.rounds import Spread, paired_ratio
from benchmarks.table import Column, Record, Table

_COLUMNS = (
    Column("source", "source"),
    Column("contender", "contender"),
    Column("frames_per_s", "frames/s", ",.0f"),
    Column("raw_mb_per_s", "MB/s of raw input", ",.0f"),
    Column("ratio_to_a", "speed to (a)", ".2f"),
    Column("ours_is_faster", "bagmill is × as fast", ".2f"),
    Column("cpu_ms_per_frame", "CPU ms/frame", ".2f"),
    Column("peak_rss_mib", "peak RSS MiB", ".0f"),
    Column("kib_per_frame", "KiB/frame", ".1f"),
    Column("spread_percent", "spread %", ".0f"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        The exit code.
    """
    parser = make_parser("ingest", "From a recording to stored frames, against a bare loop, zarr-python and LeRobot.")
    add_folder_option(parser)
    parser.add_argument(
        "--with-lerobot", action="store_true", help="measure LeRobot too; makes its environment, some GB"
    )
    parser.add_argument("--frames", type=int, help="frames of each camera (default: 1800; quick: 240)")
    parser.add_argument("--only", metavar="TEXT", default="", help="only sources whose name has this in it")
    options = parser.parse_args(arguments)
    sources = [source for source in SOURCES if options.only.lower() in source.name.lower()]
    if not sources:
        parser.error(f"--only {options.only}: the sources are {', '.join(source.name for source in SOURCES)}")
    lerobot, said = lerobot_python(is_asked_for=options.with_lerobot)
    settings = Settings(
        num_frames=options.frames or (240 if options.quick else 1800),
        num_rounds=num_rounds(options),
        num_threads=usable_cores(),
        lerobot=lerobot,
        lerobot_frames=60 if options.quick else 200,
    )
    rgb, depth = camera_frames(min(300, settings.num_frames)), depth_frames(min(60, settings.num_frames))
    rows: list[Record] = []
    shares: list[Share] = []
    samples: dict[str, object] = {}
    needed = 3 * max(source.raw_bytes(settings.num_frames) for source in sources)
    with working_folder(options.folder, needed_bytes=needed) as (folder, medium):
        for source in sources:
            print(f"{source.name} …", file=sys.stderr, flush=True)
            contest = Contest(source, settings, folder)
            taken = contest.run(rgb=rgb, depth=depth)
            rows += [_row(contest, name, taken) for name in taken]
            samples[source.name] = {name: [asdict(sample) for sample in values] for name, values in taken.items()}
            shares.append(Share.measure(source, settings, folder, rgb=rgb, depth=depth))
    notes = [
        f"Frames: {rgb.about}; depth: {depth.about}; JPEG quality 95, 4:2:0. 14 joints at 100 Hz beside them.",
        f"{settings.num_frames} frames of each camera, {settings.num_threads} threads, {medium}; every sample is a "
        f"process of its own; medians of {settings.num_rounds} rounds in which the contenders take turns.",
        "bagmill's process has made one tiny episode before, as a batch's worker has; the others have imported all they need.",
        "JPEGs not checked, every JPEG decoded: bagmill as it is but for what it does before it copies a JPEG.",
        "Ratios are medians of the ratios within a round; spread is from the least to the greatest time.",
        said,
    ]
    samples["quality and pictures"] = {share.source.name: [asdict(each) for each in share.samples] for share in shares}
    tables = [Table("Ingest", _COLUMNS, rows, notes), share_table(shares)]
    facts = {"num_frames": settings.num_frames, "num_threads": settings.num_threads, "frames": rgb.about}
    publish("ingest", tables, options=options, settings={**facts, "files": medium}, samples=samples)
    return 0


def _row(contest: Contest, name: str, samples: dict[str, list[Measured]]) -> Record:
    source: Source = contest.source
    num_frames = contest.num_frames(name)
    own = samples[name]
    rates = {key: [contest.num_frames(key) / sample.seconds for sample in taken] for key, taken in samples.items()}
    speed = Spread.of(rates[name]).median
    reference = COPY if source.is_jpeg else BARE
    return {
        "source": source.name,
        "contender": name,
        "frames_per_s": speed,
        "raw_mb_per_s": speed * source.raw_bytes(1) / 1e6,
        "ratio_to_a": paired_ratio(rates[name], rates[reference]).median,
        "ours_is_faster": paired_ratio(rates[OURS], rates[name]).median,
        "cpu_ms_per_frame": 1e3 * Spread.of([sample.cpu_seconds for sample in own]).median / num_frames,
        "peak_rss_mib": Spread.of([sample.peak_rss_bytes for sample in own]).median / 2**20,
        "kib_per_frame": Spread.of([sample.result["stored_bytes"] for sample in own]).median / num_frames / 1024,
        "spread_percent": Spread.of([sample.seconds for sample in own]).percent,
    }


if __name__ == "__main__":
    sys.exit(main())
