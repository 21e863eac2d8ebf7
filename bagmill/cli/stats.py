"""`bagmill stats`: mean, deviation, range and quantiles of a snapshot's features, by which a training run scales them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from bagmill.cli.progress import Steps
from bagmill.cli.screen import notices, print_json, results, table
from bagmill.cli.wording import counted, number_text, printable
from bagmill.dataset import LATEST, Dataset
from bagmill.normalisation import (
    DEFAULT_FRAMES,
    FeatureStatistics,
    Normalisation,
    find_normalisation,
    measure_normalisation,
    save_normalisation,
)

EPILOG = """[bold]Examples[/bold]

bagmill stats dataset/  [dim]of the latest snapshot[/dim]

bagmill stats dataset/ --snapshot pick --split train  [dim]of what is learnt from alone[/dim]
"""


def stats(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="The dataset's folder.")],
    *,
    snapshot: Annotated[
        str, typer.Option("--snapshot", "-s", metavar="NAME", help="A snapshot's name or id.")
    ] = LATEST,
    split: Annotated[
        str | None, typer.Option("--split", metavar="NAME", help="Only episodes of this split; all if left out.")
    ] = None,
    num_frames: Annotated[
        int, typer.Option("--frames", min=0, metavar="N", help="Frames that are sampled of each camera.")
    ] = DEFAULT_FRAMES,
    seed: Annotated[int, typer.Option("--seed", min=0, metavar="N", help="Of the choice of frames.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Measure the values of a snapshot's features and keep the result beside it.

    Signals are exact, over every valid tick; of each camera some frames are sampled, evenly over all episodes. What was
    measured before in the same way is only told again. A feature whose episodes do not agree, as in units or in the scale of
    depth, is refused: the others are kept, and the exit code is 1.
    """
    if not (dataset / "episodes").is_dir():
        raise typer.BadParameter(f"{dataset} is no dataset: it has no folder `episodes`", param_hint="DATASET")
    folder = Dataset(dataset)
    measured = find_normalisation(folder, snapshot, split=split, num_frames=num_frames, seed=seed)
    if measured is None:
        steps = Steps("snapshot", num_subjects=1)
        with steps.subject(snapshot):
            measured = measure_normalisation(
                folder, snapshot, split=split, num_frames=num_frames, seed=seed, progress=steps.report
            )
        path = save_normalisation(folder, measured)
        notices().print(Text(printable(f"Kept in {path}")), soft_wrap=True)
    if as_json:
        print_json(dataclasses.asdict(measured))
    else:
        _print(measured)
    if measured.left_out:
        raise typer.Exit(1)


def _print(measured: Normalisation) -> None:
    fractions = ("0.01", "0.5", "0.99")
    numbers = ("mean", "std", "min", "1 %", "median", "99 %", "max")
    shown = table("feature", "dimension", "unit", *numbers, right=numbers)
    for name, feature in measured.features.items():
        for place, dimension in enumerate(feature.names):
            quantiles = [feature.quantiles[fraction][place] for fraction in fractions]
            values = (
                feature.mean[place],
                feature.std[place],
                feature.min[place],
                *quantiles,
                feature.max[place],
            )
            shown.add_row(
                printable(name),
                printable(dimension),
                printable(_unit(feature, place)),
                *(number_text(each) for each in values),
            )
    results().print(shown)
    of_split = "" if measured.split is None else f", split {measured.split}"
    sampled = [f"{name} {each.num_ticks:,}" for name, each in measured.features.items() if each.kind != "signal"]
    frames = f"; sampled frames: {', '.join(sampled)}" if sampled else ""
    sentence = f"Snapshot {measured.snapshot_id}{of_split}: {counted(measured.num_episodes, 'episode')}{frames}."
    results().print(Text(printable(sentence)), soft_wrap=True)
    for text in _left_out_values(measured):
        results().print(Text(printable(f"left out   {text}")), soft_wrap=True)
    for note in measured.notes:
        results().print(Text(printable(f"note       {note}.")), soft_wrap=True)
    for why in measured.left_out.values():
        results().print(Text(printable(f"refused    {why}"), style="red"), soft_wrap=True)


def _left_out_values(measured: Normalisation) -> Iterator[str]:
    for name, feature in measured.features.items():
        num = sum(feature.num_left_out)
        if num:
            what = "are nan or infinite" if feature.kind == "signal" else "have no reading"
            noun = "values" if feature.kind == "signal" else "pixels"
            yield f"{name}: {num:,} of {num + sum(feature.count):,} {noun} {what}."


def _unit(feature: FeatureStatistics, place: int) -> str:
    if feature.kind == "image":
        return "of 255"
    if feature.kind == "depth":
        return "stored" if feature.scale_m is None else f"× {feature.scale_m:g} m"
    return feature.unit_of(place)
