"""The samples, made tiny, by the judgement of mcap, rosbags and Pillow."""

import itertools
from collections import defaultdict
from io import BytesIO

import numpy as np
import pytest
from mcap.exceptions import EndOfFile
from mcap.reader import make_reader
from mcap.records import Message
from mcap.stream_reader import StreamReader
from PIL import Image
from rosbags.rosbag1 import Reader as Rosbag1Reader
from rosbags.typesys import Stores, get_typestore

from examples.sample_recordings import SAMPLES, episodes, is_made, make
from examples.sample_recordings.__main__ import main
from examples.sample_recordings.motion import JOINT_NAMES
from examples.sample_recordings.robot import COMMANDS, DEPTH, HIGH, STATE, WRIST

ROS1, ROS2 = get_typestore(Stores.ROS1_NOETIC), get_typestore(Stores.ROS2_HUMBLE)


def read(path):
    """Messages by topic: (log time, header stamp, deserialised)."""
    found = defaultdict(list)
    if path.suffix == ".bag":
        with Rosbag1Reader(path) as reader:
            for connection, log, data in reader.messages():
                found[connection.topic].append((log, ROS1.deserialize_ros1(data, connection.msgtype)))
    else:
        with path.open("rb") as file:
            for schema, channel, message in make_reader(file, validate_crcs=True).iter_messages():
                found[channel.topic].append((message.log_time, ROS2.deserialize_cdr(message.data, schema.name)))
    return {
        topic: [(log, value.header.stamp.sec * 10**9 + value.header.stamp.nanosec, value) for log, value in messages]
        for topic, messages in found.items()
    }


@pytest.fixture(scope="module")
def found(samples):
    return {name: read(samples.folder / name) for name in ("aloha_raw.mcap", "aloha_jpeg.mcap", "aloha_raw.bag")}


def frame(message):
    if hasattr(message, "format"):
        return np.asarray(Image.open(BytesIO(message.data.tobytes())))
    pixels = message.data.reshape(480, 640, 3)
    return pixels if message.encoding == "rgb8" else pixels[..., ::-1]


def depth(message):
    return message.data.view("<u2").reshape(480, 640)


GOOD = ["aloha_raw.mcap", "aloha_jpeg.mcap", "aloha_raw.bag"]


@pytest.mark.parametrize(
    ("name", "num_frames", "num_readings"), [(GOOD[0], 10, 43), (GOOD[1], 15, 60), (GOOD[2], 10, 43)]
)
def test_every_stream_is_there_and_spans_the_first_cameras(found, name, num_frames, num_readings):
    counts = {topic: len(messages) for topic, messages in found[name].items()}
    assert counts == {
        HIGH: num_frames,
        WRIST: num_frames + 1,
        DEPTH: num_frames,
        STATE: num_readings,
        COMMANDS: num_readings,
    }
    first, last = found[name][HIGH][0][1], found[name][HIGH][-1][1]
    for topic in (WRIST, STATE, COMMANDS):
        assert found[name][topic][0][1] < first
        assert found[name][topic][-1][1] > last


@pytest.mark.parametrize("name", GOOD)
def test_stamps_jitter_a_little_and_messages_arrive_later(found, name):
    for topic, messages in found[name].items():
        stamps = np.array([stamp for _, stamp, _ in messages])
        logs = np.array([log for log, _, _ in messages])
        period_ms = 10 if topic in (STATE, COMMANDS) else 1000 / 30
        intervals_ms = np.diff(stamps) / 1e6
        np.testing.assert_allclose(intervals_ms, period_ms, atol=2.0)
        assert intervals_ms.std() > 0.05
        assert (np.diff(logs) >= 0).all()
        latency_ms = (logs - stamps) / 1e6
        assert latency_ms.min() > 0.4
        assert latency_ms.max() < 60
        assert np.ptp(latency_ms) > 0.1
    assert [m[1] for m in found[name][DEPTH]] == [m[1] for m in found[name][HIGH]]


