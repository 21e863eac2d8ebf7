"""Recordings with one thing wrong in what their messages say. All are meant for `small_profile`.

Each function writes the healthy recording but for the fault its name tells, and returns the path. `frames` count a
camera's messages from 0.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bagmill.testing.content import CAMERA_RATE_HZ
from bagmill.testing.messages import SampleMessage, image_values
from bagmill.testing.robot import DEFAULT, HIGH, STATE, WRIST, Settings, healthy_messages, write

MIDDLE = range(20, 35)
"""The frames that most faults sit in: half a second in the middle."""

Change = Callable[[int, SampleMessage], SampleMessage | None]


def with_gap(path: Path, *, topic: str = HIGH, frames: range = MIDDLE, settings: Settings = DEFAULT) -> Path:
    """A camera delivers nothing for half a second."""
    return _write(path, {topic: lambda n, message: None if n in frames else message}, settings)


def with_wrong_rate(path: Path, *, topic: str = HIGH, settings: Settings = DEFAULT) -> Path:
    """A camera runs at 20 Hz where the profile expects 30: every third frame is missing."""
    return _write(path, {topic: lambda n, message: None if n % 3 == 2 else message}, settings)


def with_clock_offset(
    path: Path, *, topic: str = WRIST, offset_ms: float = 400.0, settings: Settings = DEFAULT
) -> Path:
    """A camera's header stamps are late by 400 ms: its clock is not the others'."""
    return _write(path, {topic: lambda _, message: _restamped(message, offset_ms)}, settings)


def with_backward_stamps(
    path: Path, *, topic: str = STATE, jump_ms: float = 35.0, settings: Settings = DEFAULT
) -> Path:
    """Header stamps go back once, by more than three periods, and go on from there; log times rise."""
    return _write(path, {topic: lambda n, message: _restamped(message, -jump_ms) if n >= 100 else message}, settings)


def with_black_frames(path: Path, *, topic: str = HIGH, frames: range = MIDDLE, settings: Settings = DEFAULT) -> Path:
    """A camera delivers black frames for half a second."""
    return _flat(path, topic=topic, frames=frames, level=0, settings=settings)


def with_blown_frames(path: Path, *, topic: str = HIGH, frames: range = MIDDLE, settings: Settings = DEFAULT) -> Path:
    """A camera's frames are all white for half a second: overexposed."""
    return _flat(path, topic=topic, frames=frames, level=255, settings=settings)


def with_frozen_frames(path: Path, *, topic: str = HIGH, frames: range = MIDDLE, settings: Settings = DEFAULT) -> Path:
    """A camera repeats one picture for half a second, with new stamps."""
    held: dict[str, Any] = {}

    def change(n: int, message: SampleMessage) -> SampleMessage:
        if n not in frames:
            return message
        return replace(message, values=held.setdefault("values", message.values))

    return _write(path, {topic: change}, settings)


def with_nan_joints(path: Path, *, messages: range = range(100, 120), settings: Settings = DEFAULT) -> Path:
    """One joint reads not-a-number for 0.2 s."""
    return _with_joint(path, value=float("nan"), messages=messages, settings=settings)


def with_joint_out_of_limits(path: Path, *, messages: range = range(100, 120), settings: Settings = DEFAULT) -> Path:
    """One joint reads 3 rad for 0.2 s, twice its limit."""
    return _with_joint(path, value=3.0, messages=messages, settings=settings)


def with_missing_channel(path: Path, *, topic: str = WRIST, settings: Settings = DEFAULT) -> Path:
    """A camera was not recorded."""
    return _write(path, {topic: lambda _, __: None}, settings)


def with_damaged_images(
    path: Path, *, topic: str = WRIST, frames: Iterable[int] = (7, 8, 30, 41), settings: Settings = DEFAULT
) -> Path:
    """Some of a camera's pictures are cut off in the middle of their bytes; their messages are whole."""
    damaged = frozenset(frames)

    def change(n: int, message: SampleMessage) -> SampleMessage:
        if n not in damaged:
            return message
        data = message.values["data"]
        return replace(message, values={**message.values, "data": data[: len(data) // 2]})

    return _write(path, {topic: change}, settings)


def with_low_fidelity(path: Path, *, settings: Settings = DEFAULT) -> Path:
    """A raw camera sees nothing but coloured noise: JPEG with thinned chroma loses most of it, 4:4:4 keeps it."""

    def change(n: int, message: SampleMessage) -> SampleMessage:
        size = (settings.height, settings.width, 3)
        noise = np.random.default_rng(n).integers(0, 256, size, dtype=np.uint8)
        return replace(message, values=image_values(noise, encoding=settings.high_encoding))

    return _write(path, {HIGH: change}, settings)


def with_no_overlap(path: Path, *, settings: Settings = DEFAULT) -> Path:
    """One camera's frames all lie after the end of every other stream: there is no time that all features share."""
    shift_ms = 1e3 * (settings.num_frames / CAMERA_RATE_HZ + 1)
    late = [
        replace(_restamped(message, shift_ms), log_ns=message.log_ns + round(shift_ms * 1e6), publish_ns=None)
        if message.topic == WRIST
        else message
        for message in healthy_messages(settings)
    ]
    return write(path, sorted(late, key=lambda message: message.log_ns), settings=settings)


def _write(path: Path, changes: dict[str, Change], settings: Settings) -> Path:
    return write(path, list(_changed(healthy_messages(settings), changes)), settings=settings)


def _changed(messages: Iterable[SampleMessage], changes: dict[str, Change]) -> Iterator[SampleMessage]:
    counts: dict[str, int] = defaultdict(int)
    for message in messages:
        n = counts[message.topic]
        counts[message.topic] += 1
        change = changes.get(message.topic)
        changed = message if change is None else change(n, message)
        if changed is not None:
            yield changed


def _restamped(message: SampleMessage, offset_ms: float) -> SampleMessage:
    return replace(message, header_ns=(message.header_ns or 0) + round(offset_ms * 1e6))


def _flat(path: Path, *, topic: str, frames: range, level: int, settings: Settings) -> Path:
    encoding = settings.wrist_encoding if topic == WRIST else settings.high_encoding
    frame = np.full((settings.height, settings.width, 3), level, dtype=np.uint8)
    values = image_values(frame, encoding=encoding)

    def change(n: int, message: SampleMessage) -> SampleMessage:
        return replace(message, values=values) if n in frames else message

    return _write(path, {topic: change}, settings)


def _with_joint(path: Path, *, value: float, messages: range, settings: Settings) -> Path:
    def change(n: int, message: SampleMessage) -> SampleMessage:
        if n not in messages:
            return message
        position = np.array(message.values["position"])
        position[1] = value
        return replace(message, values={**message.values, "position": position})

    return _write(path, {STATE: change}, settings)
