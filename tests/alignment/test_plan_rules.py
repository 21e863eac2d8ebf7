"""That a plan refuses rules that do not exist or do not fit, before anything is aligned."""

from typing import Any

import numpy as np
import pytest

from bagmill.errors import PlanError
from bagmill.messages.content import ChannelContent
from bagmill.plan import resolve
from bagmill.profile import parse_profile
from bagmill.recordings.records import Channel
from bagmill.streams.index import RecordingIndex, Stream

STAMPS = np.arange(1, 50, dtype=np.int64) * 10_000_000


def index() -> RecordingIndex:
    contents = {
        "/imu": ChannelContent.of_numbers({"orientation": [0.0] * 4, "rate": [0.0] * 3}),
        "/wrist": ChannelContent("image", encoding="rgb8", height=16, width=16),
    }
    streams = tuple(
        Stream(Channel(n, topic, "some/msg/Type", "ros2msg", b"", "cdr"), content, STAMPS, STAMPS, STAMPS, STAMPS)
        for n, (topic, content) in enumerate(contents.items())
    )
    return RecordingIndex("imu.mcap", "mcap", "xxh3_128:0", 1, streams, ())


def plan_with(**features: Any) -> Any:
    return resolve(parse_profile({"name": "imu", "rate_hz": 30, "features": features}), index())


def test_slerp_takes_quaternions() -> None:
    plan = plan_with(orientation={"channel": "/imu", "field": "orientation", "rule": "slerp"})
    assert plan.features[0].rule == "slerp"


def test_every_mistake_about_rules_is_told_at_once() -> None:
    with pytest.raises(PlanError) as caught:
        plan_with(
            rate={"channel": "/imu", "field": "rate", "rule": "slerp"},
            orientation={"channel": "/imu", "field": "orientation", "rule": "cubic"},
            gone={"channel": "/gone", "field": "data", "rule": "spline", "required": False},
        )
    assert caught.value.problems == (
        "feature rate: rule `slerp` takes numbers by 4, found 3",
        "feature orientation: no alignment rule is called `cubic`; known: nearest, latest, linear, slerp, angle",
        "feature gone: no alignment rule is called `spline`; known: nearest, latest, linear, slerp, angle",
    )
