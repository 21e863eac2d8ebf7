"""Every builder does what its name says, by the judgement of the containers' own readers, and spoils nothing else."""

import itertools
from collections import defaultdict
from io import BytesIO

import numpy as np
import pytest
from mcap.reader import make_reader
from PIL import Image
from rosbags.typesys import Stores, get_typestore

from bagmill.profile import load_profile, parse_profile
from bagmill.testing import (
    FAULTS,
    Settings,
    camera_stamp_ns,
    depth_picture,
    faults,
    healthy,
    joint_command,
    joint_position,
    picture,
    small_profile,
    write_small_profile,
)
from bagmill.testing.content import START_NS

STORE = get_typestore(Stores.ROS2_HUMBLE)
HIGH, WRIST, DEPTH, STATE = "/cam_high/image", "/cam_wrist/image", "/cam_high/depth", "/joint_states"


def read(path):
    """Messages by topic, in file order: (log time, header stamp, deserialised)."""
    found = defaultdict(list)
    with path.open("rb") as file:
        for schema, channel, message in make_reader(file).iter_messages(log_time_order=False):
            value = STORE.deserialize_cdr(message.data, schema.name)
            stamp = value.header.stamp.sec * 10**9 + value.header.stamp.nanosec
            found[channel.topic].append((message.log_time, stamp, value))
    return found


def headers(messages):
    return np.array([stamp for _, stamp, _ in messages])


def pixels(message):
    if hasattr(message, "format"):
        return np.asarray(Image.open(BytesIO(message.data.tobytes())))
    return message.data.reshape(message.height, message.width, 3)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return read(healthy(tmp_path_factory.mktemp("sound") / "r.mcap"))


@pytest.fixture
def build(tmp_path):
    return lambda name, **how: read(FAULTS[name](tmp_path / "r.mcap", **how))


def unchanged(found, sound, *, but):
    """Every topic but one has what the healthy recording has."""
    for topic in sound.keys() - {but}:
        assert len(found[topic]) == len(sound[topic])
        for (log, stamp, value), (sound_log, sound_stamp, sound_value) in zip(found[topic], sound[topic], strict=True):
            assert (log, stamp) == (sound_log, sound_stamp)
            np.testing.assert_array_equal(
                *(getattr(v, "data", getattr(v, "position", None)) for v in (value, sound_value))
            )


def test_healthy_shows_the_pictures_and_motions_that_can_be_computed(sound):
    for n, (_, stamp, image) in enumerate(sound[HIGH]):
        assert stamp == camera_stamp_ns("cam_high", n)
        np.testing.assert_array_equal(pixels(image), picture("cam_high", n))
    for n, (_, stamp, image) in enumerate(sound[WRIST]):
        assert stamp == camera_stamp_ns("cam_wrist", n)
        assert np.abs(pixels(image).astype(int) - picture("cam_wrist", n)).max() <= 12
    for n, (_, stamp, image) in enumerate(sound[DEPTH]):
        assert stamp == camera_stamp_ns("cam_high", n)
        np.testing.assert_array_equal(image.data.view("<u2").reshape(48, 64), depth_picture(n))
    for _, stamp, joints in sound[STATE]:
        np.testing.assert_array_equal(joints.position, joint_position((stamp - START_NS) / 1e9))
    for _, stamp, joints in sound["/commands"]:
        np.testing.assert_array_equal(joints.position, joint_command((stamp - START_NS) / 1e9))


def test_healthy_has_every_stream_before_the_first_tick_and_after_the_last(sound):
    first, last = camera_stamp_ns("cam_high", 0), camera_stamp_ns("cam_high", 59)
    for topic in sound.keys() - {HIGH, DEPTH}:
        assert headers(sound[topic])[0] < first
        assert headers(sound[topic])[-1] > last
    for messages in sound.values():
        assert all(log > stamp for log, stamp, _ in messages)
        assert all(one[0] < other[0] for one, other in itertools.pairwise(messages))


def test_sizes_and_encodings_follow_the_settings(tmp_path):
    settings = Settings(num_frames=5, height=32, width=40, high_encoding="bgr8", wrist_encoding="png")
    found = read(healthy(tmp_path / "r.mcap", settings=settings))
    assert [len(found[topic]) for topic in (HIGH, DEPTH, WRIST)] == [5, 5, 6]
    np.testing.assert_array_equal(pixels(found[HIGH][2][2])[..., ::-1], picture("cam_high", 2, height=32, width=40))
    np.testing.assert_array_equal(pixels(found[WRIST][2][2]), picture("cam_wrist", 2, height=32, width=40))


def test_with_gap(build, sound):
    found = build("with_gap")
    assert len(found[HIGH]) == 45
    assert np.diff(headers(found[HIGH])).max() == pytest.approx(16 / 30 * 1e9, abs=2)
    unchanged(found, sound, but=HIGH)


def test_with_wrong_rate(build, sound):
    found = build("with_wrong_rate")
    stamps = headers(found[HIGH])
    assert (len(stamps) - 1) / (np.ptp(stamps) / 1e9) == pytest.approx(20, abs=0.3)
    unchanged(found, sound, but=HIGH)


