"""The recordings that histories are about, the profiles, and what each of them becomes where nothing goes wrong.

All of it is made once a Python process: recordings are a few kilobytes, and what a recording and a profile become is found out
by an ingest on the real disk.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final
from unittest import mock

import numpy as np

from bagmill.dataset import Dataset, apply_prune, curate, load_snapshot, make_snapshot, plan_prune
from bagmill.episodes import verify_episode
from bagmill.ingest import IngestRequest, ingest, line, pictures
from bagmill.profile import Profile, parse_profile
from bagmill.testing.containers import write_mcap
from bagmill.testing.messages import SampleMessage, image_values

EPISODES: Final = ("run0.mcap", "run1.mcap", "run2.mcap")
CONTENTS: Final = ("first", "second", "nan", "torn")
"""What a recording may hold: two that are sound, one that fails a check, one that cannot be read."""
PROFILES: Final = ("quick", "slow", "eyes")
START_NS: Final = 1_700_000_000_000_000_000
_PERIOD_NS: Final = 50_000_000
_NUM_MESSAGES: Final = 12


@dataclass(frozen=True, slots=True)
class Wish:
    """An episode as it is asked for: from which contents of its recording, by which profile."""

    episode: str
    content: str
    profile: str


@dataclass(frozen=True, slots=True)
class Made:
    """What a wish becomes where nothing goes wrong."""

    version: str | None
    """None where no version can be named."""
    is_refused: bool
    files: dict[str, bytes]
    """Of the episode, by path below its folder; none where none is published."""
    row: dict[str, Any]
    """Of a snapshot; empty where it is refused."""


_NUMBER: Final = 900
"""Of the descriptor by which every Python process reaches its own folder: below those that the simulated disk gives out."""


def folder() -> Path:
    """Where everything of this Python process lies: in memory, where there is a file system in memory.

    Its path is the same in every process. Paths stand in reports and tables: under another, a compressed file may be longer, and
    the history of a seed another.
    """
    return _folder(os.getpid())


@cache
def _folder(_: int) -> Path:
    memory = Path("/dev/shm")  # noqa: S108 - a folder of its own is made there
    place = tempfile.mkdtemp(prefix="bagmill-simulation-", dir=memory if os.access(memory, os.W_OK) else None)
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    os.dup2(descriptor, _NUMBER, inheritable=False)
    os.close(descriptor)
    return Path(f"/proc/self/fd/{_NUMBER}")


@cache
def recording(episode: str, content: str) -> bytes:
    """A recording's bytes."""
    path = folder() / episode
    data = write_mcap(path, _messages(content), compression="none").read_bytes()
    path.unlink()
    return data[: len(data) // 3] if content == "torn" else data


def _messages(content: str) -> list[SampleMessage]:
    messages = []
    for n in range(_NUM_MESSAGES):
        stamp_ns = START_NS + n * _PERIOD_NS
        sign = 1.0 if content == "first" else -1.0
        values = np.array([sign * n, float("nan") if content == "nan" and n > 2 else 0.5])
        joints = {"name": ["a", "b"], "position": values, "velocity": np.zeros(0), "effort": np.zeros(0)}
        picture = np.random.default_rng(n).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        for topic, schema, said in (
            ("/js", "sensor_msgs/msg/JointState", joints),
            ("/eye", "sensor_msgs/msg/Image", image_values(picture, encoding="rgb8")),
        ):
            messages.append(SampleMessage(topic, schema, log_ns=stamp_ns, header_ns=stamp_ns, values=said))
    return messages


@cache
def profile(name: str) -> Profile:
    """A profile."""
    features: dict[str, Any] = {"state": {"channel": "/js", "field": "position"}}
    if name == "eyes":
        features["images/eye"] = {"channel": "/eye"}
    return parse_profile(
        {"name": name, "rate_hz": 10 if name == "slow" else 20, "preview": {"enabled": False}, "features": features}
    )


@cache
def made(wish: Wish) -> Made:
    """What becomes of a wish."""
    place = folder() / "reference"
    path = put_recording(place / "recordings", wish.episode, wish.content)
    dataset = Dataset(place / "dataset")
    try:
        with drawings_kept():
            outcome = ingest(request(wish, path, dataset.path))
        version = outcome.report.version
        files: dict[str, bytes] = {}
        row: dict[str, Any] = {}
        if version is not None and version in dataset.published(wish.episode):
            below = dataset.episode_path(wish.episode, version)
            files = {p.relative_to(below).as_posix(): p.read_bytes() for p in sorted(below.rglob("*")) if p.is_file()}
        if outcome.refusal is None:
            make_snapshot(dataset)
            row = load_snapshot(dataset).iloc[0].to_dict()
        return Made(version, outcome.refusal is not None, files, row)
    finally:
        shutil.rmtree(place)


@cache
def warm_up() -> None:
    """Do once, on the real disk, what loads modules and fills caches: in a simulation it would be other calls the first time."""
    place = folder() / "warm"
    wish = Wish(EPISODES[0], "first", "eyes")
    path = put_recording(place / "recordings", wish.episode, wish.content)
    dataset = Dataset(place / "dataset")
    try:
        with drawings_kept():
            ingest(request(wish, path, dataset.path))
        make_snapshot(dataset, name="a")
        curate(dataset, where="num_ticks > 6", splits={"train": 0.5, "val": 0.5}, name="b")
        apply_prune(dataset, plan_prune(dataset, keep_snapshots=0))
        verify_episode(dataset.path / load_snapshot(dataset)["path"][0])
    finally:
        shutil.rmtree(place)


def put_recording(place: Path, episode: str, content: str, *, mtime_ns: int = START_NS) -> Path:
    """Write a recording, in place of an earlier one."""
    place.mkdir(parents=True, exist_ok=True)
    path = place / episode
    path.write_bytes(recording(episode, content))
    os.utime(path, ns=(mtime_ns, mtime_ns))
    return path


def request(wish: Wish, path: Path, dataset: Path, *, is_forced: bool = False) -> IngestRequest:
    """A wish as bagmill takes it."""
    return IngestRequest(wish.episode, path, dataset, profile(wish.profile), num_threads=1, is_forced=is_forced)


_drawn: dict[tuple[str, object], Any] = {}


def drawings_kept() -> ExitStack:
    """Until the block ends, a picture that was drawn before of the same data is not drawn again.

    Drawing takes ten times as long as all the rest of an ingest. What is written, and how, stays the same.
    """

    def kept(name: str, function: Callable[..., Any], key_of: Callable[..., object]) -> Callable[..., Any]:
        def draw(*args: Any, **kwargs: Any) -> Any:
            key = (name, key_of(*args, **kwargs))
            if key not in _drawn:
                _drawn[key] = function(*args, **kwargs)
            return _drawn[key]

        return draw

    block = ExitStack()
    block.enter_context(
        mock.patch.multiple(
            line,
            draw_rates=kept("rates", line.draw_rates, lambda index, profile: (index.content_hash, profile.name)),
            skew_plot=kept("skew", line.skew_plot, _key_of_timeline),
        )
    )
    sheets = kept("sheets", pictures.make_contact_sheets, lambda episode, ranges: episode.path.parts[-2:])
    block.enter_context(mock.patch.object(pictures, "make_contact_sheets", sheets))
    return block


def _key_of_timeline(timeline: Any) -> object:
    arrays = [timeline.time_ns, *(timeline.skew_ns(name) for name in sorted(timeline.features))]
    return tuple(each.tobytes() for each in arrays), tuple(sorted(timeline.features))
