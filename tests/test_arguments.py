"""Arguments of another type than is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest

from bagmill.arguments import checked_arguments
from bagmill.dataset import Dataset, curate, load_snapshot, make_snapshot
from bagmill.errors import BagmillError, QueryError, StorageError, TrainingError
from bagmill.training import EpisodeDataset

if TYPE_CHECKING:
    from decimal import Decimal


@checked_arguments(QueryError)
def taking(
    text: str = "",
    count: int = 0,
    share: float | None = None,
    *,
    is_on: bool = False,
    names: Sequence[str] = (),
    sizes: tuple[int, int] | Mapping[str, tuple[int, int]] = (1, 1),
    path: Path | str = "",
    kind: Literal["a", "b"] = "a",
    late: Decimal | None = None,
) -> object:
    """One argument of every kind."""
    return text, count, share, is_on, names, sizes, path, kind, late


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", "x"),
        ("count", np.int64(3)),
        ("count", 3.0),
        ("share", 3),
        ("share", np.float32(0.5)),
        ("share", None),
        ("is_on", np.bool_(True)),
        ("names", {"a": 1}),
        ("names", np.array(["a"])),
        ("names", "left to the function"),
        ("sizes", [2, 3]),
        ("sizes", {"a": (2, 3)}),
        ("path", Path("x")),
        ("kind", "left to the function"),
        ("late", object()),
    ],
)
def test_what_fits_is_passed_on(name: str, value: Any) -> None:
    assert any(each is value for each in taking(**{name: value}))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("text", 5, r"`text` is 5 \(int\)\. Give a text\."),
        ("text", None, r"`text` is None \(NoneType\)\. Give a text\."),
        ("count", 2.5, "Give a whole number"),
        ("count", float("nan"), "Give a whole number"),
        ("count", "3", "Give a whole number"),
        ("share", "3", "Give a number or None"),
        ("is_on", 1, "Give True or False"),
        ("names", [5], "Give a list, each of it a text"),
        ("names", b"x", "Give a list, each of it a text"),
        ("sizes", (1, 2, 3), r"Give \(a whole number, a whole number\) or a dictionary of a text → \(a whole"),
        ("path", 5, "Give a path or a text"),
        ("kind", 5, "Give 'a' or 'b'"),
    ],
)
def test_what_does_not_is_told_with_what_is_taken(name: str, value: Any, says: str) -> None:
    with pytest.raises(QueryError, match=says):
        taking(**{name: value})


WRONG: tuple[Any, ...] = (5, 2.5, b"x", [5], {5: "x"}, object(), (1, 2, 3), "\ud800", "a\0b")


@pytest.mark.parametrize("value", WRONG)
def test_no_stranger_s_error_comes_out_of_what_users_call(tmp_path: Path, value: Any) -> None:
    dataset = Dataset(tmp_path)
    if not isinstance(value, str):
        with pytest.raises(StorageError, match="expected a path, found"):
            Dataset(value)
        with pytest.raises(TrainingError, match="`where` is .*Give a text or None"):
            EpisodeDataset(tmp_path, where=value)
        with pytest.raises(QueryError, match="`where` is .*Give a text or None"):
            curate(dataset, where=value)
    for call in (
        lambda: EpisodeDataset(value),
        lambda: EpisodeDataset(tmp_path, snapshot=value),
        lambda: make_snapshot(value),
        lambda: make_snapshot(dataset=dataset, name=value),
        lambda: load_snapshot(dataset, value),
        lambda: load_snapshot(value),
        lambda: curate(dataset, value),
    ):
        with pytest.raises(BagmillError):
            call()
