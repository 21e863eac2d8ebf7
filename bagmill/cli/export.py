"""`bagmill export`: episodes of a snapshot → a data set of another format, and what it lost."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text

from bagmill.cli.progress import Steps
from bagmill.cli.screen import notices, print_json, results, table
from bagmill.cli.wording import counted, number_text, printable, size_text
from bagmill.dataset import LATEST, Dataset
from bagmill.exports import (
    REPORT_FILE,
    AlohaSettings,
    ExportedFeature,
    ExportReport,
    ExportSource,
    InvalidTicks,
    LeRobotSettings,
    check_target,
    export_aloha,
    export_lerobot,
    select_source,
)

_MOST_SKIPPED: Final = 10
"""Shown on the screen; the report has them all."""

HELP: Final = """Write episodes of a snapshot in the format of others, and tell what that format could not hold.

The folder is there whole at the end, or not at all; nothing is ever written over. The report lies in it as well, with the
snapshot and the condition by which it can be written again."""

EPILOG: Final = """[bold]Examples[/bold]

bagmill export lerobot dataset/ --out wave_lerobot/  [dim]all episodes of the latest snapshot[/dim]

bagmill export lerobot dataset/ --snapshot paper --where "quality.skew < 10" --out good_lerobot/

bagmill export lerobot dataset/ --map gripper=observation.state --out wave_lerobot/  [dim]behind the numbers of `state`[/dim]

