"""`bagmill profile`: a profile to start from."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError
from rich.text import Text

from bagmill.cli.definitions import DefinitionsOption
from bagmill.cli.progress import Steps
from bagmill.cli.screen import notices
from bagmill.cli.wording import counted, printable
from bagmill.definitions import GivenDefinitions, read_definitions
from bagmill.drafts import ProfileDraft, draft_profile, look_again, profile_yaml
from bagmill.errors import StorageError
from bagmill.profile_numbers import Rate
from bagmill.streams import scan
from bagmill.workers import run_guarded
from bagmill.yaml_files import tell_first

_RATE: TypeAdapter[Fraction] = TypeAdapter(Rate)

EPILOG = """[bold]Examples[/bold]

bagmill profile trial_7.mcap  [dim]print it[/dim]

bagmill profile trial_7.mcap --out robot.yaml  [dim]keep it[/dim]

bagmill profile trial_7.mcap --rate 30000/1001  [dim]at another rate[/dim]

bagmill profile rosbag2_folder/ --definitions ros2_ws/src --out robot.yaml  [dim]with the .msg files of own messages[/dim]
"""


def profile(
    recording: Annotated[Path, typer.Argument(metavar="REC", help="A recording of the robot.")],
    *,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The file to write; standard output where it is left out.")
    ] = None,
    rate: Annotated[
        str | None,
        typer.Option("--rate", metavar="HZ", help="Ticks a second, e.g. 30 or 30000/1001; else the main camera's."),
    ] = None,
    definitions: DefinitionsOption = None,
    is_forced: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Write a profile that fits a recording, to start from: features, clock, rates and tolerances, with the reasons.

    The recording is read twice: once for what it holds, once for a sample of its values, which decide how numbers are laid
    on the timeline. What a policy is usually trained on becomes features; what else could be is there as comments; what could
    not is listed with the reason. A → tells what nobody should train without knowing.
    """
    rate_hz = None if rate is None else _rate(rate)
    if out is not None and out.is_file() and not is_forced:
        # A profile is edited by hand once it is drafted.
        raise StorageError("is there already. Name another file, or write over it with --force", path=out)
    given = None if definitions is None else read_definitions(definitions)
    steps = Steps("recording", num_subjects=1)
    with steps.subject(recording.name or str(recording)):
        draft = run_guarded(_draft, recording, given, rate_hz, what=recording, progress=steps.report)
    text = profile_yaml(draft, definitions=None if definitions is None else _from_profile(definitions, out))
    for warning in draft.warnings:
        notices().print(Text(f"→ {printable(warning)}"), soft_wrap=True)
    if out is None:
        sys.stdout.write(text)
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    except OSError as err:
        raise StorageError(f"cannot be written ({err.strerror})", path=out) from err
    notices().print(Text(_summary(draft, out)), soft_wrap=True)


def _draft(
    recording: Path,
    definitions: GivenDefinitions | None,
    rate_hz: Fraction | None,
    *,
    progress: Callable[[str, int, int], None],
) -> ProfileDraft:
    index = scan(recording, definitions=definitions, progress=lambda done, total: progress("scan", done, total))
    values = look_again(index, progress=lambda done, total: progress("values", done, total))
    return draft_profile(index, rate_hz=rate_hz, values=values)


def _from_profile(definitions: Path, out: Path | None) -> str:
    """The path of a folder as a profile names it: from its own file, which may be moved together with the folder."""
    folder = definitions.absolute()
    return str(folder) if out is None else os.path.relpath(folder, out.absolute().parent)


def _rate(text: str) -> Fraction:
    """As a profile takes it, and refused in the same words."""
    try:
        return _RATE.validate_python(text)
    except ValidationError as err:
        raise typer.BadParameter(tell_first(err), param_hint="--rate") from None


def _summary(draft: ProfileDraft, out: Path) -> str:
    active = [feature.name for feature in draft.features if feature.is_active]
    num_suggested = len(draft.features) - len(active)
    suggested = f", {num_suggested} more as comments" if num_suggested else ""
    features = f"{counted(len(active), 'feature')} ({', '.join(active)}){suggested}"
    return printable(f"{out}: {features}, clock {draft.clock.clock}, {draft.rate_hz} Hz")
