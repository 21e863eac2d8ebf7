"""One camera's films: every episode is encoded by itself, and as many as fit are joined into one file.

As LeRobot has it, two pictures hang together at most, so that a reader is at any picture soon. Colours are by BT.601, not by
BT.709 as in previews: of LeRobot's two decoders one goes by what the film says of its colours, and the other takes BT.601.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from bagmill.episodes import Episode
from bagmill.errors import StorageError
from bagmill.exports.lerobot import layout
from bagmill.exports.lerobot.join import join_films, miscounted
from bagmill.exports.lerobot.pictures import film_pictures
from bagmill.exports.lerobot.statistics import Statistics, histogram_statistics
from bagmill.exports.tally import FeatureTally
from bagmill.previews.encoder import EncoderStalledError, FilmOrder, encode_film

_GOP_SIZE = 2
_MAX_ENCODER_RATE_HZ = 240
_MAX_PARALLEL_LEVEL = 6
_PATIENCE_S = 300.0
_COMPARED_PICTURES = 8
"""Of an episode and camera: read back from the file and compared with the episode's."""


@dataclass(frozen=True, slots=True)
class FilmSettings:
    """How films are made."""

    crf: int
    """AV1's constant quality, 1 to 63: lower is better and larger."""
    preset: int
    """SVT-AV1's, 0 to 13: higher is faster and larger."""
    max_file_bytes: int
    num_threads: int


@dataclass(frozen=True, slots=True)
class FilmPlace:
    """Where an episode's film is."""

    file: layout.FilePlace
    from_s: float
    to_s: float

    def columns(self, key: str) -> dict[str, int | float]:
        """Of the episode's row."""
        return {
            f"videos/{key}/chunk_index": self.file.chunk_index,
            f"videos/{key}/file_index": self.file.file_index,
            f"videos/{key}/from_timestamp": self.from_s,
            f"videos/{key}/to_timestamp": self.to_s,
        }


@dataclass(frozen=True, slots=True)
class _Part:
    """An episode's film that waits to be joined with others."""

    path: Path
    num_frames: int
    name: str
    """The episode's."""
    episode_path: Path
    """Not the open episode: hundreds may wait for one file, and each holds its shards open."""
    compared: Mapping[int, int]
    """Place in the film → tick whose picture stands there."""


class CameraFilms:
    """The films of one camera, episode after episode.

    Args:
        root: The data set's folder.
        key: LeRobot's name of the camera.
        tally: Of the camera; pictures that were read back are counted in it.
        rate_hz: Ticks a second.
        settings: How films are made.
    """

    def __init__(self, root: Path, key: str, *, tally: FeatureTally, rate_hz: Fraction, settings: FilmSettings) -> None:
        self._root = root
        self._key = key
        self._tally = tally
        self._rate_hz = rate_hz
        self._settings = settings
        self._scratch = root / f".films.{key}"
        self._file = layout.FilePlace()
        self._parts: list[_Part] = []
        self._num_frames = 0
        """In the file that is being gathered."""
        self._num_bytes = 0
        self._num_episodes = 0

    def add(
        self, name: str, episode: Episode, ticks: NDArray[np.int64], *, progress: Callable[[int], None]
    ) -> tuple[FilmPlace, Statistics]:
        """Encode an episode.

        Args:
            name: The episode's.
            episode: The same, open.
            ticks: (T,) which tick's picture stands at every tick.
            progress: Called with how many pictures more are encoded.

        Returns:
            Where its film will be, and the statistics of its pictures.

        Raises:
            StorageError: A picture is damaged, the encoder refuses or stalls, or the disk does not take it.
        """
        self._scratch.mkdir(parents=True, exist_ok=True)
        path = self._scratch / f"{self._num_episodes}.mp4"
        self._num_episodes += 1
        histogram = self._encode(path, episode, ticks, progress=progress)
        size = path.stat().st_size
        if self._parts and self._num_bytes + size > self._settings.max_file_bytes:
            self._finish_file()
        start = self._num_frames
        places = np.unique(np.linspace(0, len(ticks) - 1, _COMPARED_PICTURES).round().astype(int)).tolist()
        compared = {place: int(ticks[place]) for place in places}
        self._parts.append(_Part(path, len(ticks), name, episode.path, compared))
        self._num_frames += len(ticks)
        self._num_bytes += size
        place = FilmPlace(self._file, float(start / self._rate_hz), float(self._num_frames / self._rate_hz))
        return place, histogram_statistics(histogram, num_pictures=len(ticks))

    def close(self) -> None:
        """Join what is left.

        Raises:
            StorageError: The disk does not take it, or what was written is not what was encoded.
        """
        if self._parts:
            self._finish_file()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _encode(
        self, path: Path, episode: Episode, ticks: NDArray[np.int64], *, progress: Callable[[int], None]
    ) -> NDArray[np.int64]:
        feature = self._tally.feature
        height, width, _ = feature.shape
        order = FilmOrder(
            path=str(path),
            width=width,
            height=height,
            num_frames=len(ticks),
            rate=str(min(self._rate_hz, Fraction(_MAX_ENCODER_RATE_HZ))),
            time_base=str(1 / self._rate_hz),
            gop_size=_GOP_SIZE,
            options={
                "preset": str(self._settings.preset),
                "crf": str(self._settings.crf),
                "svtav1-params": f"lp={min(self._settings.num_threads, _MAX_PARALLEL_LEVEL)}",
            },
            colorspace="ITU601",
        )
        for is_last_try in (False, True):
            histogram = np.zeros((3, 256), np.int64)
            num_drawn = 0

            def frames(histogram: NDArray[np.int64] = histogram) -> Iterator[NDArray[np.uint8]]:
                nonlocal num_drawn
                for planes, counts in film_pictures(
                    episode, feature.name, ticks, num_threads=self._settings.num_threads
                ):
                    histogram += counts
                    num_drawn += 1
                    progress(1)
                    yield planes

            try:
                encode_film(order, frames(), patience_s=_PATIENCE_S)
            except EncoderStalledError as err:
                # It does so rarely, and for no reason of the film's.
                if is_last_try:
                    raise StorageError(f"{err}, twice", path=path, remedy="Export again") from err
                progress(-num_drawn)
            else:
                break
        return histogram

    def _finish_file(self) -> None:
        path = self._root / self._file.path(layout.VIDEO, video_key=self._key)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            join_films([(part.path, part.num_frames) for part in self._parts], path, rate_hz=self._rate_hz)
            self._compare(path)
        except av.error.FFmpegError as err:
            raise StorageError(
                f"cannot be written or read back ({err.strerror})",
                path=path,
                remedy="Check the disk's space and rights",
            ) from err
        for part in self._parts:
            part.path.unlink(missing_ok=True)
        self._file = self._file.next
        self._parts, self._num_frames, self._num_bytes = [], 0, 0

    def _compare(self, path: Path) -> None:
        """Read the file back, count its pictures, and look at some."""
        num_read = 0
        with av.open(str(path)) as film:
            film.streams.video[0].thread_type = "AUTO"
            frames = film.decode(video=0)
            for part in self._parts:
                episode = Episode(part.episode_path)
                for place, frame in enumerate(islice(frames, part.num_frames)):
                    num_read += 1
                    if place in part.compared:
                        source = episode.frame(self._tally.feature.name, part.compared[place])
                        written = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
                        at = f"{part.name}, tick {place}"
                        self._tally.count_picture(source.astype(np.uint8, copy=False), written, at=at)
            num_read += sum(1 for _ in frames)
        if num_read != self._num_frames:
            raise miscounted(path, found=num_read, expected=self._num_frames)
