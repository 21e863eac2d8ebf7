import json
import os
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mcap.writer import Writer

from bagmill.testing import (
    START_NS,
    SampleMessage,
    empty,
    foreign_file,
    healthy,
    healthy_messages,
    truncated,
    with_message_at_time_zero,
    write_mcap,
)

Command = Callable[..., Any]


def unstamped_joints(n: int) -> SampleMessage:
    values = {"name": ["a"], "position": np.array([0.1])}
    return SampleMessage("/joints", "sensor_msgs/msg/JointState", values, log_ns=START_NS + n * 10**7)


def test_a_healthy_recording_is_told_in_a_table(command: Command, tmp_path: Path) -> None:
    answer = command("scan", healthy(tmp_path / "wave.mcap"))
    assert answer.code == 0
    assert "MCAP file" in answer.out
    lines = {line.split()[0]: " ".join(line.split()) for line in answer.out.splitlines() if line.startswith(" /")}
    assert lines.keys() == {"/cam_high/image", "/cam_wrist/image", "/cam_high/depth", "/joint_states", "/commands"}
    assert "sensor_msgs/msg/Image 60 30 Hz" in lines["/cam_high/image"]
    assert "image 64×48 rgb8 header" in lines["/cam_high/image"]
    assert "image 64×48 jpeg header" in lines["/cam_wrist/image"]
    assert "depth 64×48 16UC1 header" in lines["/cam_high/depth"]
    assert "100 Hz" in lines["/joint_states"]
    assert "position (3), velocity (3)" in lines["/joint_states"]
    # Its latency: 9 ms and up to a tenth more.
    assert 9.0 <= float(lines["/cam_high/image"].split()[-2]) <= 9.9
    assert "`bagmill profile`" in answer.out


def test_json_tells_the_same_with_units_in_its_keys(command: Command, tmp_path: Path) -> None:
    path = healthy(tmp_path / "wave.mcap")
    answer = command("scan", path, "--json")
    (recording,) = answer.document["recordings"]
    messages = healthy_messages()
    assert recording["num_messages"] == len(messages)
    assert recording["size_bytes"] == path.stat().st_size
    assert recording["start_ns"] == min(message.log_ns for message in messages)
    assert recording["end_ns"] == max(message.log_ns for message in messages)
    assert recording["is_trainable"] is True
    assert recording["faults"] == []
    channels = {channel["topic"]: channel for channel in recording["channels"]}
    state = channels["/joint_states"]
    of_state = [message for message in messages if message.topic == "/joint_states"]
    latencies = sorted(message.log_ns - message.header_ns for message in of_state)
    assert state["num_messages"] == len(of_state)
    assert latencies[0] <= state["offset_ns"] <= latencies[-1]
    assert state["rate_hz"] == pytest.approx(100, rel=1e-6)
    assert (state["kind"], state["fields"]["position"], state["joints"]) == (
        "numeric",
        3,
        ["shoulder", "elbow", "wrist"],
    )
    assert (channels["/cam_high/depth"]["kind"], channels["/cam_high/depth"]["width"]) == ("depth", 64)


def test_several_recordings_go_on_after_a_bad_one(command: Command, tmp_path: Path) -> None:
    bad, missing, good = foreign_file(tmp_path / "bad.mcap"), tmp_path / "missing.mcap", healthy(tmp_path / "good.mcap")
    answer = command("scan", bad, missing, good)
    assert answer.code == 1
    assert f"{good}" in answer.out
    complaints = [line for line in answer.err.splitlines() if line.startswith("bagmill: ")]
    assert [str(path) in line for path, line in zip((bad, missing), complaints, strict=True)] == [True, True]

    document = command("scan", bad, missing, good, "--json").document
    assert ["error" in each for each in document["recordings"]] == [True, True, False]


def test_a_recording_that_lost_data_is_told_and_fails(command: Command, tmp_path: Path) -> None:
    answer = command("scan", truncated(tmp_path / "cut.mcap"))
    assert answer.code == 1
    assert "error: " in answer.out
    assert "/joint_states" in answer.out


def test_an_empty_recording_is_called_empty(command: Command, tmp_path: Path) -> None:
    answer = command("scan", empty(tmp_path / "empty.mcap"))
    assert answer.code == 0
    assert "It is empty: no channel has a message." in answer.out
    assert "`bagmill profile`" not in answer.out


def test_text_is_nothing_to_train_on(command: Command, tmp_path: Path) -> None:
    texts = [SampleMessage("/chatter", "std_msgs/msg/String", {"data": "hi"}, log_ns=START_NS + n) for n in range(3)]
    path = write_mcap(tmp_path / "talk.mcap", texts)
    answer = command("scan", path)
    assert answer.code == 0
    assert "There is nothing to train on" in answer.out
    assert command("scan", path, "--json").document["recordings"][0]["is_trainable"] is False


def test_what_has_numbers_or_pictures_is_told_why_it_makes_no_feature(command: Command, tmp_path: Path) -> None:
    one = SampleMessage("/imu", "sensor_msgs/msg/Imu", {}, log_ns=START_NS)
    answer = command("scan", write_mcap(tmp_path / "one.mcap", [one]))
    assert "→ No channel can become a feature (/imu: a single message, where a timeline needs two)." in answer.out
    assert "nothing to train on" not in answer.out.lower()
    drafted = command("profile", tmp_path / "one.mcap")
    assert drafted.code == 1
    assert "no channel can become a feature (/imu: a single message, where a timeline needs two)" in drafted.err


