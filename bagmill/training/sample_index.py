"""Which sample is which tick of which episode."""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bagmill.errors import NoSampleError, TrainingError
from bagmill.training.window import Window

IsKept = Callable[[int, NDArray[np.int64]], NDArray[np.bool_]]
"""Episode and ticks (N,) → which of them are samples, (N,)."""


class SampleIndex:
    """Samples of several episodes one behind the other, each the ticks that it takes of every feature.

    What is kept are runs: ticks of one episode that follow each other. Without `keep_where` an episode is one run.

    Args:
        num_ticks: int64 (E,), of every episode.
        rate_hz: float64 (E,), of every episode.
        windows: Feature → its window; a feature without one takes the sample's own tick.
        is_dropping: Leave out the samples whose windows reach beyond their episode.

    Raises:
        TrainingError: A window in seconds that does not fit an episode's rate.
    """

    def __init__(
        self,
        num_ticks: NDArray[np.int64],
        rate_hz: NDArray[np.float64],
        windows: Mapping[str, Window],
        *,
        is_dropping: bool,
    ) -> None:
        self.num_ticks = num_ticks
        rates, self._rate_of = np.unique(rate_hz, return_inverse=True)
        self._offsets = {
            name: np.stack([window.offsets(float(rate)) for rate in rates])
            for name, window in windows.items()
            if len(rates)
        }
        """Feature → (number of rates, K)."""
        margins = np.zeros((2, len(num_ticks)), np.int64)
        if is_dropping:
            for offsets in self._offsets.values():
                margins[0] = np.maximum(margins[0], -offsets.min(axis=1)[self._rate_of])
                margins[1] = np.maximum(margins[1], offsets.max(axis=1)[self._rate_of])
        counts = np.maximum(num_ticks - margins.sum(axis=0), 0)
        self._set_runs(np.arange(len(num_ticks)), margins[0], counts)

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def keep_where(self, is_kept: IsKept) -> None:
        """Leave out samples.

        Args:
            is_kept: Asked once for every episode that has samples.
        """
        episodes, firsts, counts = [], [], []
        for run, count in enumerate(np.diff(self._ends, prepend=0).tolist()):
            if not count:
                continue
            episode, first = int(self._episodes[run]), int(self._firsts[run])
            kept = np.zeros(count + 2, np.int8)
            kept[1:-1] = is_kept(episode, np.arange(first, first + count))
            changes = np.diff(kept)
            starts, ends = np.flatnonzero(changes == 1), np.flatnonzero(changes == -1)
            episodes.append(np.full(len(starts), episode))
            firsts.append(first + starts)
            counts.append(ends - starts)
        self._set_runs(_joined(episodes), _joined(firsts), _joined(counts))

    def _set_runs(self, episodes: NDArray[np.int64], firsts: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
        self._episodes, self._firsts = episodes, firsts
        """Of every run, (R,)."""
        self._ends = np.cumsum(counts)
        """Samples up to every run's end, (R,)."""
        self._starts = self._ends - counts

    def locate(self, samples: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Episodes (N,) and ticks (N,) of samples (N,); numbers below 0 count from the end.

        Raises:
            TrainingError: There is no such sample, or it is no whole number.
        """
        wanted = self.positions(samples)
        runs = np.searchsorted(self._ends, wanted, side="right")
        return self._episodes[runs], wanted - self._starts[runs] + self._firsts[runs]

    def positions(self, samples: ArrayLike) -> NDArray[np.int64]:
        """The numbers from 0 on (N,) of samples (N,). Errors as of `locate`."""
        wanted, size = sample_numbers(samples), len(self)
        is_there = (wanted >= -size) & (wanted < size)
        if not is_there.all():
            there = f"Samples count from 0 to {size - 1}, or from the end: −1 is the last" if size else None
            raise NoSampleError(f"there is no sample {wanted[~is_there][0]}: there are {size}", remedy=there)
        return np.where(wanted < 0, wanted + size, wanted)

    def ticks(
        self, name: str, episodes: NDArray[np.int64], ticks: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The ticks that samples take of a feature.

        Args:
            name: The feature.
            episodes: (N,)
            ticks: (N,)

        Returns:
            (N, K) ticks, or (N,) where the feature has no window, those outside the episode moved to its first or last
            one; and which of them were inside.
        """
        offsets = self._offsets.get(name)
        last = self.num_ticks[episodes] - 1
        if offsets is None:
            return ticks, np.ones(len(ticks), np.bool_)
        wanted = ticks[:, None] + offsets[self._rate_of[episodes]]
        inside = np.clip(wanted, 0, last[:, None])
        return inside, inside == wanted

    def fingerprint(self, episodes: Sequence[str]) -> str:
        """A text by which two choices of samples are told from each other.

        Args:
            episodes: The name of every episode's version.
        """
        digest = hashlib.blake2b(digest_size=6)
        digest.update("\n".join(episodes).encode())
        for array in (self._episodes, self._firsts, self._ends):
            digest.update(array.astype("<i8").tobytes())
        return f"{len(self)} samples of {len(episodes)} episodes, {digest.hexdigest()}"


def sample_numbers(samples: ArrayLike) -> NDArray[np.int64]:
    """Samples as int64 (N,).

    Raises:
        TrainingError: They are no whole numbers; a mask is none either.
    """
    try:
        found = np.asarray(samples)
    except ValueError as err:
        raise TrainingError("samples are whole numbers, found lists of several lengths") from err
    if not found.size:
        return np.zeros(0, np.int64)
    if found.dtype.kind not in "iu":
        remedy = "Of a mask, give np.flatnonzero(mask)" if found.dtype.kind == "b" else None
        raise TrainingError(f"samples are whole numbers, found an array of {found.dtype.name}", remedy=remedy)
    return found.astype(np.int64).reshape(-1)


def one_sample(sample: object) -> int:
    """The number of one sample, as it stands between brackets.

    Raises:
        TrainingError: It is none, but a slice or a list.
    """
    try:
        return operator.index(sample)  # type: ignore[arg-type]  # that is what it tells
    except TypeError as err:
        raise TrainingError(
            f"one sample is asked for by a whole number, found {sample!r:.80}",
            remedy="Ask for several by batch: data.batch([4, 7]), data.batch(range(0, 8))",
        ) from err


def _joined(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)
