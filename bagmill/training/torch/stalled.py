"""A batch that does not come: a disk that does not answer, a process that was stopped."""

from __future__ import annotations

from collections.abc import Sequence

from bagmill.errors import TrainingError
from bagmill.training.dataset import EpisodeDataset
from bagmill.training.torch.dataset import TorchDataset

_MOST_TOLD = 5


def check_timeout(timeout_s: float | None) -> None:
    """Refuse a time that cannot be waited.

    Raises:
        TrainingError: It is not above 0.
    """
    if timeout_s is not None and not timeout_s > 0:
        raise TrainingError(
            f"timeout_s is a number of seconds above 0, found {timeout_s!r}", remedy="None waits for ever"
        )


def stalled(dataset: TorchDataset, samples: Sequence[int] | None, *, timeout_s: float, who: str) -> TrainingError:
    """The error of a batch that was waited for in vain.

    Args:
        dataset: That it is read from.
        samples: Of the batch; None where that is not known.
        timeout_s: How long it was waited for.
        who: What reads it: `worker process 4711`.
    """
    return TrainingError(
        f"{who} has not read a batch in {timeout_s:g} s{_of_what(dataset, samples)}",
        remedy="See whether its disk or network answers, and whether the process was stopped; timeout_s waits longer. "
        "Iterating again reads anew; load_state_dict goes on where it was",
    )


def _of_what(dataset: TorchDataset, samples: Sequence[int] | None) -> str:
    source = dataset.dataset
    if samples is None or not isinstance(source, EpisodeDataset):
        return ""
    rows, _ = source.locate(list(samples))
    names = list(dict.fromkeys(source.table["episode"].iloc[rows].astype(str)))
    more = f" and {len(names) - _MOST_TOLD:,} more" if len(names) > _MOST_TOLD else ""
    return f": samples of {', '.join(names[:_MOST_TOLD])}{more} in {source.dataset.path}"
