"""`python -m benchmarks.codec`: the table of "Scaling robotics datasets with video encoding" for bagmill's storage."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from bagmill.quality.fidelity import psnr_db
from bagmill.quality.picture import PictureStatistics
from benchmarks.codec.scenes import NUM_FRAMES, Clip, make_clip
from benchmarks.codec.stills import BASELINE, still_methods
from benchmarks.codec.storage import Method, Stored
from benchmarks.codec.videos import video_methods
from benchmarks.program import make_parser, num_rounds, publish
from benchmarks.rounds import Spread, paired_ratio, take_turns
from benchmarks.table import Column, Table

_PATTERNS: Final[Mapping[str, tuple[int, ...]]] = {
    "1 frame": (0,),
    "2 frames": (0, 1),
    "6 frames": (0, 1, 2, 3, 4, 5),
    "2 frames, 4 apart": (0, 4),
}
"""What is loaded at once → ticks behind the first one."""
_READS: Final = {"96x96": 10, "640x480": 4}
"""Size → random places for one sample of a loading time; 2 for larger ones."""
_LEAST_PSNR_DB: Final = 20.0
"""Below, something is wrong with a method, not with its quality."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How close a clip came back."""

    mse: float
    """Of all three colours of all frames."""
    psnr_db: float
    """Of that."""
    ssim: float
    """Of luma, mean over the frames."""


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and publish."""
    parser = make_parser("codec", "Pictures as JPEG in episodes, PNG files and video: size, time, likeness.")
    parser.add_argument("--size", action="append", metavar="WxH", help=f"of {', '.join(NUM_FRAMES)} (default: all)")
    parser.add_argument("--frames", type=int, metavar="N", help="of every size (default: fewer of the larger ones)")
    options = parser.parse_args(argv)
    grid = {"gops": (2, 20), "crfs": (30,)} if options.quick else {}
    methods = [*still_methods(), *video_methods(**grid)]
    rows: list[dict[str, Any]] = []
    samples: dict[str, Any] = {}
    sources = []
    for size in options.size or NUM_FRAMES:
        num_frames = options.frames or (12 if options.quick else NUM_FRAMES.get(size, min(NUM_FRAMES.values())))
        clip, about = make_clip(size, num_frames)
        sources.append(f"{size}: {num_frames} frames; {about}.")
        with tempfile.TemporaryDirectory() as folder:
            of_size, samples[size] = _measure(size, clip, methods, folder=Path(folder), rounds=num_rounds(options))
        rows += of_size
    publish(
        "codec",
        _tables(rows, sources),
        options=options,
        settings={"num_threads": 1, "baseline": BASELINE, "patterns": {k: list(v) for k, v in _PATTERNS.items()}},
        samples=samples,
    )


def _measure(
    size: str, clip: Clip, methods: Sequence[Method], *, folder: Path, rounds: int
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Every method over one clip: the table's rows, and the samples behind them."""
    encode_s: dict[str, list[float]] = {}
    stored: dict[str, Stored] = {}
    for number, method in enumerate(methods):
        # An episode is written in no time, and anything could come between; others take seconds, and are written once.
        places = [folder / f"{number}-{turn}" for turn in range(rounds if method.family == "episode" else 1)]
        for place in places:
            place.mkdir()
        encode_s[method.name] = [method.encode(clip, place) for place in places]
        stored[method.name] = method.open(places[0], len(clip))
    likeness = {method.name: _check(method, stored[method.name], clip) for method in methods}
    num_reads = _READS.get(size, 2)
    taken = {
        pattern: take_turns(
            {name: _sampler(each, offsets, num_frames=len(clip), num_reads=num_reads) for name, each in stored.items()},
            num_rounds=rounds,
        )
        for pattern, offsets in _PATTERNS.items()
    }
    png_bytes = stored[BASELINE].size_bytes
    rows = []
    for method in methods:
        size_bytes, close = stored[method.name].size_bytes, likeness[method.name]
        loads = {pattern: (each[method.name], each[BASELINE]) for pattern, each in taken.items()}
        rows.append(
            {
                "scene": size,
                "method": method.name,
                **method.settings,
                "kib_per_frame": size_bytes / len(clip) / 1024,
                "ratio_to_raw": size_bytes / clip.nbytes,
                "ratio_to_png": size_bytes / png_bytes,
                "encode_frames_per_s": len(clip) / Spread.of(encode_s[method.name]).median,
                **{f"load_ms, {name}": 1e3 * Spread.of(own).median for name, (own, _) in loads.items()},
                **{f"load_ratio, {name}": paired_ratio(own, png).median for name, (own, png) in loads.items()},
                "mse": close.mse,
                "psnr_db": close.psnr_db,
                "ssim": close.ssim,
                "num_keyframes": getattr(stored[method.name], "num_keyframes", None),
            }
        )
    return rows, {"load_s": taken, "encode_s": encode_s}


