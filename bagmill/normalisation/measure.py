"""A snapshot → statistics of its features: every episode is opened once, and nothing grows with their number but a file."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np

from bagmill.dataset import (
    LATEST,
    Dataset,
    EpisodeFeatures,
    JoinedFeature,
    episode_features,
    load_snapshot,
    resolve_id,
    rows_of_split,
)
from bagmill.dataset.confined import EpisodeFolders
from bagmill.episodes import Episode
from bagmill.errors import FeatureError, QueryError
from bagmill.normalisation.frames import FrameMeter, choose_ticks
from bagmill.normalisation.signals import SignalMeter
from bagmill.normalisation.statistics import FeatureStatistics, Normalisation

DEFAULT_FRAMES: Final = 1_000
_MEMORY_BYTES: Final = 256 << 20
"""For the values of all signals together; more of them lie in temporary files."""

Progress = Callable[[str, int, int], None]
"""Told which step it is, how much of it is done, and how much there is."""


def measure_normalisation(
    dataset: Dataset,
    snapshot: str = LATEST,
    *,
    split: str | None = None,
    features: Collection[str] | None = None,
    num_frames: int = DEFAULT_FRAMES,
    seed: int = 0,
    progress: Progress | None = None,
) -> Normalisation:
    """Measure the values of a snapshot's features.

    Signals exactly, over every valid tick; cameras over frames that are sampled evenly over all episodes' ticks. Values that
    memory does not hold lie in temporary files, as many bytes as the signals have.

    Columns of signals are matched by their names, also where some episodes have more of them than others. A feature whose
    episodes do not agree, as in units or in the scale of depth, is left out with the reason.

    Args:
        dataset: Whose snapshot.
        snapshot: Its name or id.
        split: Only episodes of this split: what is learnt from should not have seen the test. None: all.
        features: Which; None: all whose episodes agree.
        num_frames: Of each camera. 0: no cameras.
        seed: Of the choice of frames.
        progress: Called now and then.

    Raises:
        StorageError: There is no such snapshot, or an episode cannot be read.
        QueryError: It has no such split or feature.
        FeatureError: The episodes do not agree in one of `features`.
    """
    snapshot_id = resolve_id(dataset, snapshot)
    whole = load_snapshot(dataset, snapshot_id)
    table = whole if split is None else rows_of_split(whole, split, snapshot_id=snapshot_id)
    found_in = episode_features(table, of=whole, folder=dataset.path)
    held = found_in.per_episode
    joined, left_out = _joined(found_in, features, snapshot_id=snapshot_id)
    cameras = [name for name, each in joined.items() if each.held.kind != "signal" and num_frames]
    signals = [name for name, each in joined.items() if each.held.kind == "signal"]
    num_ticks = table["num_ticks"].to_numpy(dtype=np.int64)
    ticks = {
        name: choose_ticks(
            np.where([name in each for each in held], num_ticks, 0).tolist(), num_frames=num_frames, seed=seed
        )
        for name in cameras
    }
    frame_meters = {name: FrameMeter(joined[name].held) for name in cameras}
    tell = progress or _say_nothing
    with ExitStack() as stack:
        signal_meters = {
            name: stack.enter_context(SignalMeter(joined[name], max_bytes=_MEMORY_BYTES // len(signals)))
            for name in signals
        }
        for row, folder in enumerate(EpisodeFolders(dataset.path, table["path"])):
            tell("read episodes", row, len(table))
            episode = Episode(Path(folder))
            for name, each in held[row].items():
                if name in signal_meters:
                    signal_meters[name].add(episode, each)
                elif name in frame_meters:
                    frame_meters[name].add(episode, ticks[name][row])
        found: dict[str, FeatureStatistics] = {name: meter.result() for name, meter in frame_meters.items()}
        for place, (name, meter) in enumerate(signal_meters.items()):
            tell("find quantiles", place, len(signal_meters))
            found[name] = meter.result()
    return Normalisation(
        snapshot_id=snapshot_id,
        split=split,
        num_episodes=len(table),
        num_frames=num_frames,
        seed=seed,
        features={name: found[name] for name in joined if name in found},
        left_out=left_out,
        notes=tuple(each.note for each in joined.values() if each.note is not None),
    )


def _say_nothing(_step: str, _done: int, _total: int) -> None:
    """Nobody listens."""


def _joined(
    found_in: EpisodeFeatures, wanted: Collection[str] | None, *, snapshot_id: str
) -> tuple[dict[str, JoinedFeature], dict[str, str]]:
    """The features that are measured, sorted by name, and those of all that are not, with the reason."""
    known = {name for of_episode in found_in.per_episode for name in of_episode}
    unknown = sorted({*(wanted or ())} - known)
    if unknown:
        raise QueryError(
            f"no episode of snapshot {snapshot_id} has {', '.join(unknown)}",
            remedy=f"There are {', '.join(sorted(known))}",
        )
    joined: dict[str, JoinedFeature] = {}
    left_out: dict[str, str] = {}
    for name in sorted(known if wanted is None else wanted):
        try:
            joined[name] = found_in.join(name, is_union=True)
        except FeatureError as err:
            if wanted is not None:
                raise
            left_out[name] = str(err)
    return joined, left_out
