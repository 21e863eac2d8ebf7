"""`bagmill scan`: what recordings hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from bagmill.cli.definitions import DefinitionsOption
from bagmill.cli.progress import Steps
from bagmill.cli.scan_facts import ChannelFacts, advice, channel_facts, recording_facts
from bagmill.cli.screen import complain, print_json, results, table
from bagmill.cli.wording import counted, duration_text, first_faults, printable, rate_text, size_text, stamp_text
from bagmill.definitions import GivenDefinitions, read_definitions
from bagmill.errors import BagmillError
from bagmill.streams import RecordingIndex
from bagmill.streams import scan as scan_recording
from bagmill.workers import run_guarded

_CONTAINERS = {"mcap": "MCAP file", "rosbag1": "ROS 1 bag", "rosbag2": "rosbag2 recording"}
_MOST_FIELDS = 4
_TOPIC_WIDTH = 24
"""Topics up to this length are never folded."""
_NARROW = 120
"""A terminal of fewer columns is shown less, so that topics stay on one line."""

EPILOG = """[bold]Examples[/bold]

bagmill scan trial_7.mcap  [dim]what is in it[/dim]

bagmill scan a.mcap b.bag rosbag2_folder/ --json  [dim]for a program[/dim]

bagmill scan rosbag2_folder/ --definitions ros2_ws/src  [dim]with the .msg files of own messages[/dim]
"""


def scan(
    recordings: Annotated[
        list[Path], typer.Argument(metavar="REC", help="MCAP files, ROS 1 bags, rosbag2 folders or their databases.")
    ],
    *,
    definitions: DefinitionsOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Tell what recordings hold: channels, rates, clocks, damage, and what to mind before training on them.

    Exit code 1 where one cannot be read or has lost data; the others are told all the same.
    """
    documents: list[dict[str, object]] = []
    is_all_sound = True
    given = None if definitions is None else read_definitions(definitions)
    steps = Steps("recording", num_subjects=len(recordings))
    for path in recordings:
        try:
            with steps.subject(path.name or str(path)):
                index = run_guarded(_scan, path, given, what=path, progress=steps.report)
        except BagmillError as err:
            is_all_sound = False
            documents.append({"path": path, "error": str(err)})
            complain(str(err))
            continue
        is_all_sound &= all(fault.severity != "error" for fault in index.faults)
        if as_json:
            documents.append(recording_facts(index))
        else:
            _print(index)
    if as_json:
        print_json({"recordings": documents})
    return 0 if is_all_sound else 1


def _scan(
    path: Path, definitions: GivenDefinitions | None, *, progress: Callable[[str, int, int], None]
) -> RecordingIndex:
    return scan_recording(path, definitions=definitions, progress=lambda done, total: progress("scan", done, total))


def _print(index: RecordingIndex) -> None:
    console = results()
    facts = recording_facts(index)
    channels = [channel_facts(stream) for stream in index.streams]
    size, container = size_text(index.size_bytes), _CONTAINERS.get(index.container, index.container)
    console.print(Text(printable(index.path), style="bold"), soft_wrap=True)
    held = f"{counted(index.num_messages_from_scan, 'message')} on {counted(len(channels), 'channel')}"
    console.print(f"{container}, {size}, {held}", soft_wrap=True)
    start_ns, duration_ns = facts["start_ns"], facts["duration_ns"]
    if isinstance(start_ns, int) and isinstance(duration_ns, int):
        console.print(f"logged from {stamp_text(start_ns)} on, for {duration_text(duration_ns)}", soft_wrap=True)
    if channels:
        console.print(_channel_table(channels, is_narrow=console.width < _NARROW))
    for text in first_faults([(f"{fault.severity}: {fault.message}", fault.num) for fault in index.faults]):
        console.print(Text(printable(text), style="red" if text.startswith("error") else "yellow"), soft_wrap=True)
    for sentence in advice(index):
        console.print(Text(f"→ {printable(sentence)}"), soft_wrap=True)
    console.print()


def _channel_table(channels: Sequence[ChannelFacts], *, is_narrow: bool) -> Table:
    columns = ["channel", "type", "messages", "rate", "size", "holds", "stamps", "log − header"]
    if is_narrow:
        columns.remove("type")
        columns.remove("size")
    shown = table(*columns, right=("messages", "rate", "size", "log − header"))
    shown.columns[0].min_width = min(_TOPIC_WIDTH, max(len(printable(channel.topic)) for channel in channels))
    for channel in channels:
        cells = {
            "channel": printable(channel.topic),
            "type": printable(channel.type),
            "messages": f"{channel.num_messages:,}",
            "rate": rate_text(channel.rate_hz),
            "size": size_text(channel.size_bytes),
            "holds": printable(channel.holds(most_fields=_MOST_FIELDS)),
            "stamps": channel.stamps,
            "log − header": "–" if channel.offset_ns is None else duration_text(channel.offset_ns),
        }
        shown.add_row(*(cells[column] for column in columns))
    return shown
