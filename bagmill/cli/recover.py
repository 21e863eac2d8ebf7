"""`bagmill recover`: a recording of any container as a clean MCAP file."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from bagmill.cli.definitions import DefinitionsOption
from bagmill.cli.progress import Steps
from bagmill.cli.screen import print_json, results, table
from bagmill.cli.wording import counted, printable, size_text
from bagmill.cores import usable_cores
from bagmill.definitions import GivenDefinitions, read_definitions
from bagmill.recovery import Recovered
from bagmill.recovery import recover as recover_one
from bagmill.workers import run_guarded

_MOST_PLACES = 20

EPILOG = """[bold]Examples[/bold]

bagmill recover cut.mcap --out whole.mcap  [dim]what is whole in a file that was cut off[/dim]

bagmill recover run.bag.active --out run.mcap  [dim]a ROS 1 bag whose recorder was killed[/dim]

bagmill recover rosbag2_folder/ --out run.mcap --definitions ros2_ws/src  [dim]with the .msg files of own messages[/dim]
"""


def recover(
    recording: Annotated[
        Path, typer.Argument(metavar="REC", help="An MCAP file, a ROS 1 bag, a rosbag2 folder or one of its databases.")
    ],
    *,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The MCAP file to write.")],
    definitions: DefinitionsOption = None,
    is_forced: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Write what can be read of a recording, damaged or not, as a clean MCAP file, and tell what is missing.

    Messages keep their order, times and bytes; bags and databases get the schemas and names of MCAP's conventions. The recording
    itself is never changed, and the file is there whole or not at all.
    """
    given = None if definitions is None else read_definitions(definitions)
    steps = Steps("recording", num_subjects=1)
    with steps.subject(recording.name or str(recording)):
        recovered = run_guarded(_recover, recording, out, given, is_forced, what=recording, progress=steps.report)
    if as_json:
        print_json(_json(recording, recovered))
    else:
        _print(recovered)
    return 0


def _recover(
    recording: Path,
    out: Path,
    definitions: GivenDefinitions | None,
    is_replacing: bool,
    *,
    progress: Callable[[str, int, int], None],
) -> Recovered:
    return recover_one(
        recording,
        out,
        definitions=definitions,
        is_replacing=is_replacing,
        num_threads=usable_cores(),
        progress=lambda done, total: progress("recover", done, total),
    )


def _print(recovered: Recovered) -> None:
    losses = recovered.losses
    lost: dict[str, int] = {}
    for loss in losses.entries:
        if loss.channel is not None and loss.num_messages is not None:
            lost[loss.channel] = lost.get(loss.channel, 0) + loss.num_messages
    is_known = losses.num_messages is not None
    shown = table("channel", "messages", "missing", right=("messages", "missing"))
    for topic in dict.fromkeys([*recovered.counts, *lost]):
        missing = f"{lost.get(topic, 0):,}" if is_known else f"{lost[topic]:,} or more" if topic in lost else "unknown"
        shown.add_row(printable(topic), f"{recovered.counts.get(topic, 0):,}", missing)
    results().print(shown)
    written = f"{counted(recovered.num_messages, 'message')} in {size_text(recovered.size_bytes)}"
    results().print(Text(printable(f"{recovered.path}: {written}")), soft_wrap=True)
    for fault in recovered.faults:
        results().print(Text(f"{fault.severity}: {printable(fault.message)}", style="yellow"), soft_wrap=True)
    for loss in losses.entries[:_MOST_PLACES]:
        results().print(Text(f"missing: {printable(loss.sentence)}", style="yellow"), soft_wrap=True)
    if len(losses.entries) > _MOST_PLACES:
        results().print(f"and {len(losses.entries) - _MOST_PLACES} more places")


def _json(recording: Path, recovered: Recovered) -> dict[str, object]:
    losses = recovered.losses
    return {
        "recording": recording,
        "path": recovered.path,
        "size_bytes": recovered.size_bytes,
        "num_messages": recovered.num_messages,
        "channels": recovered.counts,
        "num_messages_lost": losses.num_messages,
        "lost_s": losses.seconds,
        "losses": [dataclasses.asdict(loss) for loss in losses.entries],
        "faults": [dataclasses.asdict(fault) for fault in recovered.faults],
    }
