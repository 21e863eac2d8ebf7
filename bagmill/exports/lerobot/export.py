"""Episodes → a LeRobot v3 data set, which LeRobot's own loader opens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bagmill.cores import usable_cores
from bagmill.episodes import Episode
from bagmill.errors import ExportError
from bagmill.exports.held import InvalidTicks, held_ticks
from bagmill.exports.lerobot import layout
from bagmill.exports.lerobot.films import CameraFilms, FilmSettings
from bagmill.exports.lerobot.info import DatasetInfo, write_info
from bagmill.exports.lerobot.statistics import plain_statistics, value_statistics
from bagmill.exports.lerobot.tables import EpisodeRows, ParquetFiles, tick_table
from bagmill.exports.log import ExportLog, Progress
from bagmill.exports.report import ExportReport
from bagmill.exports.source import ExportSource, SourceEpisode
from bagmill.exports.tally import FeatureTally
from bagmill.exports.target_folder import staged_folder
from bagmill.exports.targets import Target, resolve_targets

_FORMAT = f"LeRobot {layout.VERSION}"
_NO_DEPTH = "LeRobot has no exact depth"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeRobotSettings:
    """How a LeRobot data set is written; the defaults are LeRobot's own."""

    crf: int = 30
    """AV1's constant quality, 1 to 63: lower is better and larger."""
    preset: int = 12
    """SVT-AV1's, 0 to 13: lower is slower and smaller."""
    invalid: InvalidTicks = "hold"
    has_masks: bool = True
    """Whether there is a feature `valid`: which of the others are the tick's own."""
    max_data_mb: int = 100
    """Of a file with ticks, MiB; at least one episode is in each."""
    max_video_mb: int = 200
    """Of a film."""


def export_lerobot(
    source: ExportSource,
    path: Path,
    *,
    names: Mapping[str, str] | None = None,
    settings: LeRobotSettings | None = None,
    num_threads: int | None = None,
    progress: Progress | None = None,
) -> ExportReport:
    """Write episodes as a LeRobot v3 data set. It is there whole at the end, or not at all.

    Args:
        source: Which episodes and features.
        path: The data set's folder; not there yet, or empty.
        names: Feature → LeRobot's name for it, where another is wanted than by `layout.default_key`. Signals with the same
            one are written behind each other.
        settings: How it is written; None: as LeRobot does.
        num_threads: Threads that decode, and that encode; None: one a core this process may use.
        progress: Whom to tell how far it is.

    Returns:
        What was written and what was lost, as it is in `bagmill_export.json` in the folder.

    Raises:
        ExportError: The features do not fit LeRobot's layout, no episode can be written, or there is something already.
        StorageError: An episode is damaged, the encoder refuses, or the disk does not take it.
    """
    settings = settings or LeRobotSettings()
    targets, homeless = resolve_targets(source.features, default=layout.default_key, own=names or {})
    _check_targets(targets)
    tallies = {
        feature.name: FeatureTally(feature, target.name, "uint8" if feature.kind == "image" else "float32")
        for target in targets
        for feature in target.features
    }
    log = ExportLog(
        source,
        tallies,
        homeless={feature.name: _NO_DEPTH for feature in homeless},
        invalid=settings.invalid,
        progress=progress,
    )
    with staged_folder(path) as folder:
        writer = _Writer(folder, source, targets, log=log, settings=settings, num_threads=num_threads)
        for each, episode in log.episodes():
            writer.write_episode(each, episode)
        writer.close()
        is_told = settings.has_masks or not any(tally.num_invalid for tally in tallies.values())
        return log.report(
            folder,
            path,
            layout=_FORMAT,
            settings=asdict(settings),
            has_facts=False,
            more_losses=() if is_told else ("Which ticks have no value of their own is not told in the export.",),
        )


