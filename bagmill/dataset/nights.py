"""Nights: what each of them added to the dataset, kept as one small file a night so that trends can be told from them."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bagmill.dataset.folder import Dataset, names_ending
from bagmill.dataset.json_records import from_json, to_json
from bagmill.dataset.quarantine import QuarantineEntry
from bagmill.dataset.snapshot import load_rows, load_snapshot
from bagmill.dataset.statistics import GroupTotals, Spread, Totals, find_spreads, total, total_by
from bagmill.dataset.whole_file import read_whole, write_whole
from bagmill.errors import StorageError

if TYPE_CHECKING:
    import pandas as pd  # see `dataset.snapshot`

NIGHT_SCHEMA: Final = "bagmill-night-1"
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_REMEDY: Final = "Delete it: trends go on without that night"


@dataclass(frozen=True, slots=True)
class Night:
    """A night's figures."""

    date: str
    """`2026-11-21`: the day the night ends on, in the deployment's time zone."""
    made_ns: int
    """When the figures were taken, ns since the Unix epoch."""
    since_ns: int
    """When the figures of the night before were taken; 0 where there was none."""
    snapshot_id: str | None
    """The snapshot they were taken of; None where no episode could be in one."""
    compared_with: str | None
    """The earlier night whose snapshot tells what is new; None: all of it counts as new."""
    dataset: Totals
    """Of all episodes in the snapshot."""
    new: Totals
    """Of the episode versions that were not in the earlier night's snapshot."""
    new_by_robot_and_task: tuple[GroupTotals, ...]
    num_refused: int
    """Episodes in quarantine."""
    num_newly_refused: int
    """Of them, refused since the earlier night."""
    refused_by: Mapping[str, int]
    """Episodes in quarantine by the first check they failed, or by the stage at which an error ended their line."""
    spreads: Mapping[str, Spread]
    """Of the new episode versions, by the measure's name."""
    refused: tuple[str, ...] | None = None
    """Names for the refusals in quarantine: what the next night does not find here is new. None in figures that were taken
    before they said it."""
    order: int = 0
    """Which night of the dataset this was when its figures were first taken, from 1; 0: as `refused`."""


@dataclass(frozen=True, slots=True)
class EarlierNights:
    """What is known of the nights before one."""

    nights: tuple[Night, ...]
    """The oldest first."""
    problems: tuple[str, ...]
    """Sentences: the files among them that could not be read."""


def take_night(
    dataset: Dataset,
    *,
    date: str,
    now_ns: int,
    snapshot_id: str | None,
    refused: Sequence[QuarantineEntry],
    earlier: EarlierNights,
) -> Night:
    """Take a night's figures.

    Args:
        dataset: Whose.
        date: See `Night`.
        now_ns: When they are taken, ns since the Unix epoch.
        snapshot_id: The snapshot that was made at the end of the night; None where there was no episode for one.
        refused: What is in quarantine.
        earlier: The nights before, one of which it is compared with.

    Raises:
        StorageError: The snapshot cannot be read.
    """
    table = None if snapshot_id is None else load_snapshot(dataset, snapshot_id)
    compared, known = _known_rows(dataset, earlier)
    new = None if table is None else table[_is_new(table, known)]
    since_ns = 0 if not earlier.nights else earlier.nights[-1].made_ns
    names = tuple(map(_refusal_name, refused))
    return Night(
        date=date,
        made_ns=now_ns,
        since_ns=since_ns,
        snapshot_id=snapshot_id,
        compared_with=None if compared is None else compared.date,
        dataset=Totals() if table is None else total(table),
        new=Totals() if new is None else total(new),
        new_by_robot_and_task=() if new is None else total_by(new, ("robot", "task")),
        num_refused=len(refused),
        num_newly_refused=_num_new(refused, names, earlier),
        refused_by=dict(Counter(map(reason_of, refused)).most_common()),
        spreads={} if new is None else find_spreads(new),
        refused=names,
        order=_order_of(dataset, date),
    )


def reason_of(entry: QuarantineEntry) -> str:
    """A short name for why an episode was refused: the first check it failed, or the stage at which an error ended it."""
    return f"check {entry.failed_checks[0]}" if entry.failed_checks else f"error at stage {entry.stage}"


