"""Numbers as recorded: types, what is not measured, and stamps inside the messages."""

import math
from typing import Any

import numpy as np
import pytest

from bagmill.testing.messages import SampleMessage

from .conftest import START_NS

STEP_NS = 100_000_000


def message(n: int, topic: str, schema: str, values: dict[str, Any], *, has_header: bool = True) -> SampleMessage:
    ns = START_NS + n * STEP_NS
    return SampleMessage(topic, schema, values, ns, header_ns=ns if has_header else None)


@pytest.mark.parametrize(
    ("kind", "value", "dtype"),
    [
        ("Bool", True, "float32"),
        ("Byte", 200, "float32"),  # written as −56 by a library that takes it for signed: the same byte
        ("Char", 200, "float32"),
        ("Int8", -100, "float32"),
        ("UInt16", 65535, "float32"),
        ("Float32", 0.1, "float32"),
        ("Int32", 16_777_217, "float64"),
        ("UInt32", 4_294_967_295, "float64"),
        ("Int64", 20_000_001, "float64"),
        ("Float64", 57.8306145, "float64"),
    ],
)
def test_a_number_is_stored_as_it_was_recorded(make_episode, kind, value, dtype):
    written = value - 256 if kind == "Byte" else value
    messages = [message(n, "/x", f"std_msgs/msg/{kind}", {"data": written}, has_header=False) for n in range(5)]
    made = make_episode(messages, {"x": {"channel": "/x", "field": "data"}}, rate_hz=10, clock="log")
    assert made.group["x"].dtype == dtype
    recorded = np.float32(value) if kind == "Float32" else value
    assert made.group["x"][:, 0].tolist() == [recorded] * 5


@pytest.mark.parametrize(
    ("kind", "first"), [("Int64", 2**53), ("UInt64", 1_700_000_000_000_000_000), ("Int64", -(2**60))]
)
def test_a_whole_number_that_float64_does_not_hold_is_refused_not_rounded(make_episode, kind, first):
    exact = [message(n, "/x", f"std_msgs/msg/{kind}", {"data": first + 4096 * n}, has_header=False) for n in range(40)]
    made = make_episode(exact, {"x": {"channel": "/x", "field": "data"}}, rate_hz=10, clock="log")
    assert [int(value) for value in made.group["x"][:, 0]] == [first + 4096 * n for n in range(40)]
    odd = [message(n, "/x", f"std_msgs/msg/{kind}", {"data": first + 2 * n + 1}, has_header=False) for n in range(40)]
    refused = make_episode(odd, {"x": {"channel": "/x", "field": "data"}}, rate_hz=10, clock="log")
    assert "which float64 does not hold exactly" in refused.reason


def test_whole_numbers_and_booleans_are_held_not_interpolated(make_episode):
    messages = [message(n, "/x", "std_msgs/msg/Int8", {"data": 3 * (n % 2)}, has_header=False) for n in range(10)]
    settings = {"channel": "/x", "field": "data", "tolerance_ms": 200}
    made = make_episode(messages, {"x": settings}, rate_hz=40, clock="log")
    assert set(made.group["x"][:, 0]) == {0.0, 3.0}
    assert not made.group["interpolated/x"][:].any()


def test_a_place_on_earth_keeps_every_digit(make_episode):
    latitudes = 57.8306145 + 1e-7 * np.arange(20)
    fixes = [
        message(n, "/fix", "sensor_msgs/msg/NavSatFix", {"latitude": latitude, "longitude": 1.0, "altitude": 2.0})
        for n, latitude in enumerate(latitudes)
    ]
    made = make_episode(fixes, {"latitude": {"channel": "/fix", "field": "latitude"}}, rate_hz=10)
    np.testing.assert_allclose(made.group["latitude"][:, 0], latitudes, rtol=0, atol=1e-12)


def imu(n: int, orientation: dict[str, float]) -> SampleMessage:
    return message(n, "/imu", "sensor_msgs/msg/Imu", {"orientation": orientation, "angular_velocity": {"x": 1.0}})


def test_a_quaternion_of_length_0_is_not_measured(make_episode):
    unset = {"x": 0.0, "y": 0.0, "z": 0.0, "w": 0.0}
    messages = [imu(n, unset if n in (4, 5) else {"w": 1.0}) for n in range(40)]
    made = make_episode(
        messages,
        {"orientation": {"channel": "/imu", "field": "orientation", "rule": "slerp", "tolerance_ms": 250}},
        rate_hz=20,
        checks={"episode_coverage": {"threshold": 80}},
    )
    values, is_valid = made.group["orientation"][:], made.group["valid/orientation"][:]
    np.testing.assert_allclose(values[is_valid], np.broadcast_to([0, 0, 0, 1], values[is_valid].shape))
    assert np.isnan(values[~is_valid]).all()
    # From behind message 3 to before message 6, two ticks a message.
    assert np.flatnonzero(~is_valid).tolist() == [7, 8, 9, 10, 11]
    assert made.group.attrs["features"]["orientation"]["num_unmeasured_messages"] == 2


