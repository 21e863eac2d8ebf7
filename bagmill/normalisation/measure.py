"""A snapshot → statistics of its features: every episode is opened once, and nothing grows with their number but a file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from typing import Final

import numpy as np

from bagmill.dataset import LATEST, Dataset, HeldFeature, held_features, load_snapshot, resolve_id
from bagmill.episodes import Episode
from bagmill.errors import QueryError
from bagmill.normalisation.frames import FrameMeter, choose_ticks
from bagmill.normalisation.signals import SignalMeter
from bagmill.normalisation.statistics import FeatureStatistics, Normalisation

DEFAULT_FRAMES: Final = 1_000
_MEMORY_BYTES: Final = 256 << 20
"""For the values of all signals together; more of them lie in temporary files."""

Progress = Callable[[str, int, int], None]
"""Told which step it is, how much of it is done, and how much there is."""

_Held = Mapping[str, HeldFeature]


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

    Args:
        dataset: Whose snapshot.
        snapshot: Its name or id.
        split: Only episodes of this split: what is learnt from should not have seen the test. None: all.
        features: Which; None: all.
        num_frames: Of each camera. 0: no cameras.
        seed: Of the choice of frames.
        progress: Called now and then.

    Raises:
        StorageError: There is no such snapshot, or an episode cannot be read.
        QueryError: It has no such split or feature.
    """
    snapshot_id = resolve_id(dataset, snapshot)
    table = load_snapshot(dataset, snapshot_id, split=split)
    held = held_features(table)
    names = _names(held, features, snapshot_id=snapshot_id)
    cameras = [name for name, kind in names.items() if kind != "signal" and num_frames]
    num_ticks = table["num_ticks"].to_numpy(dtype=np.int64)
    ticks = {
        name: choose_ticks(
            np.where([name in each for each in held], num_ticks, 0).tolist(), num_frames=num_frames, seed=seed
        )
        for name in cameras
    }
    frame_meters = {name: FrameMeter(name, is_depth=names[name] == "depth") for name in cameras}
    tell = progress or _say_nothing
    with ExitStack() as stack:
        signal_meters = {name: stack.enter_context(each) for name, each in _signal_meters(held, names).items()}
        for row, path in enumerate(table["path"]):
            tell("read episodes", row, len(table))
            episode = Episode(dataset.path / path)
            for name in held[row]:
                if name in signal_meters:
                    signal_meters[name].add(episode)
                elif name in frame_meters:
                    frame_meters[name].add(episode, ticks[name][row])
        found: dict[str, FeatureStatistics] = {name: each.result() for name, each in frame_meters.items()}
        for place, (name, meter) in enumerate(signal_meters.items()):
            tell("find quantiles", place, len(signal_meters))
            found[name] = meter.result()
    return Normalisation(
        snapshot_id=snapshot_id,
        split=split,
        num_episodes=len(table),
        num_frames=num_frames,
        seed=seed,
        features={name: found[name] for name in names if name in found},
    )


def _say_nothing(_step: str, _done: int, _total: int) -> None:
    """Nobody listens."""


def _names(held: Sequence[_Held], wanted: Collection[str] | None, *, snapshot_id: str) -> dict[str, str]:
    """The features that are measured, each with its kind, sorted by name."""
    known = {name: each.kind for of_episode in held for name, each in of_episode.items()}
    unknown = sorted({*(wanted or ())} - known.keys())
    if unknown:
        raise QueryError(
            f"no episode of snapshot {snapshot_id} has {', '.join(unknown)}",
            remedy=f"There are {', '.join(sorted(known))}",
        )
    return {name: known[name] for name in sorted(known if wanted is None else wanted)}


def _signal_meters(held: Sequence[_Held], names: Mapping[str, str]) -> dict[str, SignalMeter]:
    """As wide as the widest episode has a signal, and as exact as the most exact one."""
    signals = [name for name, kind in names.items() if kind == "signal"]
    meters = {}
    for name in signals:
        of_episodes = [each[name] for each in held if name in each]
        meters[name] = SignalMeter(
            name,
            max(each.shape[0] for each in of_episodes),
            np.result_type(*{each.dtype for each in of_episodes}),
            max_bytes=_MEMORY_BYTES // len(signals),
        )
    return meters
