"""What is asked for of the episodes that were selected, resolved once: features, windows, sizes, facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bagmill.dataset import EpisodeFeatures, HeldFeature, JoinedFeature
from bagmill.episodes import layout
from bagmill.errors import ColumnsError, FeatureError, TrainingError
from bagmill.training.columns import (
    Column,
    common_features,
    fact_column,
    is_action,
)
from bagmill.training.fitting import Fit, FrameFit, Resampling
from bagmill.training.window import Window

ImageSize = tuple[int, int] | Mapping[str, tuple[int, int]] | None


@dataclass(frozen=True, slots=True)
class CameraSelection:
    """A camera's frames, all of one size once they are fitted."""

    feature: str
    shape: tuple[int, ...]
    """Of one picture, as it is wanted."""
    dtype: np.dtype[Any]
    fits: Sequence[FrameFit]
    """By episode."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Everything that a sample is made of."""

    features: tuple[str, ...]
    """Those that were selected, each with a mask."""
    parts: Mapping[str, Column | CameraSelection]
    """Key of the sample → where it comes from: features, then facts."""
    columns: Mapping[str, Column]
    """All that is read of an episode's values: signals, facts, and every feature's validity."""
    windows: Mapping[str, Window]
    """Of the features that have one."""
    per_episode: Sequence[Mapping[str, HeldFeature]]
    joined: Mapping[str, JoinedFeature]
    """The selected features, each as all episodes have it."""
    image_size: Mapping[str, tuple[int, int]]
    fit: Fit
    resampling: Resampling

    @property
    def cameras(self) -> dict[str, CameraSelection]:
        """The parts that are pictures."""
        return {key: part for key, part in self.parts.items() if isinstance(part, CameraSelection)}

    @property
    def features_needed(self) -> tuple[str, ...]:
        """Whose ticks are asked for: the selected ones, and those that facts are about."""
        return tuple(dict.fromkeys((*self.features, *(column.feature for column in self.columns.values()))))

    def stored_dtype(self, column: Column, episode: int) -> np.dtype[Any]:
        """How an episode stores a column, whatever the others do."""
        feature = self.per_episode[episode].get(column.key)
        return column.dtype if feature is None else feature.dtype

    def arranged(self, values: NDArray[Any], column: Column, episode: int) -> NDArray[Any]:
        """Values as an episode stores them, with their columns in the order that all episodes share."""
        joined = self.joined.get(column.key)
        return values if joined is None else joined.arranged(values, self.per_episode[episode][column.key])

    def as_json(self) -> dict[str, Any]:
        """Plain values, as the arguments that give it again."""
        return {
            "features": list(self.parts),
            "windows": {name: window.as_json() for name, window in self.windows.items()},
            "image_size": {name: list(size) for name, size in self.image_size.items()},
            "fit": self.fit,
            "resampling": self.resampling,
        }


def select_features(
    held_by: EpisodeFeatures,
    *,
    features: Sequence[str] | None,
    history: int | Mapping[str, int] | None,
    horizon: int | Mapping[str, int] | None,
    windows: Mapping[str, Window] | None,
    image_size: ImageSize,
    fit: Fit,
    resampling: Resampling,
) -> Selection:
    """Resolve what is asked for against what the episodes hold; arguments as of `EpisodeDataset`.

    Raises:
        TrainingError: Something is asked for that is not there, or episodes differ in what has to be equal.
    """
    per_episode = held_by.per_episode
    known = common_features(per_episode, None)
    wanted = list(known) if features is None else list(dict.fromkeys(features))
    # What names no feature and no fact is told by `common_features`, with the names that there are.
    facts = {key: fact for key in wanted if key not in known and (fact := _fact(key, known)) is not None}
    held = common_features(per_episode, [key for key in wanted if key not in facts])
    sizes = _sizes(held, image_size)
    joined = {name: _joined(held_by, name) for name in held}
    parts: dict[str, Column | CameraSelection] = {}
    for name, kinds in held.items():
        if kinds[0].kind == "signal":
            parts[name] = Column(name, name, joined[name].held.shape, joined[name].held.dtype)
        else:
            parts[name] = _camera(name, kinds, per_episode, wanted=sizes.get(name), fit=fit, resampling=resampling)
    parts |= facts
    columns = {key: part for key, part in parts.items() if isinstance(part, Column)}
    for name in held:
        key = f"{layout.VALID}/{name}"
        columns.setdefault(key, Column(key, name, (), np.dtype(np.bool_)))
    return Selection(
        features=tuple(held),
        parts={key: parts[key] for key in wanted},
        columns=columns,
        windows=_windows(parts, history=history, horizon=horizon, windows=windows),
        per_episode=per_episode,
        joined=joined,
        image_size=sizes,
        fit=fit,
        resampling=resampling,
    )


