"""A small robot's evidence, built from the dataclasses alone: what every metric's test bends in one place."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bagmill.alignment import Timeline
from bagmill.ingest.timeline import make_timeline
from bagmill.messages.content import ChannelContent
from bagmill.plan import IngestPlan, resolve
from bagmill.profile import Profile, parse_profile
from bagmill.quality import EpisodeEvidence, FrameSample, RecordingEvidence, TimelineEvidence
from bagmill.recordings.losses import Losses
from bagmill.recordings.records import Channel, Fault
from bagmill.streams.index import NO_STAMP, RecordingIndex, Stream

START_NS = 1_700_000_000_000_000_000
MS = 1_000_000

PROFILE: dict[str, Any] = {
    "name": "arm",
    "rate_hz": 20,
    "clock": "header",
    "features": {
        "images/wrist": {"channel": "/wrist", "expected_rate_hz": 20},
        "depth/wrist": {"channel": "/depth"},
        "state": {"channel": "/joints", "field": "position", "expected_rate_hz": 100, "limits": [[-2, 2], [0, 1]]},
        "action": {"channel": "/commands", "field": "data", "rule": "latest", "required": False},
    },
}
CONTENT = {
    "/wrist": ChannelContent("image", encoding="rgb8", height=16, width=24),
    "/depth": ChannelContent("depth", encoding="16UC1", height=16, width=24),
    "/joints": ChannelContent.of_numbers({"position": [0.0] * 2}),
    "/commands": ChannelContent.of_numbers({"data": 0.0}),
    "/map": ChannelContent("none"),
}


def every(step_ms: int, *, last_ms: int = 2000) -> NDArray[np.int64]:
    """Stamps from the start on, ns."""
    return START_NS + MS * np.arange(0, last_ms + 1, step_ms, dtype=np.int64)


@dataclass
class Robot:
    """Header stamps by topic, and what is changed of a recording in which nothing is wrong."""

    header_ns: dict[str, NDArray[np.int64]] = field(
        default_factory=lambda: {"/wrist": every(50), "/depth": every(50), "/joints": every(10), "/commands": every(10)}
    )
    log_ns: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    """Where not said: 8 ms after the header stamp."""
    forms: dict[str, tuple[tuple[ChannelContent, ...], NDArray[np.int32]]] = field(default_factory=dict)
    """Contents and the form of every message, of topics that publishers share."""
    faults: tuple[Fault, ...] = ()
    losses: Losses = field(default_factory=Losses)
    profile_content: dict[str, Any] = field(default_factory=lambda: {**PROFILE, "features": {**PROFILE["features"]}})

    @property
    def profile(self) -> Profile:
        return parse_profile(self.profile_content)

    @property
    def index(self) -> RecordingIndex:
        return RecordingIndex(
            path="arm.mcap",
            container="mcap",
            content_hash="xxh3_128:" + "0" * 32,
            size_bytes=1,
            streams=tuple(self._stream(n, topic) for n, topic in enumerate(self.header_ns)),
            faults=self.faults,
            losses=self.losses,
        )

    @property
    def plan(self) -> IngestPlan:
        return resolve(self.profile, self.index)

    @property
    def timeline(self) -> Timeline:
        return make_timeline(self.plan)

    def recording_evidence(self) -> RecordingEvidence:
        return RecordingEvidence(self.profile, self.index)

    def timeline_evidence(self) -> TimelineEvidence:
        return TimelineEvidence(self.plan, self.timeline)

    def episode_evidence(self, **changes: Any) -> EpisodeEvidence:
        """Of an episode in which nothing is wrong, but for `changes`."""
        timeline = self.timeline
        num_ticks = timeline.num_ticks
        samples = {
            "images/wrist": [FrameSample(tick, picture(tick), picture(tick)) for tick in range(0, 40, 10)],
            "depth/wrist": [FrameSample(tick, depth(tick), depth(tick)) for tick in range(0, 40, 10)],
        }
        counts = dict.fromkeys(samples, num_ticks)
        evidence = EpisodeEvidence(
            plan=self.plan,
            timeline=timeline,
            signals={"state": np.full((num_ticks, 2), 0.5, np.float32), "action": np.ones((num_ticks, 1), np.float32)},
            samples=samples,
            num_frames_stored=counts,
            decode_faults=dict.fromkeys([*samples, "state", "action"], ()),
            num_unmeasured={"state": 0, "action": 0},
            jpeg_warnings={"images/wrist": []},
            num_frames_encoded=counts,
            num_frames_repeated=dict.fromkeys(samples, 0),
        )
        return replace(evidence, **changes)

    def _stream(self, n: int, topic: str) -> Stream:
        header = self.header_ns[topic]
        log = self.log_ns.get(topic, np.where(header == NO_STAMP, START_NS, header + 8 * MS))
        channel = Channel(n, topic, "some/msg/Type", "ros2msg", b"", "cdr")
        sizes = np.ones(len(header), dtype=np.int64)
        contents, form = self.forms.get(topic, ((CONTENT[topic],), np.zeros(len(header), np.int32)))
        return Stream(channel, contents[0], log, log, header, sizes, contents, form)

    def share_joints(self, *, behind_ms: int) -> None:
        """A gripper joins the arm on its channel, message by message in turn, each stamped earlier than the arm's before."""
        arm = ChannelContent.of_numbers({"name": ["a", "b"], "position": [0.0, 0.0]})
        gripper = ChannelContent.of_numbers({"name": ["g"], "position": [0.0]})
        stamps = self.header_ns["/joints"]
        self.header_ns["/joints"] = np.stack([stamps, stamps - behind_ms * MS], axis=1).ravel()
        self.log_ns["/joints"] = np.repeat(stamps, 2) + 8 * MS
        self.forms["/joints"] = ((arm, gripper), np.tile(np.array([0, 1], np.int32), len(stamps)))
        self.profile_content["features"]["state"] = [
            {"channel": "/joints", "field": "position", "names": ["a", "b"], "name": "arm", "expected_rate_hz": 100},
            {"channel": "/joints", "field": "position", "names": ["g"], "name": "gripper", "expected_rate_hz": 100},
        ]


def picture(n: int) -> NDArray[np.uint8]:
    """uint8 (16, 24, 3), different for every n, neither dark nor white."""
    return np.random.default_rng(n).integers(60, 180, (16, 24, 3), dtype=np.uint8)


def depth(n: int) -> NDArray[np.uint16]:
    """uint16 (16, 24)."""
    return np.random.default_rng(n).integers(0, 65536, (16, 24), dtype=np.uint16)


@pytest.fixture
def robot() -> Robot:
    return Robot()


@pytest.fixture
def make_picture() -> Callable[[int], NDArray[np.uint8]]:
    return picture
