"""Cost against length: the same frames for 10, 100 and 1,000 seconds of recording. Time should be linear, memory flat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.child import Measured, run_child
from benchmarks.folders import fresh_folder
from benchmarks.frames import Frames
from benchmarks.ingest.sources import Source, profile_of, write_source
from benchmarks.rounds import Spread, take_turns
from benchmarks.table import Column, Record, Table

RATE_HZ: Final = 6
"""At which 1,000 seconds of raw VGA are 5.5 GB."""
SOURCE: Final = Source("raw RGB, MCAP", "mcap")
_COLUMNS = (
    Column("recorded_s", "recorded s", ",.0f"),
    Column("size_gb", "GB", ".2f"),
    Column("num_frames", "frames", ",.0f"),
    Column("seconds", "s", ".2f"),
    Column("frames_per_s", "frames/s", ",.0f"),
    Column("marginal_ms", "ms per further frame", ".3f"),
    Column("cpu_ms_per_frame", "CPU ms/frame", ".2f"),
    Column("peak_rss_mib", "peak RSS MiB", ".0f"),
    Column("spread_percent", "spread %", ".0f"),
)


def needed_bytes(lengths_s: tuple[int, ...]) -> int:
    """Of the recordings, and as much again for what is made of them."""
    return sum(2 * SOURCE.raw_bytes(length * RATE_HZ) for length in lengths_s)


def measure_length(
    folder: Path, *, lengths_s: tuple[int, ...], rgb: Frames, num_rounds: int, num_threads: int
) -> tuple[Table, dict[str, object]]:
    """The table, and every sample.

    Args:
        folder: Where recordings and results lie.
        lengths_s: Rising.
        rgb: What the camera sees.
        num_rounds: Samples of each length.
        num_threads: That encode.
    """
    recordings = {length: folder / f"{length}s.mcap" for length in lengths_s}
    for length, path in recordings.items():
        write_source(SOURCE, path, num_frames=length * RATE_HZ, rgb=rgb, depth=rgb, rate_hz=RATE_HZ)
    contenders = {str(n): partial(_ingest, path, folder, num_threads) for n, path in recordings.items()}
    samples = take_turns(contenders, num_rounds=num_rounds)
    rows: list[Record] = []
    for length, path in recordings.items():
        rows.append(_row(length, path, samples[str(length)], rows[-1] if rows else None))
        path.unlink()
    notes = [
        f"Frames: {rgb.about}, {RATE_HZ} a second; {num_threads} threads; medians of {num_rounds} rounds; every sample "
        "is a process of its own.",
        "ms per further frame: against the row above, so what every episode costs once is not in it.",
    ]
    kept: dict[str, object] = {name: [asdict(sample) for sample in taken] for name, taken in samples.items()}
    return Table("Cost against length", _COLUMNS, rows, notes), kept


def _ingest(recording: Path, folder: Path, num_threads: int) -> Measured:
    with fresh_folder(folder) as out:
        arguments = {
            "recording": str(recording),
            "folder": str(out),
            "profile": profile_of(SOURCE, rate_hz=RATE_HZ),
            "num_threads": num_threads,
        }
        return run_child("benchmarks.ingest.bagmill_line:prepare", arguments)


def _row(length: int, path: Path, samples: list[Measured], shorter: Record | None) -> Record:
    num_frames = length * RATE_HZ
    if any(sample.result["num_frames"] != num_frames for sample in samples):
        raise RuntimeError(f"{length} s: {samples[0].result['num_frames']} frames stored of {num_frames}")
    seconds = Spread.of([sample.seconds for sample in samples])
    return {
        "recorded_s": length,
        "size_gb": path.stat().st_size / 1e9,
        "num_frames": num_frames,
        "seconds": seconds.median,
        "frames_per_s": num_frames / seconds.median,
        "marginal_ms": None if shorter is None else _marginal_ms(shorter, num_frames, seconds.median),
        "cpu_ms_per_frame": 1e3 * Spread.of([sample.cpu_seconds for sample in samples]).median / num_frames,
        "peak_rss_mib": Spread.of([sample.peak_rss_bytes for sample in samples]).median / 2**20,
        "spread_percent": seconds.percent,
    }


def _marginal_ms(shorter: Mapping[str, object], num_frames: int, seconds: float) -> float:
    return 1e3 * (seconds - float(str(shorter["seconds"]))) / (num_frames - int(str(shorter["num_frames"])))