def _fact(key: str, known: Mapping[str, Sequence[HeldFeature]]) -> Column | None:
    return fact_column(key, {name: kinds[0] for name, kinds in known.items()})


def _joined(held_by: EpisodeFeatures, name: str) -> JoinedFeature:
    try:
        return held_by.join(name)
    except FeatureError as err:
        in_mixture = ", and put the kinds together in a Mixture" if isinstance(err, ColumnsError) else ""
        remedy = f"{err.remedy}{in_mixture}; or leave {name} out by `features`"
        raise TrainingError(err.problem, remedy=remedy) from err


def _camera(
    name: str,
    kinds: Sequence[HeldFeature],
    per_episode: Sequence[Mapping[str, HeldFeature]],
    *,
    wanted: tuple[int, int] | None,
    fit: Fit,
    resampling: Resampling,
) -> CameraSelection:
    sizes = sorted({(each.shape[0], each.shape[1]) for each in kinds})
    if wanted is None and len(sizes) > 1:
        listed = " and ".join(f"{height}×{width}" for height, width in sizes)
        raise TrainingError(f"{name} is {listed} pixels in different episodes", remedy="Give an image_size")
    size = wanted or sizes[0]
    fits = {stored: FrameFit(stored, size, fit, resampling) for stored in sizes}
    return CameraSelection(
        name,
        (*size, *kinds[0].shape[2:]),
        kinds[0].dtype,
        [fits[features[name].shape[0], features[name].shape[1]] for features in per_episode],
    )


def _sizes(held: Mapping[str, Sequence[HeldFeature]], image_size: ImageSize) -> dict[str, tuple[int, int]]:
    cameras = [name for name, kinds in held.items() if kinds[0].kind != "signal"]
    if image_size is None:
        return {}
    if not isinstance(image_size, Mapping):
        height, width = image_size
        return dict.fromkeys(cameras, (int(height), int(width)))
    _refuse_unknown("image_size", image_size, cameras)
    return {name: (int(height), int(width)) for name, (height, width) in image_size.items()}


def _windows(
    parts: Mapping[str, Column | CameraSelection],
    *,
    history: int | Mapping[str, int] | None,
    horizon: int | Mapping[str, int] | None,
    windows: Mapping[str, Window] | None,
) -> dict[str, Window]:
    # A fact is taken at its feature's ticks, whether the feature itself is selected or not; `time` at its own.
    features = list(dict.fromkeys(part.feature for part in parts.values()))
    past = _counts("history", history, features, [name for name in features if not is_action(name)])
    future = _counts("horizon", horizon, features, [name for name in features if is_action(name)])
    both = sorted(past.keys() & future.keys())
    if both:
        raise TrainingError(f"{both[0]} has both a history and a horizon", remedy="Give it one window in `windows`")
    resolved = {name: Window.history(num) for name, num in past.items()}
    resolved |= {name: Window.horizon(num) for name, num in future.items()}
    _refuse_unknown("windows", windows or {}, features)
    return resolved | dict(windows or {})


def _counts(
    argument: str, counts: int | Mapping[str, int] | None, features: Sequence[str], default_for: Sequence[str]
) -> dict[str, int]:
    if counts is None:
        return {}
    if not isinstance(counts, Mapping):
        return dict.fromkeys(default_for, counts)
    _refuse_unknown(argument, counts, features)
    return dict(counts)


def _refuse_unknown(argument: str, given: Mapping[str, object], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise TrainingError(
                f"{argument} names {name}, which is not among the features asked for",
                remedy=f"They are {', '.join(known) or 'none'}",
            )
