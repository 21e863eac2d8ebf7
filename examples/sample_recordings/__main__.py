"""The command line: `python -m examples.sample_recordings --out DIR`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBars

from bagmill.errors import AddressError
from bagmill.local_paths import local_path
from examples.sample_recordings import SAMPLES, Sample, is_made, make

_LEAST_SECONDS = 0.3
_MOST_SECONDS = 3600.0


def main(arguments: list[str] | None = None) -> int:
    """Make the samples that are not there yet.

    Returns:
        The exit code: 0, 1 where they cannot be written, 130 where it was interrupted.
    """
    options = _parser().parse_args(arguments)
    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        with ProgressBars(*columns, console=console) as bars:
            for sample in SAMPLES:
                _make_or_keep(sample, options, bars)
    except OSError as err:
        console.print(f"{err.filename or options.out}: cannot be written ({err.strerror}).")
        return 1
    except KeyboardInterrupt:
        console.print("Stopped; what is whole is kept.")
        return 130
    size_bytes = sum((options.out / sample.name).stat().st_size for sample in SAMPLES)
    console.print(f"{len(SAMPLES)} recordings, {size_bytes / 1e6:.0f} MB, in {options.out}")
    return 0


def _make_or_keep(sample: Sample, options: argparse.Namespace, bars: ProgressBars) -> None:
    bar = bars.add_task(f"{sample.name:<22}{sample.about}", total=1)

    def show(num_written: int, total: int) -> None:
        bars.update(bar, completed=num_written, total=total)

    if is_made(sample, options.out, seconds=options.seconds, seed=options.seed):
        bars.update(bar, completed=1, description=f"{sample.name:<22}already there")
    else:
        make(sample, options.out, seconds=options.seconds, seed=options.seed, progress=show)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m examples.sample_recordings",
        description="Make five recordings of a dual arm with two cameras and depth: "
        + "; ".join(f"{sample.name} ({sample.about})" for sample in SAMPLES)
        + ". Same seed, same bytes; what is already there with the same parameters is kept.",
    )
    parser.add_argument("--out", type=_local, required=True, help="folder to write to")
    parser.add_argument(
        "--seconds", type=_seconds, default=6.0, help="length; raw ones are two thirds of it (default: %(default)s)"
    )
    parser.add_argument("--seed", type=_seed, default=7, help="of everything that is random (default: %(default)s)")
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not _LEAST_SECONDS <= seconds <= _MOST_SECONDS:
        raise argparse.ArgumentTypeError(f"expected a number from {_LEAST_SECONDS} to {_MOST_SECONDS:g}, not {text!r}")
    return seconds


def _local(text: str) -> Path:
    try:
        return local_path(text)
    except AddressError as err:
        raise argparse.ArgumentTypeError(str(err)) from err


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number from 0, not {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
