"""Who makes a snapshot and who prunes wait for each other: what a snapshot is about to name must not go meanwhile.

The lock is that of the dataset's folder. A prune holds it alone, for each thing that it moves out of sight; a snapshot in the
making holds it with others.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from bagmill.dataset.folder import Dataset
from bagmill.disk import locked_folder

P = ParamSpec("P")
T = TypeVar("T")


def no_prune_meanwhile(function: Callable[Concatenate[Dataset, P], T]) -> Callable[Concatenate[Dataset, P], T]:
    """A function of a dataset of which nothing is pruned while it runs."""

    @wraps(function)
    def holding(dataset: Dataset, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with no_prune(dataset):
            return function(dataset, *args, **kwargs)

    return holding


def no_prune(dataset: Dataset) -> AbstractContextManager[None]:
    """As long as the block lasts, nothing is pruned: what is found to be published stays so."""
    return locked_folder(dataset.path, is_shared=True)


def alone(dataset: Dataset) -> AbstractContextManager[None]:
    """As long as the block lasts, nobody makes a snapshot."""
    return locked_folder(dataset.path)
