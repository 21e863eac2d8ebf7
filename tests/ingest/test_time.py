"""Clocks that are set, stamps that stand still, and time that is lost: what is published is true, or nothing is."""

from typing import Any

import numpy as np
import pytest

from bagmill.testing.messages import SampleMessage, image_values

from .conftest import START_NS

MS = 1_000_000
FEATURES: dict[str, Any] = {"images/cam": {"channel": "/cam"}, "state": {"channel": "/js", "field": "position"}}
LENIENT = {
    "clock_steps": {"severity": "warn"},
    "tick_coverage": {"threshold": 70},
    "episode_coverage": {"threshold": 70},
}


def robot(*, seconds: float = 4, offset_ms: Any = lambda _: 0, log_offset_ms: Any = lambda _: 0) -> list[SampleMessage]:
    """Joints at 100 Hz, whose value is the true time in seconds, and a camera at 30 Hz, with clocks off by functions of it."""
    random = np.random.default_rng(0)
    times = [(n * 10 * MS, "/js") for n in range(round(seconds * 100))]
    times += [(n * 100 * MS // 3 + 4 * MS, "/cam") for n in range(round(seconds * 30))]
    messages = []
    for true_ns, topic in sorted(times):
        true_s = true_ns / 1e9
        schema, values = (
            ("sensor_msgs/msg/JointState", {"name": ["a"], "position": [true_s]})
            if topic == "/js"
            else (
                "sensor_msgs/msg/Image",
                image_values(random.integers(60, 180, (16, 16, 3), dtype=np.uint8), encoding="rgb8"),
            )
        )
        header, log = (START_NS + true_ns + round(offset(true_s) * MS) for offset in (offset_ms, log_offset_ms))
        messages.append(SampleMessage(topic, schema, values, log, header_ns=header))
    return messages


def true_times(group: Any) -> tuple[Any, Any]:
    """True times (T,) of the joints' values and of the camera's frames; nan where not valid."""
    joints = np.where(group["valid/state"][:], group["state"][:, 0], np.nan)
    frames = group["sequence/images/cam"][:] / 30 + 0.004
    return joints, np.where(group["valid/images/cam"][:], frames, np.nan)


@pytest.mark.parametrize("step_ms", [-30, -137, -503, -900])
def test_a_clock_set_back_gives_no_value_of_two_moments(make_episode, step_ms):
    messages = robot(offset_ms=lambda true_s: step_ms if true_s >= 2 else 0)
    made = make_episode(messages, FEATURES, rate_hz=30, checks=LENIENT)
    group = made.group
    joints, frames = true_times(group)
    ticks = (group["time"][:] - START_NS) / 1e9
    behind = -step_ms / 1000
    off = np.minimum(np.abs(joints - ticks), np.abs(joints - (ticks + behind)))
    assert np.nanmax(off) < 1e-6
    both = ~np.isnan(joints) & ~np.isnan(frames)
    assert np.abs(joints - frames)[both].max() < 0.05
    assert (np.diff(joints[~np.isnan(joints)]) > 0).all()
    assert (np.diff(group["sequence/images/cam"][:][group["valid/images/cam"][:]]) >= 0).all()
    # As many ticks are lost as the clock was set back by, give or take the one at either edge.
    lost = np.count_nonzero(np.isnan(joints))
    assert lost == pytest.approx(30 * behind, abs=2)
    assert "images/cam" in made.checks["clock_steps"].failed_subjects or step_ms > -100


def test_such_an_episode_is_an_error_and_the_other_clock_the_remedy(make_episode):
    messages = robot(offset_ms=lambda true_s: -503 if true_s >= 2 else 0)
    made = make_episode(messages, FEATURES, rate_hz=30)
    assert made.group is None
    assert "clock_steps" in made.reason
    assert "header clock of /js set 0.503 s back at 1.99 s" in made.reason
    assert "use `clock: log`" in made.reason
    by_log = make_episode(messages, FEATURES, rate_hz=30, clock="log")
    joints, _ = true_times(by_log.group)
    np.testing.assert_allclose(joints, (by_log.group["time"][:] - START_NS) / 1e9, atol=1e-6)


def test_where_every_clock_was_set_back_the_recording_is_to_be_cut(make_episode):
    def back(true_s: float) -> int:
        return -503 if true_s >= 2 else 0

    made = make_episode(robot(offset_ms=back, log_offset_ms=back), FEATURES, rate_hz=30, clock="log")
    assert made.group is None
    assert "log clock of /js set 0.493 s back" in made.reason
    assert "; cut the recording there" in made.reason


def test_a_clock_set_forward_is_an_error(make_episode):
    messages = robot(offset_ms=lambda true_s: 400 if true_s >= 2 else 0)
    made = make_episode(messages, FEATURES, rate_hz=30)
    assert made.group is None
    assert "set 0.400 s forward at 1.99 s" in made.reason


def test_messages_that_overtake_each_other_lose_their_ticks_only(make_episode):
    messages = robot()
    places = [n for n, message in enumerate(messages) if message.topic == "/js"][100:300:100]
    for place in places:
        other = next(n for n in range(place + 1, place + 4) if messages[n].topic == "/js")
        messages[place], messages[other] = messages[other], messages[place]
    made = make_episode(messages, FEATURES, rate_hz=100)
    joints, _ = true_times(made.group)
    ticks = (made.group["time"][:] - START_NS) / 1e9
    is_valid = ~np.isnan(joints)
    np.testing.assert_allclose(joints[is_valid], ticks[is_valid], atol=1e-6)
    assert 2 <= np.count_nonzero(~is_valid) <= 6


def joints_stamped(stamp_of: Any) -> list[SampleMessage]:
    """Joints at 10 Hz for 5 s, recorded when they should be, with a header stamp (ms) by their number."""
    return [
        SampleMessage(
            "/js",
            "sensor_msgs/msg/JointState",
            {"name": ["a"], "position": [float(n)]},
            START_NS + n * 100 * MS,
            header_ns=START_NS + stamp_of(n) * MS,
        )
        for n in range(50)
    ]


@pytest.mark.parametrize(
    ("stamp_of", "told"),
    [
        (lambda _: 0, "50 share 1 header stamp;"),
        (lambda n: n // 5 * 500, "50 share 10 header stamps"),
        (lambda n: n // 2 * 200, "50 share 25 header stamps"),
    ],
)
def test_stamps_that_stand_still_are_an_error_and_the_other_clock_the_remedy(make_episode, stamp_of, told):
    features = {"state": {"channel": "/js", "field": "position", "rule": "latest", "tolerance_ms": 600}}
    made = make_episode(joints_stamped(stamp_of), features, rate_hz=10)
    assert made.group is None
    assert "messages_unused" in made.reason
    assert told in made.reason
    assert "use `clock: log`" in made.reason
    by_log = make_episode(joints_stamped(stamp_of), features, rate_hz=10, clock="log")
    assert by_log.group["state"][:, 0].tolist() == list(range(50))


def test_a_camera_that_dies_is_an_error(make_episode):
    messages = [m for m in robot(seconds=8) if m.topic == "/js" or m.log_ns < START_NS + 1000 * MS]
    made = make_episode(messages, FEATURES, rate_hz=30)
    assert made.group is None
    assert "recording_kept failed: recording 11.6" in made.reason
    assert "images/cam ends 7.0 s before the recording does" in made.reason
    assert "`required: false`" in made.reason
    optional = {**FEATURES, "images/cam": {"channel": "/cam", "required": False}}
    kept = make_episode(messages, optional, rate_hz=30).group
    assert len(kept["time"][:]) == 240
    assert np.count_nonzero(kept["valid/images/cam"][:]) == pytest.approx(31, abs=1)
    union = make_episode(messages, FEATURES, rate_hz=30, span="union")
    assert union.group is None
    assert "tick_coverage" in union.reason
