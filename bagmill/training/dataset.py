"""Samples of a snapshot's episodes: windows of past observations and future actions around any tick, in random order."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bagmill.arguments import checked_arguments
from bagmill.cores import usable_cores
from bagmill.dataset import (
    LATEST,
    Dataset,
    EpisodeFeatures,
    episode_features,
    load_snapshot,
    resolve_id,
    rows_of_split,
    select,
    why_none,
)
from bagmill.dataset.confined import EpisodeFolders
from bagmill.errors import TrainingError
from bagmill.local_paths import local_path
from bagmill.remote import SHARD_CACHE_BYTES, Mirror, MirroredShards, fetch_snapshot, is_address
from bagmill.training.columns import MASK, ArraySpec, Column
from bagmill.training.fitting import Fit, Resampling
from bagmill.training.frame_batches import Camera, FrameReader, FramesWanted
from bagmill.training.frame_cache import FrameCache
from bagmill.training.kept_values import KeptValues
from bagmill.training.only_valid import ValidTicks, resolve_only_valid
from bagmill.training.process_buffers import ProcessBuffers
from bagmill.training.read_ahead import ReadAhead
from bagmill.training.recipe import DatasetRecipe, checked_recipe
from bagmill.training.sample_index import SampleIndex, one_sample
from bagmill.training.selection import CameraSelection, select_features
from bagmill.training.window import Window

_LOG: Final = logging.getLogger(__name__)

Padding = Literal["edge", "zero", "drop"]
Arrays = dict[str, NDArray[Any]]

EPISODE: Final = "episode"
TICK: Final = "tick"
_FRAME_CACHE_BYTES: Final = 256 << 20
_INT: Final = np.dtype(np.int64)
_MASK: Final = np.dtype(np.bool_)


@dataclass(slots=True)
class _Open:
    """What one process has open: threads, caches, locks. Another process makes its own."""

    process: int
    values: KeptValues
    frames: FrameReader
    cameras: Mapping[str, Camera]
    ahead: ReadAhead | None
    """Of a dataset in a store."""


class EpisodeDataset:
    """A map-style dataset over the ticks of a snapshot's episodes.

    A sample is a dictionary: every selected feature by its name; `mask/<feature>`, True where the value is real, that is
    inside the episode and fed by a message within the tolerance; `episode`, its row in `table`; and `tick`. A feature with
    a window has one axis more in front, K. What is not real is zero, or under `edge` the nearest tick's value where the
    window reaches beyond the episode.

    It may be pickled and used by several threads and processes; it holds no open file and no map of one.

    Args:
        dataset: The dataset, its folder, or its address in a store: `s3://bucket/dataset`, `gs://…`, `https://…`, `file://…`.
        snapshot: Name or id.
        where: Which of its episodes, as `dataset.query.select` takes it: `num_frames > 100 and quality.skew < 10`.
        split: Only the episodes of this split, of a snapshot that was made with splits.
        features: Names; None: those that all selected episodes have. Facts about ticks can be asked for beside them:
            `valid/…`, `skew/…`, `source/…`, `interpolated/…`, `sequence/…` with a feature's name, and `time`.
        history: Ticks of the past with the sample's own, oldest first, of every feature that is no action; or by feature.
        horizon: Ticks of the future with the sample's own, of every action (`action`, `actions`, `action/…`); or by feature.
        windows: Feature → any other window; it goes before `history` and `horizon`.
        padding: Where a window reaches beyond the episode: `edge` repeats its first or last tick, `zero` gives zeros,
            `drop` leaves such samples out.
        only_valid: Leave out samples that show a tick at which a feature was not measured: True, of every feature asked
            for; or a list, of these. Opening the dataset then reads `valid/…` of every episode.
        image_size: (height, width) of images and depth, or by feature; None: as they are stored.
        fit: How a frame of another aspect gets there: `stretch`, `pad`, `crop`.
        resampling: `bilinear` or `area`; see `FrameFit`.
        num_threads: That decode; None: as many as there are cores for this process.
        cache_bytes: Of signals and facts, kept in memory.
        frame_cache_bytes: Of decoded pictures of each camera, kept in memory, so that they are decoded once; None: 256 MiB
            where all of a camera's pictures fit into them, else none.
        cache_folder: Of a dataset in a store: where files are kept once they are fetched, for any number of datasets and
            processes of this machine; None: `bagmill` in the user's folder for caches.
        shard_cache_bytes: What cameras' files may take in that folder; beyond it, frames are fetched one by one.
        patience_s: How long a store that does not answer is asked again.

    Raises:
        StorageError: There is no such snapshot.
        QueryError: The condition is wrong, or the snapshot has no such split.
        TrainingError: No episode is left, a feature is missing, or episodes differ in what has to be equal.
    """

    @checked_arguments(TrainingError)
    def __init__(  # noqa: PLR0913 - every choice that a sample depends on, each by its name
        self,
        dataset: Dataset | Path | str,
        *,
        snapshot: str = LATEST,
        where: str | None = None,
        split: str | None = None,
        features: Sequence[str] | None = None,
        history: int | Mapping[str, int] | None = None,
        horizon: int | Mapping[str, int] | None = None,
        windows: Mapping[str, Window] | None = None,
        padding: Padding = "edge",
        only_valid: bool | Sequence[str] = False,
        image_size: tuple[int, int] | Mapping[str, tuple[int, int]] | None = None,
        fit: Fit = "stretch",
        resampling: Resampling = "bilinear",
        num_threads: int | None = None,
        cache_bytes: int = 256 << 20,
        frame_cache_bytes: int | None = None,
        cache_folder: Path | str | None = None,
        shard_cache_bytes: int = SHARD_CACHE_BYTES,
        patience_s: float = 60.0,
    ) -> None:
        if padding not in ("edge", "zero", "drop"):
            raise TrainingError(f"no padding is called {padding!r}", remedy="It is edge, zero or drop")
        for argument, names in (("features", features), ("only_valid", only_valid)):
            if isinstance(names, str):
                raise TrainingError(f"{argument} is a list of names", remedy=f"Write {argument}=[{names!r}]")
        self._mirror: Mirror | None = None
        if isinstance(dataset, str) and is_address(dataset):
            self._mirror = Mirror(
                dataset, cache_folder=cache_folder, shard_cache_bytes=shard_cache_bytes, patience_s=patience_s
            )
            snapshot = fetch_snapshot(self._mirror, snapshot, split=split)
            dataset = self._mirror.root
        self.dataset = dataset if isinstance(dataset, Dataset) else Dataset(local_path(dataset))
        self.snapshot_id = resolve_id(self.dataset, snapshot)
        self.where, self.split, self.padding = where, split, padding
        self.num_threads = num_threads
        self.cache_bytes, self.frame_cache_bytes = cache_bytes, frame_cache_bytes
        held_by = self._select_episodes()
        self.table = held_by.table
        """The selected rows of the snapshot, one an episode, index 0 … E−1."""
        self._selection = select_features(
            held_by,
            features=features,
            history=history,
            horizon=horizon,
            windows=windows,
            image_size=image_size,
            fit=fit,
            resampling=resampling,
        )
        self._num_ticks: NDArray[np.int64] = self.table["num_ticks"].to_numpy(np.int64)
        self._roots = EpisodeFolders(self.dataset.path, self.table["path"])
        self._index = SampleIndex(
            self._num_ticks,
            self.table["rate_hz"].to_numpy(np.float64),
            self._selection.windows,
            is_dropping=padding == "drop",
        )
        self.only_valid = resolve_only_valid(only_valid, self._selection.features)
        """Features whose ticks are all valid in every sample."""
        if self.only_valid:
            valid = ValidTicks(
                self._selection, self.only_valid, roots=self._roots, num_ticks=self._num_ticks, mirror=self._mirror
            )
            valid.leave_out_others(self._index, is_zero_outside=padding == "zero")
        self.fingerprint = self._index.fingerprint(self.table["path"].tolist())
        """Tells the choice of samples from any other choice of the same snapshot."""
        self.spec: Mapping[str, ArraySpec] = self._make_spec()
        """Key → shape and dtype of one sample's array; of a signal, what its columns are and their units; of depth, its scale."""
        self.notes = tuple(each.note for each in self._selection.joined.values() if each.note is not None)
        """What episodes could not be compared in: signals whose columns have no names."""
        for note in self.notes:
            _LOG.info(note)
        self._opened: _Open | None = None
        self._buffers = ProcessBuffers()

    def _select_episodes(self) -> EpisodeFeatures:
        whole = load_snapshot(self.dataset, self.snapshot_id)
        of_split = whole if self.split is None else rows_of_split(whole, self.split, snapshot_id=self.snapshot_id)
        table = of_split if self.where is None else select(of_split, self.where)
        if self.where is not None and not len(table):
            of = f"snapshot {self.snapshot_id}" + (f", split {self.split}" if self.split is not None else "")
            raise TrainingError(
                f"`{self.where}` is true of no episode of {of}: {why_none(of_split, self.where)}",
                path=self.dataset.path,
                remedy="Ask for less",
            )
        fetch = None if self._mirror is None else self._bring
        return episode_features(table, of=whole, folder=self.dataset.path, fetch=fetch)

    def _bring(self, files: Sequence[Path]) -> None:
        """Fetch files of a stored dataset; what is not there is told by whoever reads it."""
        assert self._mirror is not None
        self._mirror.bring(str(file) for file in files)

    def _make_spec(self) -> dict[str, ArraySpec]:
        spec: dict[str, ArraySpec] = {}
        for key, part in self._selection.parts.items():
            axes = self._axes(part.feature)
            spec[key] = ArraySpec((*axes, *part.shape), part.dtype)
            if key in self._selection.features:
                spec[key] = ArraySpec.of(self._selection.joined[key].held, spec[key].shape, part.dtype)
                spec[f"{MASK}/{key}"] = ArraySpec(axes, _MASK)
        return spec | {EPISODE: ArraySpec((), _INT), TICK: ArraySpec((), _INT)}

    def _axes(self, feature: str) -> tuple[int, ...]:
        window = self._selection.windows.get(feature)
        return () if window is None else (window.num_steps,)

    @property
    def num_episodes(self) -> int:
        """Selected."""
        return len(self.table)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features that were selected."""
        return self._selection.features

    def __contains__(self, key: object) -> bool:
        """Whether a sample has a key. Without this, Python would read every sample and compare it."""
        return key in self.spec

    def __len__(self) -> int:
        return len(self._index)

    def __repr__(self) -> str:
        arrays = ", ".join(f"{key} {spec.dtype}{list(spec.shape)}" for key, spec in self.spec.items())
        where = str(self.dataset.path) if self._mirror is None else self._mirror.address
        return f"EpisodeDataset({where!r}, {self.num_episodes} episodes, {len(self)} samples: {arrays})"

    def __getstate__(self) -> dict[str, Any]:
        # Threads, locks and caches stay behind.
        return self.__dict__ | {"_opened": None}

    @property
    def is_remote(self) -> bool:
        """Whether it is in a store, so that `prefetch` saves waiting."""
        return self._mirror is not None

    def locate(self, samples: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows of `table` (N,) and ticks (N,) of samples (N,); numbers below 0 count from the end.

        Raises:
            TrainingError: There is no such sample.
        """
        return self._index.locate(samples)

    def positions(self, samples: ArrayLike) -> NDArray[np.int64]:
        """Samples (N,) by their numbers from 0 on. Errors as of `locate`."""
        return self._index.positions(samples)

    def __getitem__(self, sample: int) -> Arrays:
        return {key: array[0] for key, array in self.batch([one_sample(sample)]).items()}

    def __getitems__(self, samples: Sequence[int]) -> list[Arrays]:
        """Several samples, views into one batch: what a torch `DataLoader` asks for."""
        batch = self.batch(samples)
        return [{key: array[n] for key, array in batch.items()} for n in range(len(samples))]

    def batch(
        self,
        samples: ArrayLike,
        *,
        out: Mapping[str, NDArray[Any]] | None = None,
        rows: NDArray[np.int64] | None = None,
        is_filled: Mapping[str, NDArray[np.bool_]] | None = None,
    ) -> Arrays:
        """Several samples as one array a key, first axis the samples.

        Args:
            samples: (N,) in any order, also repeated; numbers below 0 count from the end.
            out: Where to write: arrays by key, C-contiguous, with at least as many rows; signals of more numbers keep
                what they have in the rest. None: new arrays.
            rows: Which row of `out` each sample goes to; None: 0 … N−1.
            is_filled: By signal, (N,) or (N, K), rows as of `out`: where to write which of its values are zeros because
                nothing was there. Scaling needs it; see `SignalScaling.apply`.

        Returns:
            `out`, or the new arrays.

        Raises:
            TrainingError: There is no such sample.
            StorageError: An episode is damaged, or is not there any more; a frame of a valid tick is missing.
        """
        episodes, ticks = self.locate(samples)
        made: Arrays = (
            {key: self._buffers.empty((len(episodes), *spec.shape), spec.dtype) for key, spec in self.spec.items()}
            if out is None
            else dict(out)
        )
        opened = self._open()
        places = np.arange(len(episodes)) if rows is None else rows
        of_feature = {
            feature: self._index.ticks(feature, episodes, ticks) for feature in self._selection.features_needed
        }
        if opened.ahead is not None:
            opened.ahead.announce(opened.cameras.values(), episodes, of_feature)
        is_valid = self._take_values(opened, made, places, episodes, of_feature, is_filled or {})
        self._read_frames(opened, made, places, episodes, of_feature, is_valid)
        made[EPISODE][places], made[TICK][places] = episodes, ticks
        return made

    def prefetch(self, samples: ArrayLike, *, is_for_others: bool = False) -> None:
        """Begin to fetch what samples need of a store, without waiting for it; of a local dataset, nothing.

        What goes wrong is told by `batch`. A `Loader` does this by itself.

        Args:
            samples: (N,) that will be asked for soon.
            is_for_others: By another process: what would only go into this one's memory is not fetched.

        Raises:
            TrainingError: There is no such sample.
        """
        if self._mirror is None:
            return
        episodes, ticks = self.locate(samples)
        opened = self._open()
        assert opened.ahead is not None
        of_camera = {feature: self._index.ticks(feature, episodes, ticks) for feature in opened.cameras}
        opened.ahead.announce(opened.cameras.values(), episodes, of_camera, is_for_others=is_for_others)

    def _take_values(
        self,
        opened: _Open,
        out: Arrays,
        places: NDArray[np.int64],
        episodes: NDArray[np.int64],
        of_feature: Mapping[str, tuple[NDArray[np.int64], NDArray[np.bool_]]],
        is_filled: Mapping[str, NDArray[np.bool_]],
    ) -> dict[str, NDArray[np.bool_]]:
        """Everything but frames; gives which ticks are valid, by feature."""
        columns = self._selection.columns
        taken = opened.values.take({key: of_feature[column.feature][0] for key, column in columns.items()}, episodes)
        for feature in self._selection.features:
            _, is_inside = of_feature[feature]
            is_valid = taken[f"valid/{feature}"]
            out[f"{MASK}/{feature}"][places] = is_inside & is_valid
        for key, part in self._selection.parts.items():
            if isinstance(part, CameraSelection):
                continue
            values = taken[key]
            _, is_inside = of_feature[part.feature]
            is_real = is_inside if self.padding == "zero" else np.ones_like(is_inside)
            if key in self._selection.features:
                # Where nothing was measured a signal is nan, which one step of training would spread everywhere.
                is_real = is_real & taken[f"valid/{key}"]
            if key in is_filled:
                is_filled[key][places] = ~is_real
            if not is_real.all():
                values[~is_real] = 0
            if values.ndim > is_real.ndim:
                out[key][places, ..., : values.shape[-1]] = values
            else:
                out[key][places] = values
        return {feature: taken[f"valid/{feature}"] for feature in self._selection.features}

    def _read_frames(
        self,
        opened: _Open,
        out: Arrays,
        places: NDArray[np.int64],
        episodes: NDArray[np.int64],
        of_feature: Mapping[str, tuple[NDArray[np.int64], NDArray[np.bool_]]],
        is_valid: Mapping[str, NDArray[np.bool_]],
    ) -> None:
        wanted: list[FramesWanted] = []
        for feature, camera in opened.cameras.items():
            ticks, is_inside = of_feature[feature]
            pictures = out[feature]
            by_sample = [pictures[place] for place in places.tolist()]
            targets = by_sample if ticks.ndim == 1 else [each for of_sample in by_sample for each in of_sample]
            flat_valid = is_valid[feature].reshape(-1)
            flat_ticks, flat_episodes = ticks.reshape(-1), np.repeat(episodes, ticks.size // max(1, len(ticks)))
            if self.padding == "zero" and not is_inside.all():
                is_kept = is_inside.reshape(-1)
                for outside in np.flatnonzero(~is_kept).tolist():
                    targets[outside][...] = 0
                targets = [targets[inside] for inside in np.flatnonzero(is_kept).tolist()]
                flat_ticks, flat_episodes = flat_ticks[is_kept], flat_episodes[is_kept]
                flat_valid = flat_valid[is_kept]
            wanted.append(FramesWanted(camera, flat_episodes, flat_ticks, targets, flat_valid))
        opened.frames.read(wanted)

    def _open(self) -> _Open:
        process = os.getpid()
        if self._opened is None or self._opened.process != process:
            # Another process's threads do not run here, and its locks may be held for ever.
            shards = MirroredShards(self._mirror) if self._mirror is not None else None
            ahead = self._open_ahead(self._mirror, shards) if self._mirror is not None and shards is not None else None
            self._opened = _Open(
                process, self._open_values(ahead), self._open_frames(shards), self._open_cameras(), ahead
            )
        return self._opened

    def _open_ahead(self, mirror: Mirror, shards: MirroredShards) -> ReadAhead:
        return ReadAhead(mirror, shards, self._selection, roots=self._roots, num_ticks=self._num_ticks)

    def _open_values(self, ahead: ReadAhead | None) -> KeptValues:
        def read(episode: int, column: Column) -> NDArray[Any]:
            num_ticks = int(self._num_ticks[episode])
            dtype = self._selection.stored_dtype(column, episode)
            values = column.read(Path(self._roots[episode]), num_ticks, dtype=dtype)
            return self._selection.arranged(values, column, episode)

        def read_mirrored(episode: int, column: Column) -> NDArray[Any]:
            assert self._mirror is not None
            assert ahead is not None
            return self._mirror.read(ahead.value_paths(episode, column.key), lambda: read(episode, column))

        return KeptValues(
            self._selection.columns,
            self._num_ticks,
            read=read if ahead is None else read_mirrored,
            max_bytes=self.cache_bytes,
        )

    def _open_frames(self, shards: MirroredShards | None) -> FrameReader:
        num_threads = self.num_threads or usable_cores()
        return FrameReader(self._roots, self._num_ticks, num_threads=num_threads, files=shards)

    def _open_cameras(self) -> dict[str, Camera]:
        starts = np.cumsum(self._num_ticks) - self._num_ticks
        total = int(self._num_ticks.sum())
        cameras = {}
        for name, camera in self._selection.cameras.items():
            max_bytes = self.frame_cache_bytes
            if max_bytes is None:
                all_bytes = total * int(np.prod(camera.shape)) * camera.dtype.itemsize
                max_bytes = all_bytes if all_bytes <= _FRAME_CACHE_BYTES else 0
            cache = FrameCache(total, camera.shape, dtype=camera.dtype, max_bytes=max_bytes) if max_bytes else None
            cameras[name] = Camera(name, len(camera.shape), camera.fits, cache, starts.tolist())
        return cameras

    def recipe(self) -> dict[str, Any]:
        """Plain values from which `from_recipe` makes the same dataset again: the snapshot by its id, not its name.

        An address stands in it without user, password and query: give it to `from_recipe` again where it needs them.
        """
        return {
            "dataset": str(self.dataset.path) if self._mirror is None else self._mirror.plain_address,
            "snapshot": self.snapshot_id,
            "where": self.where,
            "split": self.split,
            "padding": self.padding,
            "only_valid": list(self.only_valid),
            **self._selection.as_json(),
        }

    @classmethod
    def from_recipe(cls, recipe: Mapping[str, Any], *, dataset: Dataset | Path | str | None = None) -> Self:
        """The dataset that a recipe was taken of.

        Args:
            recipe: By `recipe`.
            dataset: Where its folder is now, or its address with all that a store asks for; None: where it was.

        Raises:
            TrainingError: It is no such recipe; and as the constructor.
        """
        checked = checked_recipe(
            DatasetRecipe, recipe, noun="dataset", other="A mixture's recipe is for Mixture.from_recipe"
        )
        arguments = checked.model_dump()
        arguments["windows"] = {name: Window(**said.arguments()) for name, said in checked.windows.items()}
        arguments["image_size"] = {name: tuple(size) for name, size in checked.image_size.items()}
        where = arguments.pop("dataset")
        return cls(where if dataset is None else dataset, **arguments)
