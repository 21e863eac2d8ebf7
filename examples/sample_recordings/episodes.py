"""The five recordings: three good ones, one with a camera that stalls, one that was cut off."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bagmill.testing import SampleMessage, write_mcap, write_rosbag1
from examples.sample_recordings.robot import HIGH, WRIST, Event, ImageEncoding, Robot

RECIPE_VERSION = 1
"""Goes up with every change of the code that changes a recording's bytes: what older code made is made anew."""
MANIFEST = "samples.json"

_FIRST_START_NS = 1_790_000_000_000_000_000
_HOUR_NS = 3_600_000_000_000
_CHUNK_SIZE_BYTES = 4 * 1024 * 1024
_MAX_STALL_S = 1.2
_SHARE_LEFT = 0.55
_LOOKAHEAD = 24
"""Messages being made while one is written: enough for every core, little enough for any memory."""

Progress = Callable[[int, int], None]
"""Called with the number of messages written and their total."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One recording to be made."""

    name: str
    about: str
    """What is in it, for the table that is shown."""
    encodings: dict[str, ImageEncoding]
    share: float = 1.0
    """Of the seconds asked for: raw ones are large and therefore shorter."""
    stalls: bool = False
    """The wrist camera delivers nothing for 1.2 s in the middle (a third of the recording, where that is less)."""
    is_cut: bool = False
    """The file ends after 55 % of its bytes."""


SAMPLES = (
    Sample("aloha_raw.mcap", "raw RGB, zstd chunks", {HIGH: "rgb8", WRIST: "rgb8"}, share=2 / 3),
    Sample("aloha_jpeg.mcap", "JPEG from the cameras", {HIGH: "jpeg", WRIST: "jpeg"}),
    Sample("aloha_raw.bag", "ROS 1, raw RGB and BGR", {HIGH: "rgb8", WRIST: "bgr8"}, share=2 / 3),
    Sample("aloha_stalled.mcap", "the wrist camera stalls", {HIGH: "jpeg", WRIST: "jpeg"}, stalls=True),
    Sample("aloha_truncated.mcap", "cut off: the power failed", {HIGH: "jpeg", WRIST: "jpeg"}, is_cut=True),
)


def is_made(sample: Sample, folder: Path, *, seconds: float, seed: int) -> bool:
    """Whether the folder has the sample, whole and made with these parameters."""
    path = folder / sample.name
    entry = _read_manifest(folder).get(sample.name)
    return path.is_file() and entry == _entry(path, seconds=seconds, seed=seed)


def make(sample: Sample, folder: Path, *, seconds: float, seed: int, progress: Progress | None = None) -> Path:
    """Make a sample.

    Args:
        sample: Which.
        folder: Where to; must exist. What is there of that name is replaced, once the new one is whole.
        seconds: Length of the long samples.
        seed: Same seed, same bytes; every sample shows another scene.
        progress: Told after every message.
    """
    position = SAMPLES.index(sample)
    robot = Robot(
        1000 * seed + position,
        seconds=seconds * sample.share,
        start_ns=_FIRST_START_NS + position * _HOUR_NS,
        encodings=sample.encodings,
    )
    events = robot.events
    if sample.stalls:
        events = list(_stalled(events, _MAX_STALL_S if seconds > 3 * _MAX_STALL_S else seconds / 3))
    path, unfinished = folder / sample.name, folder / f".{sample.name}.part"
    messages = _counted(_made(robot, events), len(events), progress)
    try:
        if path.suffix == ".bag":
            write_rosbag1(unfinished, messages, compression="lz4")
        else:
            write_mcap(unfinished, messages, chunk_size_bytes=_CHUNK_SIZE_BYTES)
        if sample.is_cut:
            os.truncate(unfinished, round(unfinished.stat().st_size * _SHARE_LEFT))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    entries = _read_manifest(folder) | {sample.name: _entry(path, seconds=seconds, seed=seed)}
    (folder / MANIFEST).write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
    return path


def _made(robot: Robot, events: Iterable[Event]) -> Iterator[SampleMessage]:
    """Messages in their events' order, a few being made ahead on all cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        ahead: deque[Future[SampleMessage]] = deque()
        for event in events:
            ahead.append(pool.submit(robot.message, event))
            if len(ahead) > _LOOKAHEAD:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _counted(messages: Iterator[SampleMessage], total: int, progress: Progress | None) -> Iterator[SampleMessage]:
    for number, message in enumerate(messages, start=1):
        yield message
        if progress is not None:
            progress(number, total)


def _stalled(events: list[Event], stall_s: float) -> Iterator[Event]:
    """Events without the wrist camera's in the middle."""
    middle_ns = (events[0].header_ns + events[-1].header_ns) // 2
    for event in events:
        if event.topic != WRIST or abs(event.header_ns - middle_ns) > stall_s * 1e9 / 2:
            yield event


def _entry(path: Path, *, seconds: float, seed: int) -> dict[str, Any]:
    return {"recipe_version": RECIPE_VERSION, "seconds": seconds, "seed": seed, "size_bytes": path.stat().st_size}


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        entries = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # none yet, or not ours to trust: everything is made anew
    return entries if isinstance(entries, dict) else {}
