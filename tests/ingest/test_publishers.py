"""One topic, one type, two publishers whose definitions are written otherwise: one feature, in the recording's order."""

from pathlib import Path

import numpy as np
import pytest
import zarr
from mcap.writer import CompressionType, Writer
from rosbags.rosbag1 import Writer as BagWriter
from rosbags.typesys import Stores, get_typestore

from bagmill.dataset import Dataset
from bagmill.ingest import IngestOutcome, IngestRequest, ingest
from bagmill.profile import parse_profile

START_NS = 1_700_000_000_000_000_000
NAME = "sensor_msgs/msg/JointState"
SEPARATOR = "=" * 80 + "\n"
ROS1, ROS2 = get_typestore(Stores.ROS1_NOETIC), get_typestore(Stores.ROS2_HUMBLE)
TEXT = ROS2.generate_msgdef(NAME, ros_version=2)[0]
IDL = """================================================================================
IDL: sensor_msgs/msg/JointState
module sensor_msgs { module msg { struct JointState {
  std_msgs::msg::Header header; sequence<string> name;
  sequence<double> position; sequence<double> velocity; sequence<double> effort;
}; }; };
================================================================================
IDL: std_msgs/msg/Header
module std_msgs { module msg { struct Header { builtin_interfaces::msg::Time stamp; string frame_id; }; }; };
================================================================================
IDL: builtin_interfaces/msg/Time
module builtin_interfaces { module msg { struct Time { int32 sec; uint32 nanosec; }; }; };
"""


def joint_state(n: int, *, is_ros1: bool = False) -> bytes:
    types = ROS1.types if is_ros1 else ROS2.types
    stamp = types["builtin_interfaces/msg/Time"](sec=1_700_000_000 + n // 20, nanosec=n % 20 * 50_000_000)
    header = types["std_msgs/msg/Header"](**({"seq": n} if is_ros1 else {}), stamp=stamp, frame_id="")
    values = np.array([n, -n], float)
    message = types[NAME](header=header, name=["a", "b"], position=values, velocity=np.zeros(0), effort=np.zeros(0))
    return bytes(ROS1.serialize_ros1(message, NAME) if is_ros1 else ROS2.serialize_cdr(message, NAME))


def ingested(recording: Path) -> tuple[IngestOutcome, list[list[float]]]:
    profile = {
        "name": "p",
        "rate_hz": 20,
        "preview": {"enabled": False},
        "features": {"state": {"channel": "/js", "field": "position"}},
    }
    dataset = recording.parent / "data"
    outcome = ingest(IngestRequest("run", recording, dataset, parse_profile(profile), num_threads=1))
    if outcome.refusal is not None:
        return outcome, []
    path = Dataset(dataset).episode_path("run", outcome.report.version)
    return outcome, zarr.open_group(path, mode="r")["state"][:].tolist()


def write(path: Path, *definitions: tuple[str, str]) -> Path:
    with path.open("wb") as file:
        writer = Writer(file, compression=CompressionType.NONE, chunk_size=600)
        writer.start("ros2", "tests")
        schemas = [writer.register_schema(NAME, encoding, text.encode()) for encoding, text in definitions]
        channels = [writer.register_channel("/js", "cdr", schema) for schema in schemas]
        for n in range(40):
            stamp_ns = START_NS + n * 50_000_000
            writer.add_message(channels[n % len(channels)], stamp_ns, joint_state(n), stamp_ns)
        writer.finish()
    return path


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ros2msg", TEXT), ("ros2msg", "# of another tool\n" + TEXT)),
        (("ros2msg", ""), ("ros2msg", TEXT.replace("\n", "\r\n"))),
        (("ros2msg", TEXT), ("", "")),
        (("ros2msg", TEXT.split(SEPARATOR, maxsplit=1)[0]), ("ros2msg", TEXT.replace("std_msgs/", ""))),
        (("ros2msg", TEXT.split(SEPARATOR, maxsplit=1)[0]), ("ros2msg", "")),
        (("ros2idl", IDL), ("ros2msg", TEXT)),
        (("ros2msg", TEXT), ("ros2idl", IDL.replace("double", "/* a comment */ double"))),
    ],
    ids=["comment", "empty, and Windows", "no encoding", "without dependencies", "nothing whole", "IDL", "IDL second"],
)
def test_definitions_that_mean_the_same(one: tuple[str, str], other: tuple[str, str], tmp_path: Path) -> None:
    outcome, values = ingested(write(tmp_path / "run.mcap", one, other))
    assert outcome.refusal is None, outcome.refusal
    assert values == [[n, -n] for n in range(40)]


def test_definitions_that_differ_are_told_field_by_field(tmp_path: Path) -> None:
    changed = TEXT.replace("float64[] effort", "float32[] effort")
    outcome, _ = ingested(write(tmp_path / "run.mcap", ("ros2msg", TEXT), ("ros2msg", changed)))
    assert outcome.refusal is not None
    assert "/js was recorded with 2 different schemas: `effort` is float64[] in one and float32[] in another" in (
        outcome.refusal.reason
    )


def test_connections_of_a_bag(tmp_path: Path) -> None:
    text, md5 = ROS1.generate_msgdef(NAME, ros_version=1)
    path = tmp_path / "run.bag"
    with BagWriter(path) as bag:
        connections = [
            bag.add_connection("/js", NAME, msgdef=each, md5sum=md5, callerid=caller)
            for caller, each in (
                ("/cpp", text),
                ("/java", f"\n# rosjava\n{text}\n"),
                ("/serial", text.split("=" * 80)[0]),
            )
        ]
        for n in range(40):
            bag.write(connections[n % 3], START_NS + n * 50_000_000, joint_state(n, is_ros1=True))
    outcome, values = ingested(path)
    assert outcome.refusal is None, outcome.refusal
    assert values == [[n, -n] for n in range(40)]
