"""One source, all contenders, round by round; and whether what they stored is the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import zarr
from numpy.typing import NDArray

from bagmill.episodes import Episode
from benchmarks.child import Measured, run_child
from benchmarks.folders import fresh_folder
from benchmarks.frames import Frames
from benchmarks.ingest.sources import SOURCES, Source, profile_of, write_source
from benchmarks.rounds import take_turns

OURS: Final = "bagmill"
BARE, COPY, MESSAGES = "(a) bare loop", "(a) file copy, CRC-32", "payloads by mcap, CRCs checked"
UNCHECKED, DECODED = "bagmill, JPEGs not checked", "bagmill, every JPEG decoded"
LEROBOT, PLAIN = "(b) LeRobot", "(c) zarr-python"


@dataclass(frozen=True, slots=True)
class Settings:
    """How large a contest is."""

    num_frames: int
    num_rounds: int
    num_threads: int
    lerobot: Path | None
    """Interpreter of LeRobot's environment."""
    lerobot_frames: int


@dataclass(slots=True)
class Contest:
    """The contenders of one source.

    Args:
        source: What is ingested.
        settings: How large.
        folder: Where the recording and the results lie.
    """

    source: Source
    settings: Settings
    folder: Path
    _pixels: dict[str, NDArray[Any]] = field(default_factory=dict)

    def run(self, *, rgb: Frames, depth: Frames) -> dict[str, list[Measured]]:
        """Contender → its samples.

        Raises:
            RuntimeError: A contender failed, or stored something else than the others.
        """
        recording = self.folder / f"recording.{self.source.container}"
        write_source(self.source, recording, num_frames=self._num_recorded, rgb=rgb, depth=depth)
        try:
            samples = take_turns(self._contenders(recording), num_rounds=self.settings.num_rounds)
        finally:
            recording.unlink()
        self._check(samples)
        return samples

    def num_frames(self, contender: str) -> int:
        """Frames of the camera that a contender works through."""
        limits = {LEROBOT: self.settings.lerobot_frames, PLAIN: self.settings.num_frames}
        return min(limits.get(contender, self._num_recorded), self._num_recorded)

    @property
    def _num_recorded(self) -> int:
        return self.settings.num_frames * self.source.times_as_long

    def _contenders(self, recording: Path) -> Mapping[str, Callable[[], Measured]]:
        settings, source = self.settings, self.source
        run = partial(self._run, recording=str(recording))
        threads = {"num_threads": settings.num_threads}
        ours = {"profile": profile_of(source), **threads}
        plain = {"num_frames": self.num_frames(PLAIN), "is_jpeg": source.is_jpeg, **threads}
        contenders = {OURS: partial(run, OURS, "bagmill_line:prepare", ours)}
        if source.is_jpeg:
            for name, jpegs in ((UNCHECKED, "unchecked"), (DECODED, "decoded")):
                contenders[name] = partial(run, name, "bagmill_line:prepare", {**ours, "jpegs": jpegs})
            contenders[COPY] = partial(run, COPY, "bare_loop:prepare_copy", {})
            contenders[MESSAGES] = partial(run, MESSAGES, "bare_loop:prepare_messages", {})
        else:
            contenders[BARE] = partial(run, BARE, "bare_loop:prepare", threads)
        contenders[PLAIN] = partial(run, PLAIN, "plain_zarr:prepare", plain)
        if settings.lerobot is not None and source == SOURCES[0]:
            frames = {"max_frames": self.num_frames(LEROBOT)}
            target = "lerobot_dataset:prepare"
            contenders[LEROBOT] = partial(run, LEROBOT, target, frames, python=settings.lerobot)
        return contenders

    def _run(self, name: str, target: str, arguments: Mapping[str, Any], *, recording: str, **options: Any) -> Measured:
        with fresh_folder(self.folder) as folder:
            paths = {"recording": recording, "folder": str(folder)}
            measured = run_child(f"benchmarks.ingest.{target}", {**paths, **arguments}, **options)
            if name not in self._pixels:
                self._look(name, folder, measured)
        return measured

    def _look(self, name: str, folder: Path, measured: Measured) -> None:
        places = np.linspace(0, self.num_frames(PLAIN) - 1, 3).astype(int).tolist()
        if name == OURS:
            episode = Episode.open(Path(measured.result["path"]))
            self._pixels[name] = np.stack([episode.frame("images/camera", tick) for tick in places])
        elif name == PLAIN:
            array: Any = zarr.open_group(folder / "plain.zarr", mode="r")["images/camera"]
            self._pixels[name] = np.stack([array[place] for place in places])

    def _check(self, samples: Mapping[str, list[Measured]]) -> None:
        num_cameras = 2 if self.source.has_depth else 1
        results = [sample.result for sample in samples[OURS]]
        if any(result["num_frames"] != num_cameras * self._num_recorded for result in results):
            raise RuntimeError(f"{self.source.name}: bagmill stored {results[0]['num_frames']} frames")
        # JPEG is copied by one and encoded again by the other.
        if not self.source.is_jpeg and not np.array_equal(self._pixels[OURS], self._pixels[PLAIN]):
            raise RuntimeError(f"{self.source.name}: bagmill and zarr-python stored different pictures")
