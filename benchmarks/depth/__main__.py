"""`python -m benchmarks.depth`: lossless codecs for depth, every frame checked bit by bit."""

from __future__ import annotations

import json
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from bagmill.codecs import encode_depth
from bagmill.episodes import Episode, EpisodeWriter
from benchmarks.depth.candidates import BASELINE, Candidate, Frame, candidates
from benchmarks.depth.extras import PACKAGES, install_extras, load_extra
from benchmarks.depth.kinds import Depth, about_kinds, depth_kinds
from benchmarks.frames import HEIGHT, WIDTH
from benchmarks.program import make_parser, num_rounds, publish
from benchmarks.rounds import Spread, paired_ratio, take_turns
from benchmarks.table import Column, Table

_MAX_SIZE_RATIO, _MAX_TIME_RATIO = 0.75, 1.3
"""The bar: against zstd 3."""
_NUM_READS = 5
"""Of every frame, for one sample."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One round of one codec over the frames of a kind."""

    encode_s: float
    """A frame, written once."""
    decode_s: float
    """A frame, by the fastest of several readings of them all: what else the machine does only adds to it."""


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and publish."""
    parser = make_parser("depth", "Lossless codecs on depth: size, time to write, time to read one frame.")
    parser.add_argument("--extras", action="store_true", help=f"install {' and '.join(PACKAGES)} for this run's use")
    parser.add_argument(
        "--frames", type=int, default=4, metavar="N", help="of every kind, 1 to 6 (default: %(default)s)"
    )
    parser.add_argument(
        "--size", default=f"{WIDTH}x{HEIGHT}", metavar="WxH", help="frames' size (default: %(default)s)"
    )
    options = parser.parse_args(argv)
    if options.extras:
        install_extras()
    width, height = map(int, options.size.split("x"))
    kinds = depth_kinds(min(options.frames, 2) if options.quick else options.frames, height=height, width=width)
    codecs = candidates((height, width), is_quick=options.quick)
    rows: list[dict[str, Any]] = []
    samples: dict[str, Any] = {}
    for kind, frames in kinds.items():
        of_kind, samples[kind] = _measure(kind, frames, codecs, rounds=num_rounds(options))
        rows += of_kind
    notes = [
        f"{name}: not installed, its codecs are skipped; try --extras." for name in PACKAGES if not load_extra(name)
    ]
    publish(
        "depth",
        [*_tables_by_kind(rows), _summary(rows, codecs, [*about_kinds(kinds), *notes]), _episodes(kinds, options)],
        options=options,
        settings={"size": options.size, "num_frames": len(next(iter(kinds.values()))), "num_threads": 1},
        samples=samples,
    )


def _measure(
    kind: str, frames: Depth, codecs: Sequence[Candidate], *, rounds: int
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Every codec over the frames of one kind: the table's rows, and the samples behind them."""
    encoded = {codec.name: [codec.encode(frame) for frame in frames] for codec in codecs}
    for codec in codecs:
        _check(codec, frames, encoded[codec.name])
    taken = take_turns(
        {codec.name: _sampler(codec, frames, encoded[codec.name]) for codec in codecs}, num_rounds=rounds
    )
    baseline_bytes = sum(map(len, encoded[BASELINE]))
    baseline_s = [sample.decode_s for sample in taken[BASELINE]]
    rows = []
    for codec in codecs:
        size_bytes, decode_s = sum(map(len, encoded[codec.name])), [sample.decode_s for sample in taken[codec.name]]
        size_ratio, time_ratio = size_bytes / baseline_bytes, paired_ratio(decode_s, baseline_s).median
        rows.append(
            {
                "kind": kind,
                "codec": codec.name,
                "needs": codec.needs,
                "kib_per_frame": size_bytes / len(frames) / 1024,
                "ratio_to_raw": size_bytes / frames.nbytes,
                "ratio_to_zstd": size_ratio,
                # Written once a round: the fastest round, because what else the machine does only adds to it.
                "encode_ms": 1e3 * Spread.of([sample.encode_s for sample in taken[codec.name]]).low,
                "decode_ms": 1e3 * Spread.of(decode_s).median,
                "decode_ratio_to_zstd": time_ratio,
                "is_within_bar": size_ratio <= _MAX_SIZE_RATIO and time_ratio <= _MAX_TIME_RATIO,
            }
        )
    return rows, {name: [[s.encode_s, s.decode_s] for s in each] for name, each in taken.items()}


def _sampler(codec: Candidate, frames: Depth, encoded: Sequence[bytes]) -> Callable[[], Sample]:
    out = np.empty_like(frames[0])

    def sample() -> Sample:
        started = time.perf_counter()
        for frame in frames:
            codec.encode(frame)
        encode_s = (time.perf_counter() - started) / len(frames)
        readings = []
        for _ in range(_NUM_READS):
            started = time.perf_counter()
            for data in encoded:
                codec.decode(data, out)
            readings.append((time.perf_counter() - started) / len(encoded))
        return Sample(encode_s, min(readings))

    return sample


def _check(codec: Candidate, frames: Depth, encoded: Sequence[bytes]) -> None:
    """Every frame comes back bit by bit; through stock zarr, too, where it has the codecs."""
    for frame, data in zip(frames, encoded, strict=True):
        if not np.array_equal(_numbers(codec.decode(data, np.empty_like(frame)), frame), frame):
            raise AssertionError(f"{codec.name}: a frame came back changed")
    if codec.needs != "imagecodecs-zarr" and not np.array_equal(_by_zarr(codec, encoded[0], frames[0]), frames[0]):
        raise AssertionError(f"{codec.name}: zarr reads another frame")


