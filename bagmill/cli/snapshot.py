"""`bagmill snapshot`: what a training run names: makes snapshots, chooses among their episodes, lists and asks them."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.text import Text

from bagmill.cli.screen import complain, notices, print_json, results, table
from bagmill.cli.wording import counted, duration_text, printable, size_text
from bagmill.dataset import (
    LATEST,
    SPLIT,
    CuratedSnapshot,
    Dataset,
    Snapshot,
    curate,
    describe_snapshots,
    load_snapshot,
    make_snapshot,
    resolve_id,
    select,
    total,
)
from bagmill.errors import QueryError

if TYPE_CHECKING:
    import pandas as pd  # see `dataset.snapshot`

HELP: Final = """Make snapshots, choose among their episodes, list them and ask them.

A snapshot is an immutable table of episode versions, one row an episode: what a training run names."""

EPILOG: Final = """[bold]Examples[/bold]

bagmill snapshot make dataset/ --name january  [dim]every episode, as it is now[/dim]

bagmill snapshot query dataset/ --where "num_frames > 100 and quality.skew < 10"  [dim]which episodes those are[/dim]

bagmill snapshot make dataset/ --where "task == 'pick'" --exclude day2__run7.mcap --split train=0.8 --split val=0.1 \
--split test=0.1 --name pick