def _sampler(stored: Stored, offsets: Sequence[int], *, num_frames: int, num_reads: int) -> Callable[[], float]:
    """Seconds to load a pattern once, mean over random places; every method is asked for the same ones."""
    places = np.random.default_rng(0)

    def sample() -> float:
        firsts = places.integers(0, num_frames - offsets[-1], num_reads).tolist()
        started = time.perf_counter()
        for first in firsts:
            stored.load([first + offset for offset in offsets])
        return (time.perf_counter() - started) / num_reads

    return sample


def _check(method: Method, stored: Stored, clip: Clip) -> Likeness:
    """How close the clip came back; that a random frame is the one that reading everything gives."""
    whole = stored.load(range(len(clip)))
    if whole.shape != clip.shape:
        raise AssertionError(f"{method.name}: {clip.shape} came back as {whole.shape}")
    if method.is_lossless and not np.array_equal(whole, clip):
        raise AssertionError(f"{method.name}: a frame came back changed")
    gop = method.settings.get("g")
    if isinstance(gop, int) and getattr(stored, "num_keyframes", 0) != -(-len(clip) // gop):
        raise AssertionError(f"{method.name}: the encoder set key frames elsewhere")
    for tick in (len(clip) - 1, len(clip) // 2, 0):
        if not np.array_equal(stored.load([tick])[0], whole[tick]):
            raise AssertionError(f"{method.name}: frame {tick} differs when it is loaded by itself")
    likeness = _compare(clip, whole)
    if likeness.psnr_db < _LEAST_PSNR_DB:
        raise AssertionError(f"{method.name}: {likeness.psnr_db:.1f} dB cannot be right")
    return likeness


def _compare(clip: Clip, stored: Clip) -> Likeness:
    errors, similarities = [], []
    for source, frame in zip(clip, stored, strict=True):
        errors.append(float(np.mean(np.square(np.subtract(source, frame, dtype=np.float32)))))
        similarities.append(PictureStatistics.of(source, frame).ssim)
    mse = float(np.mean(errors))
    return Likeness(mse, psnr_db(mse), float(np.mean(similarities)))


def _tables(rows: Sequence[dict[str, Any]], sources: Sequence[str]) -> list[Table]:
    columns = [
        Column("method", "stored as"),
        Column("kib_per_frame", "KiB a frame", ".1f"),
        Column("ratio_to_raw", "of raw", ".4f"),
        Column("ratio_to_png", "of PNG", ".4f"),
        Column("encode_frames_per_s", "encode frames/s", ",.0f"),
        Column("load_ms, 1 frame", "load 1, ms", ".2f"),
        *(Column(f"load_ratio, {pattern}", f"load {pattern} × PNG", ".2f") for pattern in _PATTERNS),
        Column("mse", "MSE", ".2f"),
        Column("psnr_db", "PSNR dB", ".1f"),
        Column("ssim", "SSIM", ".4f"),
    ]
    notes = [
        "One thread encodes, one decodes. Films stay open between readings; PNG is a file a frame, through Pillow.",
        "Load: random places, the same for all; median of the ratios to PNG files within each round.",
        "MSE and its PSNR are of RGB; SSIM is of luma, 8×8 windows (`bagmill.quality.fidelity`).",
        "Encoding: PNG and video once, episodes by the median of several times.",
        "Frames that were video once (g1_episodes) have lost the sensor's noise, which makes video look smaller here.",
        "Video is 4:2:0; AV1 is SVT-AV1 preset 10, H.264 and H.265 are x264 and x265 medium.",
    ]
    scenes = list(dict.fromkeys(row["scene"] for row in rows))
    of_scene = {scene: [row for row in rows if row["scene"] == scene] for scene in scenes}
    return [
        Table(f"Pictures, {scene}", columns, of_scene[scene], notes=[source, *notes])
        for scene, source in zip(scenes, sources, strict=True)
    ]


if __name__ == "__main__":
    main()