def test_two_definitions_of_one_topic_are_told_apart(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "two.mcap"
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start("ros2", "tests")
        for text in (b"float64 x\n", b"float32 x\n"):
            channel = writer.register_channel("/a", "cdr", writer.register_schema("demo/msg/A", "ros2msg", text))
            for n in range(3):
                writer.add_message(channel, START_NS + n, b"\0\1\0\0" + bytes(8 if b"64" in text else 4), START_NS + n)
        writer.finish()
    answer = command("scan", path)
    assert "recorded with 2 different schemas: `x` is float64 in one and float32 in another" in answer.out


def test_zero_header_stamps_lead_to_the_log_clock(command: Command, tmp_path: Path) -> None:
    messages = [replace(unstamped_joints(n), header_ns=0) for n in range(20)]
    answer = command("scan", write_mcap(tmp_path / "r.mcap", messages), "--json")
    (recording,) = answer.document["recordings"]
    assert recording["channels"][0]["stamps"] == "zero"
    assert recording["channels"][0]["offset_ns"] is None
    assert any(
        "/joints carries no header stamps, or zero ones: use clock `log`" in each for each in recording["advice"]
    )


def test_a_header_stamp_that_never_changes_is_named(command: Command, tmp_path: Path) -> None:
    messages = [replace(unstamped_joints(n), header_ns=START_NS + 10**13) for n in range(20)]
    answer = command("scan", write_mcap(tmp_path / "r.mcap", messages))
    assert "the header stamp of /joints never changes; use clock `log` there." in answer.out
    assert "two clocks that do not agree" not in answer.out


def test_a_number_that_may_be_the_stamp_is_named(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "r.mcap"
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start("ros2", "tests")
        schema = writer.register_schema("demo/msg/Gyro", "ros2msg", b"uint64 timestamp\nfloat64 rate\n")
        channel = writer.register_channel("/gyro", "cdr", schema)
        for n in range(20):
            stamp_ns = START_NS + n * 10_000_000
            values = struct.pack("<Qd", 5_000_000 + n * 10_000, n / 10)
            writer.add_message(channel, stamp_ns, b"\0\1\0\0" + values, stamp_ns)
        writer.finish()
    told = command("scan", path).out
    assert "/gyro carries no header stamps, or zero ones: use clock `log` there, or, if `timestamp` says" in told
    assert "`stamp: {field: timestamp, unit: …, epoch: …}`" in told
    assert "stamp: {field: timestamp, unit: us, epoch: boot}" in command("profile", path).out


def test_a_message_at_time_zero_is_named_and_not_taken_for_a_duration(command: Command, tmp_path: Path) -> None:
    answer = command("scan", with_message_at_time_zero(tmp_path / "r.mcap"))
    assert "1 message is logged at time 0, 53.9 years away from the others" in answer.out
    assert "on, for 2.06 s" in answer.out


def test_a_recorder_without_a_date_is_named(command: Command, tmp_path: Path) -> None:
    messages = [
        replace(message, log_ns=message.log_ns - START_NS + 10**9, publish_ns=None) for message in healthy_messages()
    ]
    answer = command("scan", write_mcap(tmp_path / "r.mcap", messages))
    assert "Log time starts in 1970" in answer.out
    assert "Log time is 53.9 years earlier than header time on " in answer.out
    assert "use clock `header`" in answer.out


def test_topics_are_printed_as_they_are_and_never_obeyed(command: Command, tmp_path: Path) -> None:
    topic = "/[bold]x[/bold]\x1b[31m:smile:"
    messages = [replace(unstamped_joints(n), topic=topic) for n in range(3)]
    answer = command("scan", write_mcap(tmp_path / "r.mcap", messages))
    assert "/[bold]x[/bold]\\x1b[31m:smile:" in answer.out
    assert "\x1b" not in answer.out


def test_real_recordings_are_told(command: Command, recordings_dir: Path) -> None:
    answer = command("scan", recordings_dir / "franka_teach" / "trajectory_20250527_003442_00m02s.mcap")
    assert answer.code == 0
    assert "messages are logged at time 0, 55.4 years away from the others" in answer.out
    assert "for 1.51 s" in answer.out
    realsense = command("scan", recordings_dir / "realsense_d4xx.bag", "--json").document["recordings"][0]
    channels = {channel["topic"]: channel for channel in realsense["channels"]}
    assert channels["/device_0/sensor_0/Depth_0/image/data"]["encoding"] == "mono16"
    assert any("use clock `header`" in each for each in realsense["advice"])
    strings = command("scan", recordings_dir / "two_strings.bag", recordings_dir / "no_messages.bag")
    assert strings.code == 0
    assert "There is nothing to train on" in strings.out
    assert "It is empty" in strings.out


def test_a_name_that_is_not_unicode_is_no_end(command: Command, tmp_path: Path) -> None:
    path = healthy(tmp_path / "wave.mcap")
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mcap"))
    path.rename(odd)
    assert "caf\\udce9.mcap" in command("scan", odd).out
    assert command("scan", odd, "--json").document["recordings"][0]["path"] == str(odd)


def test_of_thousands_of_faults_the_first_are_shown_and_the_others_counted(command: Command, tmp_path: Path) -> None:
    path = healthy(tmp_path / "run.mcap")
    broken = b"".join(struct.pack("<BQ", 3, 1) + bytes([n % 256]) for n in range(1500))
    path.write_bytes(path.read_bytes()[:8] + broken + path.read_bytes()[8:])
    answer = command("scan", path)
    assert answer.code == 1
    shown = [line for line in answer.out.splitlines() if line.startswith("error")]
    assert len(shown) == 20
    assert "more faults (--json lists them)" in answer.out
    told = json.loads(command("scan", path, "--json").out)["recordings"][0]["faults"]
    assert len(told) <= 1000 + 5
    assert sum(fault.get("num_untold", 1) for fault in told if fault["code"] == "record_damaged") == 1500
