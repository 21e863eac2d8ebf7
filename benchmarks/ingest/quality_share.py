"""How much of an ingest's processor time goes into what is not storing frames: checks, and pictures for people."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import bagmill.encode.frames as frame_encoders
from bagmill.episodes import Episode
from bagmill.ingest import line
from bagmill.quality.picture import PictureStatistics
from benchmarks.child import Measured, run_child
from benchmarks.folders import fresh_folder
from benchmarks.frames import Frames
from benchmarks.ingest.bagmill_line import prepare as prepare_ingest
from benchmarks.ingest.contest import Settings
from benchmarks.ingest.sources import Source, profile_of, write_source
from benchmarks.rounds import Spread
from benchmarks.table import Column, Record, Table

_DECODED, _MEASURED, _JUDGED = "samples decoded", "samples measured", "checks judged"
_CHECKED = "JPEGs checked"
_PLOTS, _FRAMES_DRAWN = "plots of rates and skew", "contact sheets, depth"
_QUALITY: Final = (_DECODED, _MEASURED, _JUDGED)
_PICTURES: Final = (_PLOTS, _FRAMES_DRAWN)
_COLUMNS: Final = (
    Column("source", "source"),
    Column("part", "part"),
    Column("cpu_ms", "CPU ms an episode", ",.1f"),
    Column("cpu_percent", "% of ingest's CPU", ".2f"),
)


@dataclass(frozen=True, slots=True)
class Share:
    """One source's episodes, measured with clocks around the parts."""

    source: Source
    samples: list[Measured]

    @classmethod
    def measure(cls, source: Source, settings: Settings, folder: Path, *, rgb: Frames, depth: Frames) -> Share:
        """Ingest a recording of the source once a round, each time in a process of its own.

        Args:
            source: What is ingested.
            settings: How large, how often.
            folder: Where the recording and the results lie.
            rgb: The camera's frames.
            depth: The depth camera's.
        """
        recording = folder / f"recording.{source.container}"
        num_frames = settings.num_frames * source.times_as_long
        write_source(source, recording, num_frames=num_frames, rgb=rgb, depth=depth)
        try:
            samples = [
                cls._ingested(source, recording, folder, settings.num_threads) for _ in range(settings.num_rounds)
            ]
        finally:
            recording.unlink()
        return cls(source, samples)

    @staticmethod
    def _ingested(source: Source, recording: Path, folder: Path, num_threads: int) -> Measured:
        arguments = {"profile": profile_of(source), "num_threads": num_threads}
        with fresh_folder(folder) as results:
            paths = {"recording": str(recording), "folder": str(results)}
            return run_child("benchmarks.ingest.quality_share:prepare", {**paths, **arguments})

    def rows(self) -> list[Record]:
        """A row for every part, and for quality and pictures as a whole."""
        copied = (_CHECKED,) if self.source.is_jpeg else ()
        parts = {part: (part,) for part in (*copied, *_QUALITY, *_PICTURES)}
        return [self._row(name, of) for name, of in (parts | {"quality": _QUALITY, "pictures": _PICTURES}).items()]

    def _row(self, name: str, parts: tuple[str, ...]) -> Record:
        seconds = [sum(sample.result["part_cpu_seconds"][part] for part in parts) for sample in self.samples]
        shares = [part / sample.cpu_seconds for part, sample in zip(seconds, self.samples, strict=True)]
        return {
            "source": self.source.name,
            "part": name,
            "cpu_ms": 1e3 * Spread.of(seconds).median,
            "cpu_percent": 100 * Spread.of(shares).median,
        }


def share_table(shares: Sequence[Share]) -> Table:
    """All shares in one table."""
    notes = [
        "Quality: the samples of every camera decoded again and measured, while encoding and after publishing, on any thread, "
        "and all checks of all stages. JPEGs checked: the look at every JPEG's structure before it is copied. Pictures: what "
        "people are shown of an episode, but for the film.",
    ]
    return Table("What quality and pictures cost", _COLUMNS, [row for share in shares for row in share.rows()], notes)


def prepare(recording: str, folder: str, profile: Mapping[str, Any], num_threads: int) -> Callable[[], dict[str, Any]]:
    """`bagmill_line.prepare` with clocks around the parts; its result has their CPU seconds beside it."""
    ingest = prepare_ingest(recording, folder, profile, num_threads)
    clocks = _Clocks()
    clocks.watch(_DECODED, Episode, "frame")
    clocks.watch(_DECODED, frame_encoders, "decode_jpeg")
    clocks.watch(_CHECKED, frame_encoders, "whole_jpeg")
    clocks.watch(_MEASURED, PictureStatistics, "of")
    for name in ("judge_recording", "judge_timeline", "judge_episode"):
        clocks.watch(_JUDGED, line, name)
    clocks.watch(_PLOTS, line, "draw_rates")
    clocks.watch(_PLOTS, line, "skew_plot")
    clocks.watch(_FRAMES_DRAWN, line, "write_pictures")

    def run() -> dict[str, Any]:
        return {**ingest(), "part_cpu_seconds": dict(clocks.cpu_seconds)}

    return run


class _Clocks:
    """Processor time of functions on the threads that call them; what they call of each other is the outer one's."""

    def __init__(self) -> None:
        self.cpu_seconds = dict.fromkeys((_CHECKED, *_QUALITY, *_PICTURES), 0.0)
        self._lock = threading.Lock()
        self._thread = threading.local()

    def watch(self, part: str, owner: Any, name: str) -> None:
        """Put a clock around a function of a module or a class, for as long as the process lives."""
        is_classmethod = isinstance(vars(owner)[name], classmethod)
        clocked = self._clocked(part, getattr(owner, name))
        setattr(owner, name, staticmethod(clocked) if is_classmethod else clocked)

    def _clocked(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def clocked(*args: Any, **kwargs: Any) -> Any:
            if getattr(self._thread, "is_inside", False):
                return function(*args, **kwargs)
            self._thread.is_inside = True
            started = time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                self._thread.is_inside = False
                with self._lock:
                    self.cpu_seconds[part] += time.thread_time() - started

        return clocked