bagmill export aloha dataset/ --compress --out wave_aloha/  [dim]JPEGs as they are, not pixels[/dim]
"""


class WhenInvalid(StrEnum):
    """What becomes of ticks without a value."""

    HOLD = "hold"
    SKIP = "skip"


_DatasetArgument = Annotated[Path, typer.Argument(metavar="DATASET", help="The dataset's folder.")]
_OutOption = Annotated[Path, typer.Option("--out", "-o", help="The folder to write: a new one, or an empty one.")]
_SnapshotOption = Annotated[str, typer.Option("--snapshot", "-s", metavar="NAME", help="A snapshot's name or id.")]
_WhereOption = Annotated[
    str | None,
    typer.Option(
        "--where", "-w", metavar="CONDITION", help="Only these of its episodes: num_ticks > 100 and task == 'pick'."
    ),
]
_FeatureOption = Annotated[
    list[str] | None,
    typer.Option("--feature", "-f", metavar="NAME", help="One of the features to write; all if left out."),
]
_MapOption = Annotated[
    list[str] | None,
    typer.Option("--map", "-m", metavar="FEATURE=NAME", help="Another name for a feature; signals of one are joined."),
]
_InvalidOption = Annotated[
    WhenInvalid, typer.Option(help="Ticks without a value: hold the last one, or skip episodes that have any.")
]
_ThreadsOption = Annotated[
    int | None, typer.Option("--threads", min=1, metavar="N", help="Threads; one a core if left out.")
]
_JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def lerobot(  # noqa: PLR0913 - each is an option of the command
    dataset: _DatasetArgument,
    *,
    out: _OutOption,
    snapshot: _SnapshotOption = LATEST,
    where: _WhereOption = None,
    features: _FeatureOption = None,
    names: _MapOption = None,
    invalid: _InvalidOption = WhenInvalid.HOLD,
    crf: Annotated[
        int, typer.Option("--crf", min=1, max=63, metavar="N", help="AV1's quality: lower is better and larger.")
    ] = 30,
    preset: Annotated[
        int, typer.Option("--preset", min=0, max=13, metavar="N", help="The encoder's: lower is slower and smaller.")
    ] = 12,
    is_without_masks: Annotated[
        bool, typer.Option("--no-masks", help="Without the feature `valid`, which tells where a value was held.")
    ] = False,
    num_threads: _ThreadsOption = None,
    as_json: _JsonOption = False,
) -> None:
    """Write a LeRobot v3 data set: Parquet, AV1 films and statistics, as LeRobot's own loader opens it.

    Pictures are compressed once more and depth is left out; the report tells what that cost.
    """
    settings = LeRobotSettings(crf=crf, preset=preset, invalid=_held(invalid), has_masks=not is_without_masks)
    own_names = _parsed(names or [])
    source = _select(dataset, out, snapshot=snapshot, where=where, features=features)
    with _shown_progress("lerobot", source) as progress:
        report = export_lerobot(
            source, out, names=own_names, settings=settings, num_threads=num_threads, progress=progress
        )
    _tell(report, as_json=as_json)


def aloha(  # noqa: PLR0913 - each is an option of the command
    dataset: _DatasetArgument,
    *,
    out: _OutOption,
    snapshot: _SnapshotOption = LATEST,
    where: _WhereOption = None,
    features: _FeatureOption = None,
    names: _MapOption = None,
    invalid: _InvalidOption = WhenInvalid.HOLD,
    is_compressed: Annotated[bool, typer.Option("--compress", help="JPEGs, not pixels.")] = False,
    quality: Annotated[
        int,
        typer.Option(
            "--quality", min=1, max=100, metavar="N", help="Of JPEGs made here; those that are stored are copied."
        ),
    ] = 95,
    num_threads: _ThreadsOption = None,
    as_json: _JsonOption = False,
) -> None:
    """Write HDF5 files in ALOHA's layout, one an episode.

    Without --compress nothing is lost, and the files are large.
    """
    settings = AlohaSettings(is_compressed=is_compressed, quality=quality, invalid=_held(invalid))
    own_names = _parsed(names or [])
    source = _select(dataset, out, snapshot=snapshot, where=where, features=features)
    with _shown_progress("aloha", source) as progress:
        report = export_aloha(
            source, out, names=own_names, settings=settings, num_threads=num_threads, progress=progress
        )
    _tell(report, as_json=as_json)


ACTIONS: Final = {"lerobot": lerobot, "aloha": aloha}


def _select(dataset: Path, out: Path, *, snapshot: str, where: str | None, features: list[str] | None) -> ExportSource:
    """What is to be exported; what is wrong with the target is told before that."""
    if not (dataset / "episodes").is_dir():
        raise typer.BadParameter(f"{dataset} is no dataset: it has no folder `episodes`", param_hint="DATASET")
    check_target(out)
    return select_source(Dataset(dataset), snapshot=snapshot, where=where, features=features or None)


@contextmanager
def _shown_progress(to: str, source: ExportSource) -> Iterator[Callable[[int, int], None]]:
    steps = Steps("export", num_subjects=1)
    with steps.subject(f"{to}, {counted(len(source.episodes), 'episode')}"):
        yield lambda done, total: steps.report("write", done, total)


def _held(invalid: WhenInvalid) -> InvalidTicks:
    return "hold" if invalid is WhenInvalid.HOLD else "skip"


def _tell(report: ExportReport, *, as_json: bool) -> None:
    if as_json:
        print_json(dataclasses.asdict(report))
    else:
        _print(report)


def _parsed(names: list[str]) -> dict[str, str]:
    """Feature → name."""
    parsed: dict[str, str] = {}
    for each in names:
        feature, is_assigned, name = each.partition("=")
        if not (feature and is_assigned and name):
            raise typer.BadParameter(f"expected FEATURE=NAME, found {each!r}", param_hint="--map")
        if parsed.setdefault(feature, name) != name:
            raise typer.BadParameter(f"{feature} is given two names", param_hint="--map")
    return parsed


def _print(report: ExportReport) -> None:
    console = results()
    shown = table(
        "feature", "written as", "dtype", "without a value", "skew p99", "PSNR", "worst",
        right=("without a value", "skew p99", "PSNR", "worst"),
    )  # fmt: skip
    for feature in report.features:
        shown.add_row(*_row(feature))
    console.print(shown)
    for loss in report.losses:
        console.print(Text(f"lost       {printable(loss)}", style="yellow"), soft_wrap=True)
    for note in report.notes:
        console.print(Text(f"note       {printable(note)}"), soft_wrap=True)
    for skipped in report.skipped[:_MOST_SKIPPED]:
        text = f"skipped    {printable(skipped.episode)}: {printable(skipped.reason)}."
        console.print(Text(text, style="yellow"), soft_wrap=True)
    if (num_more := len(report.skipped) - _MOST_SKIPPED) > 0:
        console.print(Text(f"skipped    … and {num_more:,} more", style="yellow"))
    written = f"{counted(len(report.episodes), 'episode')} of snapshot {report.snapshot}"
    ticks = f"{counted(report.num_ticks, 'tick')} at {report.rate_hz} Hz, {size_text(report.size_bytes)}"
    console.print(Text(f"{report.layout}: {written}, {ticks}"), soft_wrap=True)
    notices().print(Text(printable(f"Written to {report.path}; the report is its {REPORT_FILE}.")), soft_wrap=True)


def _row(feature: ExportedFeature) -> tuple[str | Text, ...]:
    if feature.written_as is None:
        return printable(feature.feature), Text("not written", style="yellow"), "–", "–", "–", "–", "–"
    loss = feature.psnr_db
    is_changed = feature.written_dtype != feature.dtype
    return (
        printable(feature.feature),
        printable(feature.written_as),
        f"{feature.dtype} → {feature.written_dtype}" if is_changed else str(feature.dtype),
        f"{feature.num_invalid:,} of {feature.num_ticks:,}",
        number_text(feature.skew_p99_ms, "ms"),
        "–" if loss is None else number_text(loss.median, "dB"),
        "–" if loss is None else number_text(loss.worst, "dB"),
    )