@pytest.mark.parametrize(
    ("name", "high", "wrist"),
    [("aloha_raw.mcap", "rgb8", "rgb8"), ("aloha_raw.bag", "rgb8", "bgr8"), ("aloha_jpeg.mcap", "jpeg", "jpeg")],
)
def test_pictures_have_the_size_and_encoding_they_claim(found, name, high, wrist):
    for topic, encoding in ((HIGH, high), (WRIST, wrist)):
        for _, _, message in found[name][topic]:
            if encoding == "jpeg":
                assert message.format == "jpeg"
            else:
                assert (message.height, message.width, message.encoding, message.step) == (480, 640, encoding, 1920)
            assert frame(message).shape == (480, 640, 3)
            # Warm wood fills both views: swapped channels would be blue.
            assert frame(message)[..., 0].mean() > frame(message)[..., 2].mean() + 5


@pytest.mark.parametrize("topic", [HIGH, WRIST])
def test_frames_are_of_natural_size_and_fidelity_as_jpeg(found, topic):
    for _, _, message in found["aloha_raw.mcap"][topic][::4]:
        source = frame(message)
        file = BytesIO()
        Image.fromarray(source).save(file, "JPEG", quality=95, subsampling="4:2:0")
        assert 60 * 1024 < file.tell() < 120 * 1024
        error = np.asarray(Image.open(file)).astype(float) - source
        assert 10 * np.log10(255**2 / np.mean(error**2)) >= 38
        assert 60 < source.mean() < 200
        assert np.mean(source >= 250) < 0.02


@pytest.mark.parametrize("name", GOOD)
def test_no_two_frames_are_equal(found, name):
    for topic in (HIGH, WRIST):
        frames = [frame(message) for _, _, message in found[name][topic]]
        assert all(np.mean(one != other) > 0.3 for one, other in itertools.pairwise(frames))


def test_things_move(found):
    first, last = (frame(found["aloha_raw.mcap"][HIGH][n][2]).astype(int) for n in (0, -1))
    assert np.mean(np.abs(first - last).max(axis=-1) > 30) > 0.005


@pytest.mark.parametrize("name", GOOD)
def test_depth_is_in_millimetres_with_holes(found, name):
    for _, _, message in found[name][DEPTH]:
        assert (message.encoding, message.step, message.is_bigendian) == ("16UC1", 1280, 0)
        pixels = depth(message)
        measured = pixels[pixels > 0]
        assert 0.02 < np.mean(pixels == 0) < 0.2
        assert measured.min() > 400
        assert measured.max() < 2500


def test_depth_noise_grows_with_distance(found):
    frames = np.array([depth(message) for _, _, message in found["aloha_jpeg.mcap"][DEPTH]], dtype=float)
    # The still parts: what moves is left out by its range.
    frames[:, (frames == 0).any(axis=0) | (np.ptp(frames, axis=0) > 150)] = np.nan
    wall, table = frames[:, :140].std(axis=0), frames[:, 450:].std(axis=0)
    assert np.nanmedian(wall) > 3 * np.nanmedian(table) > 0.5


@pytest.mark.parametrize("name", GOOD)
def test_joints_follow_their_commands_smoothly(found, name):
    states, commands = found[name][STATE], found[name][COMMANDS]
    assert all(tuple(message.name) == JOINT_NAMES for _, _, message in states + commands)
    position = np.array([message.position for _, _, message in states])
    velocity = np.array([message.velocity for _, _, message in states])
    command = np.array([message.position for _, _, message in commands])
    assert position.shape == (len(states), 14) == velocity.shape
    time_s = np.array([stamp for _, stamp, _ in states]) / 1e9 - states[0][1] / 1e9
    command_s = np.array([stamp for _, stamp, _ in commands]) / 1e9 - states[0][1] / 1e9
    assert np.abs(np.diff(position, axis=0)).max() < 0.03
    drift = position[-1] - position[0] - np.trapezoid(velocity, time_s, axis=0)
    assert np.abs(drift).max() < 0.01
    for joint in range(14):
        expected = np.interp(time_s - 0.07, command_s, command[:, joint])
        late = time_s > 0.1
        np.testing.assert_allclose(position[late, joint], expected[late], atol=0.003)