@pytest.mark.parametrize("settings", [{}, {"rule": "nearest"}])
def test_a_quaternion_is_known_by_its_definition(make_episode, settings):
    unset = {"x": 0.0, "y": 0.0, "z": 0.0, "w": 0.0}
    messages = [imu(n, unset if n == 4 else {"w": 1.0}) for n in range(40)]
    made = make_episode(
        messages, {"o": {"channel": "/imu", "field": "orientation", "tolerance_ms": 150, **settings}}, rate_hz=10
    )
    assert made.group.attrs["features"]["o"]["rule"] == settings.get("rule", "slerp")
    assert np.flatnonzero(~made.group["valid/o"][:]).tolist() == [4]


def test_an_angle_in_degrees_is_refused(make_episode):
    messages = [message(n, "/x", "std_msgs/msg/Float64", {"data": float(n)}, has_header=False) for n in range(5)]
    made = make_episode(
        messages, {"x": {"channel": "/x", "field": "data", "rule": "angle", "units": "deg"}}, clock="log"
    )
    assert "rule `angle` takes radians, and the units are deg" in made.reason


def test_only_zero_quaternions_are_refused_not_published_as_nan(make_episode):
    messages = [imu(n, {"x": 0.0, "y": 0.0, "z": 0.0, "w": 0.0}) for n in range(40)]
    settings = {"channel": "/imu", "field": "orientation", "rule": "slerp", "tolerance_ms": 250}
    made = make_episode(messages, {"o": settings})
    assert made.group is None
    assert "episode_coverage" in made.reason


def test_nan_is_garbage_unless_the_profile_calls_it_not_measured(make_episode):
    messages = [
        message(n, "/x", "std_msgs/msg/Float64", {"data": math.nan if n == 7 else float(n)}, has_header=False)
        for n in range(40)
    ]
    settings = {"channel": "/x", "field": "data", "tolerance_ms": 150}
    refused = make_episode(messages, {"x": settings}, rate_hz=10, clock="log")
    assert refused.group is None
    assert "1 nan, at 1 ticks, the first 7" in refused.reason
    assert "say `nan: invalid`" in refused.reason
    made = make_episode(messages, {"x": {**settings, "nan": "invalid"}}, rate_hz=10, clock="log")
    assert np.flatnonzero(~made.group["valid/x"][:]).tolist() == [7]
    assert made.group["x"][6:9, 0].tolist() == pytest.approx([6, math.nan, 8], nan_ok=True)


def scan(n: int) -> SampleMessage:
    return message(n, "/scan", "sensor_msgs/msg/LaserScan", {"ranges": [1.0 + n, math.inf, 3.0]})


def test_infinite_ranges_are_values_where_the_profile_keeps_them_and_never_spread(make_episode):
    messages = [scan(n) for n in range(20)]
    settings = {"channel": "/scan", "field": "ranges", "rule": "nearest", "tolerance_ms": 60}
    refused = make_episode(messages, {"ranges": settings}, rate_hz=10)
    assert "values_finite" in refused.reason
    made = make_episode(messages, {"ranges": {**settings, "infinity": "keep", "limits": [[0, 30]]}}, rate_hz=10)
    assert made.group["ranges"][3].tolist() == [4.0, math.inf, 3.0]
    spread = make_episode(messages, {"ranges": {**settings, "rule": "linear", "infinity": "keep"}}, rate_hz=10)
    assert "rule `linear` would spread infinite numbers" in spread.reason