def _numbers(decoded: Any, frame: Frame) -> Frame:
    return np.frombuffer(np.ascontiguousarray(decoded), np.uint16).reshape(frame.shape)


def _by_zarr(codec: Candidate, data: bytes, frame: Frame) -> Frame:
    """What zarr-python reads where the bytes are an array's one chunk."""
    shape = [1, *frame.shape]
    metadata = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": shape,
        "data_type": "uint16",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": shape}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0,
        "codecs": codec.chain,
        "attributes": {},
    }
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # zarr warns that numcodecs' codecs are not in the specification.
        warnings.simplefilter("ignore")
        chunk = Path(folder, "c", "0", "0", "0")
        chunk.parent.mkdir(parents=True)
        chunk.write_bytes(data)
        Path(folder, "zarr.json").write_text(json.dumps(metadata), encoding="utf-8")
        return np.asarray(zarr.open_array(folder, mode="r")[0], dtype=np.uint16)


def _tables_by_kind(rows: Sequence[dict[str, Any]]) -> list[Table]:
    columns = [
        Column("codec", "codec"),
        Column("kib_per_frame", "KiB a frame", ".1f"),
        Column("ratio_to_raw", "of raw", ".3f"),
        Column("ratio_to_zstd", "of zstd 3", ".2f"),
        Column("encode_ms", "encode ms", ".2f"),
        Column("decode_ms", "decode ms", ".2f"),
        Column("decode_ratio_to_zstd", "decode × zstd 3", ".2f"),
        Column("is_within_bar", "within the bar"),
    ]
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    return [Table(f"Depth, {kind}", columns, [row for row in rows if row["kind"] == kind], notes=()) for kind in kinds]


def _summary(rows: Sequence[dict[str, Any]], codecs: Sequence[Candidate], notes: Sequence[str]) -> Table:
    """A row a codec: size × and decoding time × of zstd 3 on every kind."""
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    found = {(row["codec"], row["kind"]): row for row in rows}
    summary: list[dict[str, Any]] = []
    for codec in codecs:
        of_codec = [found[codec.name, kind] for kind in kinds]
        cells = {row["kind"]: f"{row['ratio_to_zstd']:.2f} @ {row['decode_ratio_to_zstd']:.2f}" for row in of_codec}
        encode_ms = Spread.of([row["encode_ms"] for row in of_codec]).median
        summary.append({"codec": codec.name, "needs": codec.needs, **cells, "encode_ms": encode_ms})
    columns = [
        Column("codec", "codec"),
        *(Column(kind, kind) for kind in kinds),
        Column("encode_ms", "encode ms", ".1f"),
        Column("needs", "stock zarr needs"),
    ]
    bar = f"Size @ decoding time, both × zstd 3; the bar is ≤ {_MAX_SIZE_RATIO} @ ≤ {_MAX_TIME_RATIO}."
    checked = "Every frame came back bit by bit; through stock zarr, too, unless it needs imagecodecs-zarr."
    return Table("Depth, all kinds", columns, summary, notes=[bar, checked, *notes])


def _episodes(kinds: dict[str, Depth], options: Any) -> Table:
    """Random frames as a user reads them, against zstd 3 on the bare frame."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for kind, frames in kinds.items():
            episode = _stored(Path(folder), kind, frames)
            bare = next(codec for codec in candidates(frames.shape[1:], is_quick=True) if codec.name == BASELINE)
            read_bare = _sampler(bare, frames, [bare.encode(frame) for frame in frames])
            contenders: dict[str, Callable[[], float]] = {
                "bare": partial(_decode_s, read_bare),
                "episode": _reader(episode, frames),
            }
            taken = take_turns(contenders, num_rounds=num_rounds(options))
            rows.append(
                {
                    "kind": kind,
                    "bare_ms": 1e3 * Spread.of(taken["bare"]).median,
                    "episode_ms": 1e3 * Spread.of(taken["episode"]).median,
                    "ratio": paired_ratio(taken["episode"], taken["bare"]).median,
                }
            )
    columns = [
        Column("kind", "kind"),
        Column("bare_ms", "zstd 3 on the bare frame, ms", ".2f"),
        Column("episode_ms", "Episode.frame, ms", ".2f"),
        Column("ratio", "×", ".2f"),
    ]
    note = "Episode.frame looks the tick up, checks the CRC-32C and decodes into a given array."
    return Table("Depth, one random frame of an episode", columns, rows, notes=[note])


def _decode_s(sampler: Callable[[], Sample]) -> float:
    return sampler().decode_s


def _stored(dataset: Path, kind: str, frames: Depth) -> Episode:
    num_ticks, height, width = frames.shape
    with EpisodeWriter(dataset, kind, "0") as writer:
        sink = writer.add_depth("depth/camera", num_ticks=num_ticks, height=height, width=width)
        for tick, frame in enumerate(frames):
            sink.put(tick, encode_depth(frame))
        writer.put_array("time", np.arange(num_ticks, dtype=np.int64))
        path = writer.publish({})
    episode = Episode.open(path)
    if not np.array_equal(episode.frames("depth/camera", range(num_ticks)), frames):
        raise AssertionError(f"{kind}: the episode gives other frames")
    return episode


def _reader(episode: Episode, frames: Depth) -> Callable[[], float]:
    out = np.empty_like(frames[0])
    order = np.random.default_rng(0)

    def sample() -> float:
        readings = []
        for _ in range(_NUM_READS):
            ticks = order.permutation(len(frames)).tolist()
            started = time.perf_counter()
            for tick in ticks:
                episode.frame("depth/camera", tick, out=out)
            readings.append((time.perf_counter() - started) / len(ticks))
        return min(readings)

    return sample


if __name__ == "__main__":
    main()