bagmill snapshot list dataset/
"""

_MOST_ROWS: Final = 50
_SHOWN: Final = (SPLIT, "robot", "task", "num_ticks", "num_frames")
"""Columns of the table on the screen, of those that there are."""

_DatasetArgument = Annotated[Path, typer.Argument(metavar="DATASET", help="The dataset's folder.")]
_JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
_WhereOption = Annotated[
    str | None,
    typer.Option(
        "--where", "-w", metavar="CONDITION", help="As of pandas' query: num_frames > 100 and task == 'pick'."
    ),
]


def make(  # noqa: PLR0913 - each is an option of the command
    dataset: _DatasetArgument,
    *,
    name: Annotated[str | None, typer.Option("--name", "-n", help="A name; given once, never moved.")] = None,
    base: Annotated[
        str | None,
        typer.Option("--from", metavar="NAME", help="Choose from this snapshot, by name or id; else latest."),
    ] = None,
    where: _WhereOption = None,
    include: Annotated[
        list[str] | None, typer.Option("--include", metavar="EPISODE", help="Take it whatever the condition says.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", metavar="EPISODE", help="Leave it out whatever else is said.")
    ] = None,
    include_from: Annotated[
        Path | None,
        typer.Option("--include-from", metavar="FILE", help="The same, for a file with a name on every line."),
    ] = None,
    exclude_from: Annotated[
        Path | None,
        typer.Option("--exclude-from", metavar="FILE", help="The same, for a file with a name on every line."),
    ] = None,
    splits: Annotated[
        list[str] | None, typer.Option("--split", metavar="NAME=PART", help="A split and its part: train=0.8.")
    ] = None,
    by: Annotated[
        str, typer.Option("--by", metavar="COLUMN", help="Keep what shares its value in one split: robot, task.")
    ] = "episode",
    salt: Annotated[str, typer.Option("--salt", help="Another division with the same parts.")] = "",
    as_json: _JsonOption = False,
) -> None:
    """Write down every episode as it is now, and point `latest` at it; or choose among a snapshot's episodes.

    With a condition, lists of episodes or splits it is a curated snapshot: it has its own id and keeps how it was chosen;
    `latest` stays where it is. The same choice from the same snapshot is the same snapshot.
    """
    folder = _open(dataset)
    included = [*(include or ()), *_names_in(include_from)]
    excluded = [*(exclude or ()), *_names_in(exclude_from)]
    if not (base or where is not None or included or excluded or splits):
        made: Snapshot | CuratedSnapshot = make_snapshot(folder, name=name)
    else:
        made = curate(
            folder,
            base or LATEST,
            where=where,
            include=included,
            exclude=excluded,
            splits=_fractions(splits) if splits else None,
            by=by,
            salt=salt,
            name=name,
        )
    sums = total(load_snapshot(folder, made.id))
    if as_json:
        print_json(_made_json(made, name=name, duration_s=sums.duration_s))
        return
    what = "stood already" if made.is_reused else "made"
    _say(f"Snapshot {made.id} {what}: {counted(made.num_episodes, 'episode')}, {_hours(sums.duration_s)}")
    if isinstance(made, CuratedSnapshot):
        _say(f"Chosen from {made.base_id}: {made.num_left_out:,} left out")
        for split, num in made.num_by_split.items():
            _say(f"{split}: {counted(num, 'episode')}")
    else:
        out = f"{made.num_quarantined:,} in quarantine, {made.num_blocked:,} blocked by a check, "
        _say(f"Left out: {out}{made.num_unpublished:,} not published, {made.num_duplicates:,} the same as another")
        for sentence in made.damaged:
            complain(f"left out: {sentence}")
        if made.damaged:
            complain("`bagmill verify` lists all that is damaged, `bagmill repair` what can be made again.")


def list_all(dataset: _DatasetArgument, *, as_json: _JsonOption = False) -> None:
    """List every snapshot, the oldest first: its names, how many episodes and hours it has, how it was chosen."""
    found = describe_snapshots(_open(dataset))
    if as_json:
        print_json(
            {
                "snapshots": [
                    {
                        "id": each.id,
                        "names": list(each.names),
                        "num_episodes": each.num_episodes,
                        "duration_s": each.duration_s,
                        "size_bytes": each.size_bytes,
                        "made_ns": each.made_ns,
                        "is_curated": each.is_curated,
                    }
                    for each in found
                ]
            }
        )
        return
    if not found:
        _say("No snapshot yet: `bagmill snapshot make` makes one")
        return
    shown = table("snapshot", "names", "episodes", "time", "size", "made", "", right=("episodes", "time", "size"))
    for each in found:
        shown.add_row(
            each.id,
            ", ".join(each.names),
            f"{each.num_episodes:,}",
            _hours(each.duration_s),
            size_text(each.size_bytes),
            f"{datetime.fromtimestamp(each.made_ns / 1e9, tz=UTC):%Y-%m-%d %H:%M} UTC",
            "curated" if each.is_curated else "",
        )
    results().print(shown)


def query(
    dataset: _DatasetArgument,
    *,
    snapshot: Annotated[
        str, typer.Option("--snapshot", "-s", metavar="NAME", help="A snapshot's name or id.")
    ] = LATEST,
    where: _WhereOption = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--column", "-c", metavar="COLUMN", help="Show it, too; in CSV and JSON: only it."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=0, metavar="N", help="Rows of the table on the screen; CSV and JSON have all.")
    ] = _MOST_ROWS,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, with every column.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document, with every column.")] = False,
) -> None:
    """Tell which episodes of a snapshot a condition holds for, and how many hours they are.

    Every column can be asked for: num_frames, duration_s, task, robot, profile, start (a date: start >= '2026-05-01'),
    split, and every metric's worst value: quality.skew < 10. `bagmill metrics` lists those.
    """
    if as_csv and as_json:
        raise typer.BadParameter("--csv and --json are two forms of the same", param_hint="--csv")
    folder = _open(dataset)
    snapshot_id = resolve_id(folder, snapshot)
    whole = load_snapshot(folder, snapshot_id)
    _check_columns(columns or (), whole)
    rows = whole if where is None else select(whole, where)
    if as_csv:
        (rows[columns] if columns else rows).to_csv(sys.stdout, index=False)
    elif as_json:
        print_json(
            {
                "snapshot": snapshot_id,
                "where": where,
                "num_episodes": len(rows),
                "duration_s": total(rows).duration_s,
                "episodes": _records(rows[columns] if columns else rows),
            }
        )
    else:
        _print_rows(rows, columns or (), limit=limit)
        _say(f"{len(rows):,} of {counted(len(whole), 'episode')}, {_hours(total(rows).duration_s)}")


ACTIONS: Final = {"make": make, "list": list_all, "query": query}


def _open(dataset: Path) -> Dataset:
    if not (dataset / "episodes").is_dir():
        raise typer.BadParameter(f"{dataset} is no dataset: it has no folder `episodes`", param_hint="DATASET")
    return Dataset(dataset)


def _names_in(file: Path | None) -> list[str]:
    """Episodes' names, one a line; empty lines and what begins with # are passed over."""
    if file is None:
        return []
    lines = [line.strip() for line in file.read_text(encoding="utf-8", errors="surrogateescape").splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _fractions(splits: Sequence[str]) -> dict[str, float]:
    fractions: dict[str, float] = {}
    for each in splits:
        name, _, part = each.partition("=")
        try:
            fraction = float(part)
        except ValueError:
            raise typer.BadParameter(f"{each!r} is no split; write train=0.8", param_hint="--split") from None
        if name in fractions:
            raise typer.BadParameter(f"the split {name} is named twice", param_hint="--split")
        fractions[name] = fraction
    return fractions


def _check_columns(columns: Sequence[str], rows: pd.DataFrame) -> None:
    unknown = [column for column in columns if column not in rows]
    if unknown:
        raise QueryError(
            f"the snapshot has no column {', '.join(unknown)}", remedy=f"There are {', '.join(map(str, rows.columns))}"
        )


def _print_rows(rows: pd.DataFrame, columns: Sequence[str], *, limit: int) -> None:
    if rows.empty or not limit:
        return
    shown = list(dict.fromkeys([*(each for each in _SHOWN if each in rows), *columns]))
    is_number = {each: rows[each].dtype.kind in "iuf" for each in shown}
    made = table("episode", "time", *shown, right=("time", *(each for each in shown if is_number[each])))
    for row in rows.head(limit).to_dict("records"):
        cells = [_cell(row[each]) for each in shown]
        made.add_row(printable(str(row["episode"])), duration_text(round(row["duration_s"] * 1e9)), *cells)
    results().print(made)
    if len(rows) > limit:
        notices().print(Text(f"… and {len(rows) - limit:,} more: --limit shows them, --csv has them all"))


def _cell(value: Any) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return "–" if math.isnan(value) else f"{value:.6g}"
    return "–" if value is None else printable(str(value))


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = rows.astype(object).where(rows.notna(), None).to_dict("records")
    for record in records:
        if "features" in record:
            record["features"] = json.loads(record["features"])
    return records


def _made_json(made: Snapshot | CuratedSnapshot, *, name: str | None, duration_s: float) -> dict[str, Any]:
    document = {
        "id": made.id,
        "name": name,
        "path": made.path,
        "num_episodes": made.num_episodes,
        "duration_s": duration_s,
        "is_reused": made.is_reused,
    }
    if isinstance(made, CuratedSnapshot):
        return document | {
            "base": made.base_id,
            "num_left_out": made.num_left_out,
            "num_by_split": dict(made.num_by_split),
        }
    return document | {
        "num_quarantined": made.num_quarantined,
        "num_blocked": made.num_blocked,
        "num_unpublished": made.num_unpublished,
        "num_duplicates": made.num_duplicates,
        "damaged": list(made.damaged),
    }


def _hours(duration_s: float) -> str:
    return duration_text(round(duration_s * 1e9))


def _say(sentence: str) -> None:
    results().print(Text(f"{printable(sentence)}."), soft_wrap=True)