class _Writer:
    """The files of one data set, episode after episode."""

    def __init__(
        self,
        folder: Path,
        source: ExportSource,
        targets: list[Target],
        *,
        log: ExportLog,
        settings: LeRobotSettings,
        num_threads: int | None,
    ) -> None:
        self._folder = folder
        self._source = source
        self._log = log
        self._cameras = [target for target in targets if target.features[0].kind == "image"]
        self._signals = [target for target in targets if target.features[0].kind == "signal"]
        robots = {episode.robot for episode in source.episodes}
        self._info = DatasetInfo(
            targets=targets,
            rate_hz=source.rate_hz,
            robot=robots.pop() if len(robots) == 1 else None,
            has_masks=settings.has_masks,
            max_data_mb=settings.max_data_mb,
            max_video_mb=settings.max_video_mb,
        )
        of_films = FilmSettings(
            crf=settings.crf,
            preset=settings.preset,
            max_file_bytes=settings.max_video_mb * layout.MEBIBYTE,
            num_threads=num_threads or usable_cores(),
        )
        self._films = [
            CameraFilms(
                folder,
                camera.name,
                tally=log.tallies[camera.features[0].name],
                rate_hz=source.rate_hz,
                settings=of_films,
            )
            for camera in self._cameras
        ]
        max_data_bytes = settings.max_data_mb * layout.MEBIBYTE
        self._ticks = ParquetFiles(folder, layout.DATA, max_file_bytes=max_data_bytes)
        self._rows = EpisodeRows(folder, max_file_bytes=max_data_bytes)

    def write_episode(self, each: SourceEpisode, episode: Episode) -> None:
        """Write an episode's ticks, films and row."""
        info = self._info
        index, first, length = len(self._log.written), self._log.num_ticks, episode.num_ticks
        info.splits.setdefault(each.split or "train", []).append(index)
        task_index = info.tasks.setdefault(each.task, len(info.tasks))
        frame_index = np.arange(length)[:, None]
        values = {
            **self._values(each, episode),
            "timestamp": (frame_index / float(info.rate_hz)).astype(np.float32),
            "frame_index": frame_index,
            "episode_index": np.full((length, 1), index),
            "index": first + frame_index,
            "task_index": np.full((length, 1), task_index),
        }
        statistics = {key: value_statistics(column) for key, column in values.items()}
        table = tick_table(values)
        place = self._ticks.place_for(table.nbytes)
        self._ticks.write(table)
        row: dict[str, Any] = {
            "episode_index": index,
            "tasks": [each.task],
            "length": length,
            "data/chunk_index": place.chunk_index,
            "data/file_index": place.file_index,
            "dataset_from_index": first,
            "dataset_to_index": first + length,
        }
        for camera, films in zip(self._cameras, self._films, strict=True):
            held = held_ticks(episode.valid(camera.features[0].name))
            film, statistics[camera.name] = films.add(each.name, episode, held, progress=self._log.advance)
            row |= film.columns(camera.name)
        for key, numbers in statistics.items():
            info.statistics.setdefault(key, []).append(numbers)
            row |= {f"stats/{key}/{name}": plain for name, plain in plain_statistics(numbers).items()}
        self._rows.add(row)

    def close(self) -> None:
        """Finish every file, and write what describes them all."""
        for films in self._films:
            films.close()
        self._ticks.close()
        self._rows.close()
        write_info(self._folder, self._info, num_episodes=len(self._log.written), num_ticks=self._log.num_ticks)

    def _values(self, each: SourceEpisode, episode: Episode) -> dict[str, NDArray[Any]]:
        """The signals, (T, D) float32, and the masks."""
        values: dict[str, NDArray[Any]] = {}
        for target in self._signals:
            columns = []
            for feature in target.features:
                stored = self._source.signal(feature.name, each, episode)[held_ticks(episode.valid(feature.name))]
                with np.errstate(over="ignore"):
                    written = stored.astype(np.float32)
                self._log.tallies[feature.name].count_change(stored, written)
                columns.append(written)
            values[target.name] = np.concatenate(columns, axis=1)
        if self._info.has_masks:
            masks = [
                np.logical_and.reduce([episode.valid(feature.name) for feature in target.features])
                for target in self._info.targets
            ]
            values[layout.VALID] = np.stack(masks, axis=1)
        return values


def _check_targets(targets: list[Target]) -> None:
    if not targets:
        raise ExportError("none of the features has a place in a LeRobot data set", remedy=f"{_NO_DEPTH}: name others")
    for target in targets:
        feature = target.features[0]
        layout.check_key(target.name, kind=feature.kind)
        if feature.kind == "depth":
            raise ExportError(f"{feature.name} cannot be written: {_NO_DEPTH}", remedy="Give it no name")
        if feature.kind == "image" and (feature.shape[0] % 2 or feature.shape[1] % 2):
            raise ExportError(
                f"{feature.name} has pictures of {feature.shape[1]} × {feature.shape[0]}, and video needs even sizes",
                remedy="Leave it out",
            )