@pytest.mark.parametrize(
    ("unit", "per_second", "epoch"),
    [("us", 10**6, "boot"), ("us", 10**6, "unix"), ("ms", 10**3, "boot"), ("ns", 10**9, "unix"), ("s", 1, "unix")],
)
def test_a_stamp_may_stand_anywhere_in_the_message(make_episode, unit, per_second, epoch):
    """Messages arrive up to 40 ms late; their own stamps say when they were measured."""
    origin_ns = START_NS if epoch == "unix" else 77 * 10**9
    messages = []
    for n in range(40):
        measured_ns = n * STEP_NS
        stamp = (
            (origin_ns + measured_ns) / 10**9 * per_second
            if unit == "s"
            else (origin_ns + measured_ns) * per_second // 10**9
        )
        schema, value = ("std_msgs/msg/Float64", float(stamp)) if unit == "s" else ("std_msgs/msg/Int64", int(stamp))
        log_ns = START_NS + measured_ns + (n * 7 % 5) * 10_000_000
        messages.append(SampleMessage("/x", schema, {"data": value}, log_ns))
    made = make_episode(
        messages,
        {"x": {"channel": "/x", "field": "data", "stamp": {"field": "data", "unit": unit, "epoch": epoch}}},
        rate_hz=10,
        checks={"clocks_agree": {"severity": "off"}},
    )
    source = made.group["source/x"][:]
    np.testing.assert_allclose(source - START_NS, STEP_NS * np.arange(40), atol=500)
    said = made.group.attrs["features"]["x"]["parts"][0]["stamp"]
    assert said["epoch"] == epoch
    if epoch == "boot":
        assert said["offset_ns"] == START_NS - origin_ns


@pytest.mark.parametrize(
    ("stamp", "says"),
    [
        ({"unit": "ns", "epoch": "boot"}, "try `unit: us`"),
        ({"unit": "s", "epoch": "boot"}, "try `unit: us`"),
        ({"unit": "us", "epoch": "unix"}, "say `epoch: boot`"),
    ],
)
def test_a_stamp_of_another_unit_or_epoch_is_told(make_episode, stamp, says):
    messages = [
        SampleMessage("/x", "std_msgs/msg/Int64", {"data": (77 * 10**9 + n * STEP_NS) // 1000}, START_NS + n * STEP_NS)
        for n in range(40)
    ]
    made = make_episode(messages, {"x": {"channel": "/x", "field": "data", "stamp": {"field": "data", **stamp}}})
    assert says in made.reason


def test_a_stamp_that_is_not_there_is_refused_with_its_field(make_episode):
    messages = [message(n, "/x", "std_msgs/msg/Int64", {"data": n}, has_header=False) for n in range(5)]
    made = make_episode(messages, {"x": {"channel": "/x", "field": "data", "stamp": {"field": "time", "unit": "us"}}})
    assert "channel /x: `stamp: {field: time}`: `time`: no `time` in the message, it has data" in made.reason


def test_one_feature_from_several_channels(make_episode):
    messages = []
    for n in range(40):
        messages.append(
            message(n, "/arm", "sensor_msgs/msg/JointState", {"name": ["a", "b"], "position": [n * 1.0, -n * 1.0]})
        )
        messages.append(
            SampleMessage("/gripper", "std_msgs/msg/Bool", {"data": n >= 20}, START_NS + n * STEP_NS + 10_000_000)
        )
    made = make_episode(
        messages,
        {
            "state": [
                {"channel": "/arm", "field": "position", "units": "rad", "rule": "linear", "tolerance_ms": 150},
                {"channel": "/gripper", "field": "data", "name": "gripper", "clock": "log", "tolerance_ms": 150},
            ]
        },
        rate_hz=20,
    )
    state = made.group["state"]
    assert state.attrs["names"] == ["a", "b", "gripper"]
    assert state.attrs["units"] == ["rad", "rad", None]
    assert state.attrs["is_named"] is True
    ticks = (made.group["time"][:] - START_NS) / STEP_NS
    np.testing.assert_allclose(state[:, 0], ticks, atol=1e-9)
    np.testing.assert_allclose(state[:, 1], -ticks, atol=1e-9)
    np.testing.assert_array_equal(state[:, 2], np.floor(ticks - 0.1 + 1e-9) >= 20)
    parts = made.group.attrs["features"]["state"]["parts"]
    assert [part["rule"] for part in parts] == ["linear", "latest"]
    assert [part["columns"] for part in parts] == [[0, 1], [2]]
    gripper = made.group["source/state.gripper"][:]
    np.testing.assert_array_equal((gripper - START_NS) % STEP_NS, 10_000_000)


def test_columns_that_are_called_alike_need_parts_with_names(make_episode):
    values = {"name": ["a"], "position": [1.0]}
    arms = [message(n, topic, "sensor_msgs/msg/JointState", values) for n in range(20) for topic in ("/left", "/right")]
    parts = [{"channel": "/left", "field": "position"}, {"channel": "/right", "field": "position"}]
    refused = make_episode(arms, {"state": parts}, rate_hz=10)
    assert "two columns are called a; give each part a `name` of its own" in refused.reason
    named = [{**part, "name": part["channel"].strip("/")} for part in parts]
    made = make_episode(arms, {"state": named}, rate_hz=10)
    assert made.group["state"].attrs["names"] == ["left.a", "right.a"]