def test_with_clock_offset(build, sound):
    found = build("with_clock_offset", offset_ms=250)
    np.testing.assert_array_equal(headers(found[WRIST]) - headers(sound[WRIST]), 250_000_000)
    assert [log for log, _, _ in found[WRIST]] == [log for log, _, _ in sound[WRIST]]
    unchanged(found, sound, but=WRIST)


def test_with_backward_stamps(build, sound):
    found = build("with_backward_stamps")
    assert np.count_nonzero(np.diff(headers(found[STATE])) < 0) == 1
    assert all(one[0] < other[0] for one, other in zip(found[STATE], found[STATE][1:], strict=False))
    assert len(found[STATE]) == len(sound[STATE])


@pytest.mark.parametrize(("name", "level"), [("with_black_frames", 0), ("with_blown_frames", 255)])
@pytest.mark.parametrize("topic", [HIGH, WRIST])
def test_with_black_and_blown_frames(build, sound, name, level, topic):
    found = build(name, topic=topic, frames=range(3, 6))
    assert [n for n, (_, _, image) in enumerate(found[topic]) if (pixels(image) == level).all()] == [3, 4, 5]
    unchanged(found, sound, but=topic)


@pytest.mark.parametrize("topic", [HIGH, WRIST])
def test_with_frozen_frames(build, sound, topic):
    found = build("with_frozen_frames", topic=topic)
    frames = [pixels(image) for _, _, image in found[topic]]
    same = [n for n in range(1, len(frames)) if np.array_equal(frames[n], frames[n - 1])]
    assert same == list(range(21, 35))
    np.testing.assert_array_equal(headers(found[topic]), headers(sound[topic]))
    unchanged(found, sound, but=topic)


def test_with_nan_joints(build, sound):
    found = build("with_nan_joints")
    nan = np.isnan([joints.position for _, _, joints in found[STATE]])
    assert list(np.flatnonzero(nan[:, 1])) == list(range(100, 120))
    assert not nan[:, [0, 2]].any()
    unchanged(found, sound, but=STATE)


def test_with_joint_out_of_limits(build, sound):
    found = build("with_joint_out_of_limits")
    positions = np.array([joints.position for _, _, joints in found[STATE]])
    lowest, highest = small_profile()["features"]["state"]["limits"][0]
    is_outside = (positions < lowest) | (positions > highest)
    assert list(np.flatnonzero(is_outside.any(axis=1))) == list(range(100, 120))
    unchanged(found, sound, but=STATE)


def test_with_missing_channel(build, sound):
    found = build("with_missing_channel")
    assert WRIST not in found
    unchanged(found, sound, but=WRIST)


def test_with_damaged_images(build, sound):
    found = build("with_damaged_images")
    damaged = []
    for n, (_, _, image) in enumerate(found[WRIST]):
        try:
            pixels(image)
        except OSError:
            damaged.append(n)
    assert damaged == [7, 8, 30, 41]
    unchanged(found, sound, but=WRIST)


def test_with_low_fidelity(build, sound):
    found = build("with_low_fidelity")
    frame = pixels(found[HIGH][3][2])
    for subsampling, bound_db in (("4:2:0", 20), ("4:4:4", 45)):
        file = BytesIO()
        Image.fromarray(frame).save(file, "JPEG", quality=95, subsampling=subsampling)
        error = np.asarray(Image.open(file)).astype(float) - frame
        assert 10 * np.log10(255**2 / np.mean(error**2)) < bound_db
    unchanged(found, sound, but=HIGH)


def test_with_no_overlap(build, sound):
    found = build("with_no_overlap")
    assert headers(found[WRIST]).min() > max(headers(found[topic]).max() for topic in sound.keys() - {WRIST})
    assert len(found[WRIST]) == len(sound[WRIST])
    unchanged(found, sound, but=WRIST)


@pytest.mark.parametrize("name", [name for name in FAULTS if name.startswith("with_")])
@pytest.mark.parametrize("container", ["rosbag1", "rosbag2"])
def test_faults_are_written_into_the_other_containers_too(tmp_path, name, container):
    settings = Settings(num_frames=10, container=container)
    if name == "with_bad_chunk_crc":
        with pytest.raises(ValueError, match="only MCAP"):
            FAULTS[name](tmp_path / "r", settings=settings)
    else:
        assert FAULTS[name](tmp_path / "r", settings=settings).exists()


def test_every_builder_says_in_one_line_what_is_wrong():
    public = {name for name in vars(faults) if name.startswith("with_")}
    assert public <= FAULTS.keys()
    for build in FAULTS.values():
        assert build.__doc__
        assert build.__doc__.splitlines()[0].endswith(".")


def test_the_profile_is_valid_and_new_each_time(tmp_path):
    profile = small_profile()
    profile["features"].clear()
    assert parse_profile(small_profile()) == load_profile(write_small_profile(tmp_path / "small.yaml"))