def test_the_wrist_camera_stalls_in_the_middle(samples):
    found = read(samples.folder / "aloha_stalled.mcap")
    stamps = np.array([stamp for _, stamp, _ in found[WRIST]])
    longest = np.diff(stamps).max()
    assert longest / 1e9 == pytest.approx(samples.seconds / 3, abs=0.05)
    assert 0.2 < (stamps[np.argmax(np.diff(stamps))] - stamps[0]) / 1e9 / samples.seconds < 0.5
    assert len(found[HIGH]) == 15
    assert np.diff([stamp for _, stamp, _ in found[HIGH]]).max() < 40e6


def test_the_truncated_one_ends_within_its_data(samples):
    read = []
    with (samples.folder / "aloha_truncated.mcap").open("rb") as file, pytest.raises(EndOfFile):
        read.extend(StreamReader(file).records)
    assert 20 < sum(isinstance(record, Message) for record in read) < 166


def sample(name):
    return next(sample for sample in SAMPLES if sample.name == name)


@pytest.mark.parametrize("name", ["aloha_jpeg.mcap", "aloha_raw.bag"])
def test_same_seed_same_bytes_and_another_seed_others(samples, tmp_path, name):
    again = make(sample(name), tmp_path, seconds=samples.seconds, seed=samples.seed).read_bytes()
    assert again == (samples.folder / name).read_bytes()
    assert make(sample(name), tmp_path, seconds=samples.seconds, seed=samples.seed + 1).read_bytes() != again


def test_what_is_there_is_kept_unless_it_was_made_otherwise(samples, capsys):
    folder, seconds, seed = samples.folder, samples.seconds, samples.seed
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert main(["--out", str(folder), "--seconds", str(seconds), "--seed", str(seed)]) == 0
    assert capsys.readouterr().out.count("already there") == 5
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert not is_made(SAMPLES[0], folder, seconds=seconds, seed=seed + 1)
    assert not is_made(SAMPLES[0], folder, seconds=1.0, seed=seed)


def test_a_file_that_was_changed_or_is_gone_is_made_again(tmp_path):
    path = make(sample("aloha_jpeg.mcap"), tmp_path, seconds=0.3, seed=1)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert not is_made(sample("aloha_jpeg.mcap"), tmp_path, seconds=0.3, seed=1)
    path.unlink()
    assert not is_made(sample("aloha_jpeg.mcap"), tmp_path, seconds=0.3, seed=1)
    (tmp_path / episodes.MANIFEST).write_text("[", encoding="utf-8")
    path.write_bytes(whole)
    assert not is_made(sample("aloha_jpeg.mcap"), tmp_path, seconds=0.3, seed=1)


def test_what_was_interrupted_leaves_nothing_that_looks_whole(tmp_path):
    def interrupt(num_written, _):
        if num_written == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(sample("aloha_jpeg.mcap"), tmp_path, seconds=0.3, seed=1, progress=interrupt)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--seconds", "x"], "expected a number from 0.3 to 3600, not 'x'"),
        (["--seconds", "0"], "expected a number from 0.3 to 3600, not '0'"),
        (["--seed", "-1"], "expected a whole number from 0, not '-1'"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(tmp_path, capsys, arguments, words):
    with pytest.raises(SystemExit) as stop:
        main(["--out", str(tmp_path), *arguments])
    assert stop.value.code == 2
    assert words in capsys.readouterr().err


def test_help_names_the_recordings(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    told = capsys.readouterr().out
    assert all(sample.name in told for sample in SAMPLES)


def test_a_folder_that_cannot_be_made_is_told(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["--out", str(tmp_path / "file" / "folder")]) == 1
    assert "cannot be written" in " ".join(capsys.readouterr().out.split())