def _refusal_name(entry: QuarantineEntry) -> str:
    """The same as long as an episode is refused for the same reason."""
    return hashlib.sha256(json.dumps([entry.episode, entry.stage, entry.reason]).encode()).hexdigest()[:16]


def _num_new(refused: Sequence[QuarantineEntry], names: Sequence[str], earlier: EarlierNights) -> int:
    """How many were not refused yet when the last night's figures were taken, whatever the clock said then."""
    if not earlier.nights:
        return len(refused)
    last = earlier.nights[-1]
    if last.refused is None:
        return sum(entry.since_ns >= last.made_ns for entry in refused)
    return len({*names} - {*last.refused})


def _order_of(dataset: Dataset, date: str) -> int:
    """The order of a night's figures; taken once more, they keep it."""
    orders = {night.date: night.order for night in _legible(dataset)}
    return orders.get(date) or 1 + max(orders.values(), default=0)


def save_night(dataset: Dataset, night: Night) -> Path:
    """Write a night's figures to their place, over those that were taken of the same night before.

    Raises:
        StorageError: The date is none, or the disk does not take it.
    """
    path = _path(dataset, night.date)
    write_whole(path, to_json(night, schema=NIGHT_SCHEMA))
    return path


def load_night(dataset: Dataset, date: str) -> Night:
    """Read a night's figures back.

    Raises:
        StorageError: There are none, or the file is not what `save_night` wrote.
    """
    path = _path(dataset, date)
    try:
        return from_json(read_whole(path, remedy=_REMEDY), Night, schema=NIGHT_SCHEMA)
    except ValueError as err:
        raise StorageError(f"holds no night's figures: {err}", path=path, remedy=_REMEDY) from err


def list_night_dates(dataset: Dataset) -> list[str]:
    """The dates of all nights that have figures, the oldest first.

    Raises:
        StorageError: Their folder cannot be listed.
    """
    return [date for date in names_ending(dataset.nights_dir, ".json") if _DATE.fullmatch(date)]


def last_nights(dataset: Dataset) -> list[Night]:
    """The night whose figures were taken last and the one with the latest date: two where the clock was set back.

    The next night is compared with one of them.

    Raises:
        StorageError: The figures of the one with the latest date cannot be read.
    """
    latest = [load_night(dataset, date) for date in list_night_dates(dataset)[-1:]]
    last = sorted(_legible(dataset), key=lambda each: each.order)[-1:]
    return list({night.date: night for night in (*latest, *last)}.values())


def _legible(dataset: Dataset) -> Iterator[Night]:
    for date in list_night_dates(dataset):
        try:
            yield load_night(dataset, date)
        except StorageError:
            continue


def load_nights_before(dataset: Dataset, date: str, *, most: int) -> EarlierNights:
    """The last nights before one, as far as they can be read.

    Args:
        dataset: Whose.
        date: Of the night that is not among them.
        most: How many.
    """
    nights: list[Night] = []
    problems: list[str] = []
    for earlier in [each for each in list_night_dates(dataset) if each < date][-most:]:
        try:
            nights.append(load_night(dataset, earlier))
        except StorageError as err:
            problems.append(str(err))
    return EarlierNights(tuple(nights), tuple(problems))


def _known_rows(dataset: Dataset, earlier: EarlierNights) -> tuple[Night | None, set[tuple[str, str]]]:
    """The latest night whose snapshot is still there, and what that holds."""
    for night in reversed(earlier.nights):
        if night.snapshot_id is None:
            return night, set()
        try:
            return night, set(load_rows(dataset, night.snapshot_id))
        except StorageError:
            continue  # it was pruned or damaged: the one before it tells as much, only over more nights
    return None, set()


def _is_new(table: pd.DataFrame, known: set[tuple[str, str]]) -> list[bool]:
    return [row not in known for row in zip(table["episode"], table["version"], strict=True)]


def _path(dataset: Dataset, date: str) -> Path:
    if not _DATE.fullmatch(date):
        raise StorageError(f"{date!r} is no night's date", remedy="Write year, month and day: 2026-11-21")
    return dataset.nights_dir / f"{date}.json"
