"""`bagmill show`: what an episode holds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from bagmill.cli.episode_paths import find_episode
from bagmill.cli.screen import print_json, results, table
from bagmill.cli.show_facts import EpisodeFacts, episode_facts, facts_json
from bagmill.cli.show_refusal import find_refusal, print_refusal, refusal_json
from bagmill.cli.wording import (
    columns_text,
    counted,
    duration_text,
    first_faults,
    number_text,
    printable,
    size_text,
    stamp_text,
)
from bagmill.errors import StorageError
from bagmill.quality import CheckResult
from bagmill.quality.lost_messages import fault_texts

EPILOG = """[bold]Examples[/bold]

bagmill show dataset/episodes/trial_7.mcap  [dim]the version last asked for[/dim]

bagmill show dataset/episodes/trial_7.mcap/0a1b2c3d4e5f6071.zarr  [dim]a certain one[/dim]
"""


def show(
    episode: Annotated[
        Path,
        typer.Argument(
            metavar="EPISODE", help="A `.zarr` folder, or an episode's folder: its newest version or refusal."
        ),
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Tell what an episode holds: features, how they are stored, their synchronisation, provenance and quality.

    Of an episode that was refused it tells the reason and what to do. Exit code 1 where nothing is published of it.
    """
    refusal = find_refusal(episode)
    try:
        version = find_episode(episode)
    except StorageError:
        if refusal is None:
            raise
        if as_json:
            print_json({"episode": refusal.entry.episode, "refusal": refusal_json(refusal)})
        else:
            print_refusal(refusal, results())
            if refusal.report is not None and refusal.report.checks:
                _print_checks(refusal.report.checks, results())
        return 1
    facts = episode_facts(version)
    if as_json:
        print_json(facts_json(facts) | {"refusal": refusal and refusal_json(refusal)})
        return 0
    if refusal is not None:
        print_refusal(refusal, results())
        results().print(Text("What is published of it:"))
    _print(facts, results())
    return 0


def _print(facts: EpisodeFacts, console: Console) -> None:
    def line(text: str, style: str = "") -> None:
        console.print(Text(printable(text), style=style), soft_wrap=True)

    line(f"{facts.episode}, version {facts.version}", "bold")
    line(str(facts.path))
    ticks = f"{counted(facts.num_ticks, 'tick')} at {facts.rate_hz} Hz, {duration_text(facts.duration_ns)}"
    line(f"{ticks}, from {stamp_text(facts.start_ns)} on; {size_text(facts.stored_bytes)} stored")
    for label, text in (("robot", facts.robot), ("task", facts.task)):
        if text:
            line(f"{label}: {text}")
    _print_stored(facts, console)
    _print_columns(facts, console)
    _print_times(facts, console)
    recording = facts.recording
    line(f"recording  {recording.get('path') or recording.get('container')}, {recording.get('content_hash')}")
    line(f"profile    {facts.profile}")
    for text in first_faults(facts.faults):
        line(f"fault      {text}", "yellow")
    for feature in facts.features:
        for text in fault_texts(feature.decode_faults, start_ns=facts.start_ns):
            line(f"no value   {feature.name}: {text}", "yellow")
    if not facts.checks:
        line("quality    no report beside this episode")
    else:
        _print_checks(facts.checks, console)


def _print_checks(checks: Sequence[CheckResult], console: Console) -> None:
    shown = table("check", "stage", "worst", "passes", "verdict", right=("worst",))
    for check in checks:
        sign = "≥" if check.direction == "higher" else "≤"
        passes = "–" if check.threshold is None else f"{sign} {check.threshold:g} {check.unit}"
        is_judged = check.threshold is not None and any(
            measured.is_judged and not math.isnan(measured.value) for measured in check.measurements
        )
        passed = "passed" if is_judged else "not judged"
        verdict = passed if check.is_passed else f"{check.severity}: {', '.join(check.failed_subjects[:3])}"
        style = "green" if check.is_passed else "red" if check.is_blocking else "yellow"
        worst = number_text(check.worst, check.unit)
        shown.add_row(check.name, check.stage, worst, passes, Text(printable(verdict), style=style))
    console.print(shown)


def _print_stored(facts: EpisodeFacts, console: Console) -> None:
    shown = table(
        "feature", "shape", "dtype", "chunk", "shard", "stored as", "size", "per tick", right=("size", "per tick")
    )
    for feature in facts.features:
        shown.add_row(
            feature.name,
            " × ".join(map(str, feature.shape)),
            feature.dtype,
            " × ".join(map(str, feature.chunk_shape)),
            " × ".join(map(str, feature.shard_shape)) if feature.shard_shape else "–",
            feature.stored_as,
            size_text(feature.stored_bytes),
            size_text(round(feature.stored_bytes / max(facts.num_ticks, 1))),
        )
    console.print(shown)


def _print_columns(facts: EpisodeFacts, console: Console) -> None:
    """What the numbers of signals and depth are."""
    for feature in facts.features:
        text = columns_text(feature.names, feature.units, is_named=all(feature.named))
        if feature.scale_m is not None:
            text = f"{feature.scale_m:g} m a count"
        if text:
            console.print(Text(printable(f"{feature.name}: {text}")), soft_wrap=True)


def _print_times(facts: EpisodeFacts, console: Console) -> None:
    shown = table(
        "feature", "channel", "clock", "rule", "valid", "interpolated", "skew p50", "p99", "max",
        right=("valid", "interpolated", "skew p50", "p99", "max"),
    )  # fmt: skip
    for feature in facts.features:
        shown.add_row(
            feature.name,
            printable(feature.channel),
            feature.clock,
            feature.rule,
            number_text(feature.valid_percent, "%"),
            number_text(feature.interpolated_percent, "%"),
            *(number_text(value, "ms") for value in feature.skew_ms),
        )
    console.print(shown)
