"""`bagmill ingest`: recordings → episodes of a dataset."""

from __future__ import annotations

import dataclasses
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from bagmill.cli.progress import Steps
from bagmill.cli.screen import complain, notices, print_json, results, table
from bagmill.cli.wording import counted, number_text, printable, size_text
from bagmill.dataset import Dataset, episode_name
from bagmill.errors import RecordingError
from bagmill.ingest import IngestOutcome, IngestRequest
from bagmill.profile import load_profile
from bagmill.quality import resolve_checks
from bagmill.recordings import discover
from bagmill.workers import Crash, ingest_in_children, refuse_crash

EPILOG = """[bold]Examples[/bold]

bagmill ingest recordings/ --profile robot.yaml --out dataset/  [dim]all recordings below a folder[/dim]

bagmill ingest trial_7.mcap -p robot.yaml -o dataset/ --force  [dim]one of them, made anew[/dim]

bagmill ingest cut.mcap -p robot.yaml -o dataset/ --salvage  [dim]what is whole in a damaged one[/dim]
"""


_MOST_PLACES = 5


def ingest(  # noqa: PLR0913 - the options of one command
    recordings: Annotated[
        list[Path], typer.Argument(metavar="REC", help="Recordings, or folders with recordings at any depth.")
    ],
    *,
    profile: Annotated[
        Path, typer.Option("--profile", "-p", help="What becomes a feature, and how; `bagmill profile` drafts one.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The dataset's folder; made where there is none.")],
    is_forced: Annotated[bool, typer.Option("--force", help="Make episodes again that are published already.")] = False,
    is_salvaging: Annotated[
        bool,
        typer.Option(
            "--salvage", help="Make episodes of what is whole in damaged recordings, as `salvage: true` in the profile."
        ),
    ] = False,
    is_without_preview: Annotated[bool, typer.Option("--no-preview", help="Stop before the preview.")] = False,
    num_processes: Annotated[
        int,
        typer.Option("--processes", min=1, metavar="N", help="Episodes made at once; they share the cores and memory."),
    ] = 1,
    num_threads: Annotated[
        int | None,
        typer.Option(
            "--threads", min=1, metavar="N", help="Threads that encode an episode; the cores, shared out, if left out."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Make an episode of every recording: check it, align it, encode it, publish it, measure what came out.

    What is published already is not made again, under whatever name it lies there now. A recording that is refused
    never stops the others: it is listed with the reason, here and in the dataset's quarantine, and the exit code is 1.
    Every episode is made by a process of its own, so one that crashes it, hangs, or takes too much memory is refused likewise.
    """
    loaded = load_profile(profile)
    if is_salvaging:
        loaded = loaded.model_copy(update={"salvage": True})
    resolve_checks(loaded)
    if out.exists() and not out.is_dir():
        raise typer.BadParameter(f"{out} is a file, not a dataset's folder", param_hint="--out")
    passed_over: list[RecordingError] = []
    requests = {
        episode: IngestRequest(
            episode=episode,
            recording=recording,
            dataset=out,
            profile=loaded,
            until="episode" if is_without_preview else "preview",
            num_threads=num_threads,
            is_forced=is_forced,
        )
        for episode, recording in _find(recordings, passed_over, salvage=loaded.salvage).items()
    }
    outcomes = _ingest(requests, num_processes=num_processes)
    if as_json:
        print_json({"dataset": out, "profile": loaded.name, "episodes": [_json(each, out) for each in outcomes]})
    else:
        _print(outcomes)
    for outcome in outcomes:
        if outcome.duplicate_of is not None:
            notices().print(Text(printable(_tell_duplicate(outcome))), soft_wrap=True)
    refused = [outcome.refusal for outcome in outcomes if outcome.refusal is not None]
    for entry in refused:
        remedy = f" {entry.remedy}." if entry.remedy else ""
        kind = "refused" if entry.kind == "refused" else f"refused ({entry.kind})"
        complain(f"{entry.episode} {kind} at stage {entry.stage}: {entry.reason}{remedy}")
    for problem in passed_over:
        complain(f"passed over: {problem}")
    return 1 if refused or passed_over else 0


def _ingest(requests: dict[str, IngestRequest], *, num_processes: int) -> list[IngestOutcome]:
    """Outcomes in the order of the requests, told as they come."""
    outcomes: dict[str, IngestOutcome] = {}
    steps = Steps("episode", num_subjects=len(requests))
    try:
        results = ingest_in_children(
            list(requests.values()), processes=num_processes, begun=steps.begin, progress=steps.report_of
        )
        with steps, closing(results):
            for result in results:
                outcome = refuse_crash(requests[result.episode], result) if isinstance(result, Crash) else result
                outcomes[outcome.episode] = outcome
                steps.end(outcome.episode)
                steps.say(f"{outcome.episode}: {_state(outcome)} in {outcome.num_seconds:.1f} s")
    except KeyboardInterrupt:
        done = f"{counted(len(outcomes), 'episode')} of {len(requests)} done before that stay as they are"
        complain(f"interrupted; {done}. The same command goes on with the others.")
        raise
    return [outcomes[episode] for episode in requests]


def _find(paths: list[Path], passed_over: list[RecordingError], *, salvage: bool) -> dict[str, Path]:
    """Episode → recording, in the order named; two recordings that would become one episode are wrong usage.

    Args:
        paths: Recordings and folders.
        passed_over: Where that goes which could not be looked at.
        salvage: As of `discover`.
    """
    found: dict[str, Path] = {}
    for path in paths:
        if not path.exists():
            raise typer.BadParameter(f"{path}: no such file or folder", param_hint="REC")
        recordings = discover(path, tell=passed_over.append, salvage=salvage) if path.is_dir() else [path]
        if not recordings and not passed_over:
            raise typer.BadParameter(f"{path}: no recordings below this folder", param_hint="REC")
        for recording in recordings:
            name = episode_name(path if path.is_dir() and recording != path else recording.parent, recording)
            other = found.setdefault(name, recording)
            if other.absolute() != recording.absolute():
                raise typer.BadParameter(
                    f"{other} and {recording} would both become episode {name}; name the folder above both instead",
                    param_hint="REC",
                )
    return found


def _print(outcomes: list[IngestOutcome]) -> None:
    shown = table(
        "episode", "frames", "raw", "stored", "ratio", "PSNR", "skew p99", "checks", "state",
        right=("frames", "raw", "stored", "ratio", "PSNR", "skew p99", "checks"),
    )  # fmt: skip
    for outcome in outcomes:
        report = outcome.report
        quality = report.quality
        num_passed = len(report.checks) - len(report.failed_checks)
        shown.add_row(
            printable(outcome.episode),
            f"{report.num_frames:,}" if report.num_frames else "–",
            size_text(report.raw_bytes) if report.raw_bytes else "–",
            size_text(report.stored_bytes) if report.stored_bytes else "–",
            f"{report.raw_bytes / report.stored_bytes:.2f}" if report.stored_bytes else "–",
            number_text(quality.get("jpeg_psnr", float("nan")), "dB"),
            number_text(quality.get("skew", float("nan")), "ms"),
            f"{num_passed}/{len(report.checks)}" if report.checks else "–",
            Text(_state(outcome), style="red" if outcome.refusal else "green"),
        )
    results().print(shown)
    for outcome in outcomes:
        if outcome.refusal is None:
            for text in [*_salvaged(outcome), *_lost(outcome)]:
                results().print(Text(printable(text), style="yellow"), soft_wrap=True)


def _salvaged(outcome: IngestOutcome) -> list[str]:
    """What is missing in the recording of a published episode."""
    report = outcome.report
    if not report.is_salvaged:
        return []
    places = [f"  {loss.sentence}" for loss in report.losses[:_MOST_PLACES]]
    if len(report.losses) > _MOST_PLACES:
        places.append(f"  and {len(report.losses) - _MOST_PLACES} more places")
    num_lost, lost_s = report.num_messages_lost, report.lost_s
    count = "an unknown number of messages is missing" if num_lost is None else f"{num_lost:,} messages are missing"
    time = "" if lost_s is None else f", {lost_s:.3f} s"
    return [f"{outcome.episode} was salvaged: {count}{time}", *places]


def _lost(outcome: IngestOutcome) -> list[str]:
    """What of a published episode's messages gave no value, and why."""
    damaged = (check for check in outcome.report.checks if check.name == "frames_damaged" and not check.is_passed)
    return [
        f"{outcome.episode}, {measurement.subject}: {measurement.note}"
        for check in damaged
        for measurement in check.measurements
        if measurement.subject in check.failed_subjects
    ]


def _state(outcome: IngestOutcome) -> str:
    if outcome.refusal is not None:
        kind = outcome.refusal.kind
        return f"refused ({outcome.refusal.stage})" if kind == "refused" else f"{kind} ({outcome.refusal.stage})"
    if outcome.duplicate_of is not None:
        return f"the same as {printable(outcome.duplicate_of)}"
    warned = outcome.report.failed_checks
    state = "published already" if outcome.is_reused else "published"
    return f"{state}, {counted(len(warned), 'warning')}" if warned else state


def _tell_duplicate(outcome: IngestOutcome) -> str:
    return (
        f"{outcome.report.recording_path} holds the same recording as episode {outcome.duplicate_of}, "
        "which stands for it: nothing was made of it again."
    )


def _json(outcome: IngestOutcome, dataset: Path) -> dict[str, object]:
    report, refusal = outcome.report, outcome.refusal
    is_published = refusal is None and report.version is not None and outcome.duplicate_of is None
    state = "refused" if refusal else "duplicate" if outcome.duplicate_of else "published"
    return {
        "episode": outcome.episode,
        "recording": report.recording_path,
        "state": "reused" if state == "published" and outcome.is_reused else state,
        "duplicate_of": outcome.duplicate_of,
        "version": report.version,
        "path": Dataset(dataset).episode_path(outcome.episode, report.version)
        if is_published and report.version
        else None,
        "num_ticks": report.num_ticks,
        "num_frames": report.num_frames,
        "duration_ns": report.duration_ns,
        "raw_bytes": report.raw_bytes,
        "stored_bytes": report.stored_bytes,
        "is_salvaged": report.is_salvaged,
        "num_messages_lost": report.num_messages_lost,
        "lost_s": report.lost_s,
        "losses": [dataclasses.asdict(loss) for loss in report.losses],
        "num_checks": len(report.checks),
        "failed_checks": report.failed_checks,
        "quality": report.quality,
        "num_seconds": outcome.num_seconds,
        "refusal": refusal
        and {
            "stage": refusal.stage,
            "kind": refusal.kind,
            "reason": refusal.reason,
            "remedy": refusal.remedy,
            "failed_checks": refusal.failed_checks,
        },
    }
