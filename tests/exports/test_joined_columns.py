"""One dataset of recordings whose joints stand in different orders, through everything that puts episodes side by side.

The recordings are written by mcap's and rosbags' own writers; exports are read by pyarrow and h5py.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.writer import CompressionType, Writer
from rosbags.rosbag1 import Writer as Rosbag1Writer
from rosbags.typesys import Stores, get_typestore

from bagmill.dataset import Dataset, curate, load_snapshot, make_snapshot
from bagmill.episodes import Episode
from bagmill.errors import ExportError, FeatureError, TrainingError
from bagmill.exports import export_aloha, export_lerobot, select_source
from bagmill.ingest import IngestRequest, ingest
from bagmill.normalisation import Normalisation, measure_normalisation
from bagmill.profile import parse_profile
from bagmill.testing.published import PublishedEpisode, publish_episode
from bagmill.training import EpisodeDataset, Mixture, SignalScaling

h5py = pytest.importorskip("h5py", reason="h5py is in the extra `exports`")

START_NS = 1_700_000_000_000_000_000
STEP_NS = 50_000_000
VALUE = {"shoulder": 1.0, "elbow": 2.0, "gripper": 0.25}
"""Of every joint at the first tick; each grows by the same a tick."""
GROWTH = 1 / 64
NUM = 12


def position(joint: str, tick: int | np.ndarray) -> Any:
    return VALUE[joint] + GROWTH * tick


def _joint_state(store: Any, names: Sequence[str], tick: int) -> Any:
    types = store.types
    stamp_ns = START_NS + tick * STEP_NS
    stamp = types["builtin_interfaces/msg/Time"](sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)
    header = types["std_msgs/msg/Header"]
    empty = np.zeros(0)
    return types["sensor_msgs/msg/JointState"](
        header(0, stamp, "") if "seq" in header.__annotations__ else header(stamp, ""),
        list(names),
        np.array([position(name, tick) for name in names]),
        empty,
        empty,
    )


def write_mcap(path: Path, names: Sequence[str]) -> Path:
    store = get_typestore(Stores.ROS2_HUMBLE)
    kind = "sensor_msgs/msg/JointState"
    with path.open("wb") as file:
        writer = Writer(file, compression=CompressionType.NONE)
        writer.start("ros2", "")
        schema = writer.register_schema(kind, "ros2msg", store.generate_msgdef(kind, ros_version=2)[0].encode())
        channels = [writer.register_channel(topic, "cdr", schema) for topic in ("/joint_states", "/commands")]
        for tick in range(NUM):
            data = bytes(store.serialize_cdr(_joint_state(store, names, tick), kind))
            for channel in channels:
                writer.add_message(channel, START_NS + tick * STEP_NS, data, START_NS + tick * STEP_NS, tick)
        writer.finish()
    return path


def write_rosbag1(path: Path, names: Sequence[str]) -> Path:
    store = get_typestore(Stores.ROS1_NOETIC)
    kind = "sensor_msgs/msg/JointState"
    with Rosbag1Writer(path) as writer:
        connections = [writer.add_connection(topic, kind, typestore=store) for topic in ("/joint_states", "/commands")]
        for tick in range(NUM):
            data = bytes(store.serialize_ros1(_joint_state(store, names, tick), kind))
            for connection in connections:
                writer.write(connection, START_NS + tick * STEP_NS, data)
    return path


def ingest_joints(folder: Path, recording: Path, *, units: str | None = "rad", names: Sequence[str] = ()) -> None:
    state = {"channel": "/joint_states", "field": "position", "units": units, "names": list(names)}
    profile = {"name": "arm", "rate_hz": 20, "features": {"state": state, "action": state | {"channel": "/commands"}}}
    outcome = ingest(
        IngestRequest(
            episode=recording.name, recording=recording, dataset=folder / "data", profile=parse_profile(profile)
        )
    )
    assert outcome.refusal is None, outcome.refusal


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("recorded")
    ingest_joints(folder, write_mcap(folder / "a.mcap", ["shoulder", "elbow", "gripper"]))
    ingest_joints(folder, write_rosbag1(folder / "b.bag", ["gripper", "shoulder", "elbow"]))
    ingest_joints(folder, write_mcap(folder / "c.mcap", ["elbow", "gripper", "shoulder"]))
    dataset = Dataset(folder / "data")
    make_snapshot(dataset)
    return dataset


def assert_named(values: np.ndarray, names: Sequence[str], ticks: np.ndarray) -> None:
    """(N, D) values are those of joints at ticks (N,)."""
    assert sorted(names) == sorted(VALUE)
    expected = np.stack([position(name, ticks) for name in names], axis=-1)
    np.testing.assert_allclose(values, expected, atol=1e-6)


def check_loader(data: EpisodeDataset | Mixture) -> None:
    batch = data.batch(np.arange(min(len(data), 40)))
    for key in ("state", "action"):
        assert_named(batch[key], data.spec[key].names, batch["tick"])


def check_statistics(measured: Normalisation, num_episodes: int) -> None:
    ticks = np.tile(np.arange(NUM), num_episodes)
    for key in ("state", "action"):
        found = measured.features[key]
        assert all(found.named)
        for name, mean, std, low, high in zip(found.names, found.mean, found.std, found.min, found.max, strict=True):
            values = position(name, ticks)
            assert (low, high) == (values.min(), values.max())
            assert (mean, std) == (pytest.approx(values.mean()), pytest.approx(values.std()))


def read_lerobot(folder: Path) -> dict[str, tuple[np.ndarray, list[str], np.ndarray]]:
    """Key → values, their names, the ticks."""
    features = json.loads((folder / "meta/info.json").read_text())["features"]
    table = pq.read_table(folder / "data/chunk-000/file-000.parquet")
    ticks = np.array(table["frame_index"].to_pylist())
    return {
        key: (np.array(table[key].to_pylist()), features[key]["names"], ticks)
        for key in ("observation.state", "action")
    }


def check_exports(dataset: Dataset, folder: Path, num_episodes: int) -> None:
    source = select_source(dataset)
    export_lerobot(source, folder / "lerobot")
    for values, names, ticks in read_lerobot(folder / "lerobot").values():
        assert_named(values, names, ticks)
    stats = json.loads((folder / "lerobot/meta/stats.json").read_text())["observation.state"]
    of_state = read_lerobot(folder / "lerobot")["observation.state"][1]
    assert stats["max"] == [position(name, NUM - 1) for name in of_state]
    export_aloha(source, folder / "aloha")
    for index in range(num_episodes):
        with h5py.File(folder / f"aloha/episode_{index}.hdf5") as root:
            for name in ("observations/qpos", "action"):
                assert_named(root[name][()], list(root[name].attrs["names"]), np.arange(NUM))


def test_recordings_of_the_same_joints_in_other_orders(recorded: Dataset, tmp_path: Path) -> None:
    data = EpisodeDataset(recorded)
    assert data.spec["state"].names == ("shoulder", "elbow", "gripper")
    assert data.spec["state"].units == ("rad",) * 3
    assert data.notes == ()
    check_loader(data)
    check_loader(EpisodeDataset(recorded, cache_bytes=0))
    windows = EpisodeDataset(recorded, history=3, horizon=2, padding="edge").batch([20])
    ticks = np.array([6, 7, 8])
    assert_named(windows["state"][0], data.spec["state"].names, ticks)
    later = EpisodeDataset(recorded, where="episode != 'a.mcap'")
    assert later.spec["state"].names == data.spec["state"].names, "as in the whole snapshot"
    check_loader(later)
    check_loader(EpisodeDataset.from_recipe(later.recipe()))
    measured = measure_normalisation(recorded)
    check_statistics(measured, 3)
    check_exports(recorded, tmp_path, 3)
    batch = later.batch(np.arange(len(later)))
    SignalScaling(later.spec, measured).apply(batch)
    of_gripper = batch["state"][:, 2] * measured.features["state"].std[2] + measured.features["state"].mean[2]
    np.testing.assert_allclose(of_gripper, position("gripper", batch["tick"]), atol=1e-6)


def test_a_split_has_the_order_of_its_snapshot(recorded: Dataset) -> None:
    splits = curate(recorded, splits={"train": 0.5, "val": 0.5}, salt="2")

    orders = {
        EpisodeDataset(recorded, snapshot=splits.id, split=split).spec["state"].names for split in ("train", "val")
    }

    assert orders == {("shoulder", "elbow", "gripper")}


@settings(max_examples=6)
@given(st.permutations(list(VALUE)), st.permutations(list(VALUE)), st.sampled_from(["float32", "float64"]))
def test_no_order_changes_a_values_name(first: list[str], second: list[str], dtype: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder)
        both, alone = Dataset(path / "both"), Dataset(path / "alone")
        for dataset, name, names in ((both, "a", first), (both, "b", second), (alone, "c", second)):
            values = np.stack([position(joint, np.arange(NUM)) for joint in names], axis=1)
            kinds = {"state": values.astype(dtype if name == "a" else "float32"), "action": values}
            publish_episode(
                dataset,
                PublishedEpisode(name=name, num_ticks=NUM, values=kinds, names={"state": names, "action": names}),
            )
        for dataset in (both, alone):
            make_snapshot(dataset)
        sources = [EpisodeDataset(both), EpisodeDataset(alone)]
        assert sources[0].spec["state"].dtype == dtype
        for data in (*sources, Mixture([(source, 1) for source in sources])):
            check_loader(data)
        check_statistics(measure_normalisation(both), 2)
        check_exports(both, path, 2)


def test_the_same_joints_taken_by_name_go_with_any_others(recorded: Dataset, tmp_path: Path) -> None:
    """A profile's `names` say the order, whatever the messages have."""
    ingest_joints(
        tmp_path, write_mcap(tmp_path / "z.mcap", ["elbow", "gripper", "shoulder"]), names=["elbow", "shoulder"]
    )
    ingest_joints(
        tmp_path, write_mcap(tmp_path / "y.mcap", ["gripper", "elbow", "shoulder"]), names=["shoulder", "elbow"]
    )
    dataset = Dataset(tmp_path / "data")
    make_snapshot(dataset)

    data = EpisodeDataset(dataset)
    mixture = Mixture([(data, 1), (EpisodeDataset(recorded), 1)])

    assert data.spec["state"].names == ("shoulder", "elbow")
    assert mixture.spec["state"].names == ("shoulder", "elbow", "gripper")
    batch = mixture.batch(np.arange(32))
    for row, (source, tick) in enumerate(zip(batch["source"], batch["tick"], strict=True)):
        expected = [position(name, tick) for name in ("shoulder", "elbow", "gripper")]
        assert batch["state"][row] == pytest.approx(expected if source else [*expected[:2], 0.0])
        assert batch["dims/state"][row].tolist() == [True, True, bool(source)]


def test_named_and_unnamed_parts_of_one_feature(tmp_path: Path) -> None:
    """Joints in two orders beside a velocity that has no names: each part follows its own."""
    store = get_typestore(Stores.ROS2_HUMBLE)
    kind = "geometry_msgs/msg/Vector3Stamped"
    vector = store.types["geometry_msgs/msg/Vector3"](7.0, 8.0, 9.0)
    parts = [{"channel": "/joint_states", "field": "position"}, {"channel": "/velocity", "field": "vector"}]
    orders = {"a": ["shoulder", "elbow", "gripper"], "b": ["gripper", "elbow", "shoulder"]}
    for name, names in orders.items():
        path = tmp_path / f"{name}.mcap"
        with path.open("wb") as file:
            writer = Writer(file, compression=CompressionType.NONE)
            writer.start("ros2", "")
            channels = {}
            for topic, of in (("/joint_states", "sensor_msgs/msg/JointState"), ("/velocity", kind)):
                text = store.generate_msgdef(of, ros_version=2)[0].encode()
                channels[topic] = writer.register_channel(topic, "cdr", writer.register_schema(of, "ros2msg", text))
            for tick in range(NUM):
                joints = _joint_state(store, names, tick)
                stamped = store.types[kind](joints.header, vector)
                for topic, message, of in (
                    ("/joint_states", joints, "sensor_msgs/msg/JointState"),
                    ("/velocity", stamped, kind),
                ):
                    stamp_ns = START_NS + tick * STEP_NS
                    writer.add_message(
                        channels[topic], stamp_ns, bytes(store.serialize_cdr(message, of)), stamp_ns, tick
                    )
            writer.finish()
        profile = {"name": "arm", "rate_hz": 20, "features": {"state": parts if name == "a" else parts[::-1]}}
        request = IngestRequest(episode=name, recording=path, dataset=tmp_path / "data", profile=parse_profile(profile))
        assert ingest(request).refusal is None
    dataset = Dataset(tmp_path / "data")
    make_snapshot(dataset)

    data = EpisodeDataset(dataset)

    assert data.spec["state"].named == (True,) * 3 + (False,) * 3
    assert not data.spec["state"].is_named
    assert data.notes == ("state: columns without names (vector[0], vector[1], vector[2]) are put together by place",)
    batch = data.batch(np.arange(len(data)))
    assert_named(batch["state"][:, :3], data.spec["state"].names[:3], batch["tick"])
    assert (batch["state"][:, 3:] == [7, 8, 9]).all()
    (table,) = {
        text
        for text in load_snapshot(dataset)["features"]
        if '"vector[0]", "vector[1]", "vector[2]", "gripper"' in text
    }
    assert json.loads(table)["state"]["named"] == [False] * 3 + [True] * 3
    for episode, names in zip(("a", "b"), data.table["path"], strict=True):
        stored = Episode(dataset.path / names).features["state"].attributes
        assert stored["named"] == [name in VALUE for name in stored["names"]], episode


def _dataset(folder: Path, **episodes: Mapping[str, Any]) -> Dataset:
    """Episodes of one signal `state`, or of what is given; a snapshot."""
    dataset = Dataset(folder / "data")
    for name, said in episodes.items():
        values = {"state": np.ones((NUM, 2), np.float32), "action": np.ones((NUM, 1), np.float32)}
        publish_episode(dataset, PublishedEpisode(**{"name": name, "num_ticks": NUM, "values": values, **said}))
    make_snapshot(dataset)
    return dataset


REFUSALS = {
    "other names": (
        {"names": {"state": ("a", "b")}, "robot": "one"},
        {"names": {"state": ("a", "c")}, "robot": "two"},
        r"state has columns a, b in first and columns a, c in second\. Take .* by `where`, as `robot == 'one'`",
    ),
    "names and none": (
        {"names": {"state": ("a", "b")}},
        {},
        r"state has columns a, b in first and only places \(state\[0\], state\[1\]\) in second",
    ),
    "other units": (
        {"units": {"state": "rad"}},
        {"units": {"state": ("rad", "deg")}},
        r"state has state\[1\] in rad in first and state\[1\] in deg in second",
    ),
    "units and none": (
        {"units": {"state": "rad"}},
        {},
        r"state has state\[0\] in rad in first and state\[0\] without a unit in second",
    ),
    "other scales": (
        {"values": {"depth/cam": np.full((NUM, 4, 6), 1000, np.uint16)}},
        {"values": {"depth/cam": np.full((NUM, 4, 6), 4000, np.uint16)}, "scale_m": {"depth/cam": 0.00025}},
        r"depth/cam has 0.001 m a count in first and 0.00025 m a count in second\..* `episode in \['first'\]`",
    ),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_what_does_not_agree_is_refused_with_both_sides(kind: str, tmp_path: Path) -> None:
    first, second, message = REFUSALS[kind]
    dataset = _dataset(tmp_path, first=first, second=second)
    name = "depth/cam" if "scale" in kind else "state"

    with pytest.raises(TrainingError, match=message):
        EpisodeDataset(dataset)
    with pytest.raises(ExportError, match=message):
        select_source(dataset)
    if kind == "other names":
        found = measure_normalisation(dataset).features["state"]
        assert (found.names, found.count) == (("a", "b", "c"), (2 * NUM, NUM, NUM)), "each column by itself"
    else:
        with pytest.raises(FeatureError, match=message):
            measure_normalisation(dataset, features=[name])
        measured = measure_normalisation(dataset)
        assert name not in measured.features
        assert measured.left_out[name].startswith(message[:5])
    where = "robot == 'one'" if kind == "other names" else "episode in ['first']"
    for condition in (where, f"not ({where})"):
        assert len(EpisodeDataset(dataset, where=condition)) == NUM
        assert len(select_source(dataset, where=condition).episodes) == 1


def test_one_scale_goes_into_every_file(tmp_path: Path) -> None:
    depth = {
        "values": {
            "state": np.ones((NUM, 2)),
            "action": np.ones((NUM, 1)),
            "depth/cam": np.ones((NUM, 4, 6), np.uint16),
        }
    }
    dataset = _dataset(
        tmp_path, a=depth | {"scale_m": {"depth/cam": 0.00025}}, b=depth | {"scale_m": {"depth/cam": 0.00025}}
    )

    data = EpisodeDataset(dataset)
    export_aloha(select_source(dataset), tmp_path / "out")

    assert data.spec["depth/cam"].scale_m == 0.00025
    assert measure_normalisation(dataset).features["depth/cam"].scale_m == 0.00025
    for index in range(2):
        with h5py.File(tmp_path / f"out/episode_{index}.hdf5") as root:
            assert root["observations/images_depth/cam"].attrs["scale_m"] == 0.00025


def test_columns_without_names_are_said_to_go_by_place(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    dataset = _dataset(tmp_path, a={"units": {"state": "m"}}, b={"units": {"state": "m"}})
    note = "state: columns without names (state[0], state[1]) are put together by place"

    with caplog.at_level("INFO"):
        data = EpisodeDataset(dataset)
    report = export_lerobot(select_source(dataset), tmp_path / "lerobot")

    assert data.notes[0] == note
    assert note in caplog.messages
    assert f"{note}." in report.notes
    assert note in measure_normalisation(dataset).notes
    assert EpisodeDataset(dataset, where="episode == 'a'").notes == (), "nothing is compared"
    mixture = Mixture([(data, 1), (data, 1)])
    assert note in mixture.notes


def test_doubles_are_kept_and_what_a_format_loses_is_told(tmp_path: Path) -> None:
    """Metres of UTM, of which float32 knows every half."""
    easting = 5_812_345.1 + np.arange(NUM)[:, None] * 0.01
    values = {"values": {"state": np.concatenate([easting, easting], axis=1), "action": np.ones((NUM, 1))}}
    dataset = _dataset(tmp_path, a=values)

    data = EpisodeDataset(dataset)
    batch = data.batch(np.arange(NUM))
    assert np.array_equal(batch["state"][:, 0], easting[:, 0])
    SignalScaling(data.spec, measure_normalisation(dataset)).apply(batch)
    np.testing.assert_allclose(np.diff(batch["state"][:, 0]), 0.01 / easting.std(), rtol=1e-6)
    export_aloha(select_source(dataset), tmp_path / "aloha")
    with h5py.File(tmp_path / "aloha/episode_0.hdf5") as root:
        assert np.array_equal(root["observations/qpos"][:, 0], easting[:, 0])
    report = export_lerobot(select_source(dataset), tmp_path / "lerobot")
    change = float(np.abs(easting - easting.astype(np.float32)).max())
    assert any(
        loss.startswith(f"state is written as float32, not float64: numbers change by {change:.3g}")
        for loss in report.losses
    )


@pytest.mark.parametrize("export", [export_lerobot, export_aloha])
def test_infinite_ranges_are_counted(export: Callable[..., Any], tmp_path: Path) -> None:
    ranges = np.tile(np.array([[1.5, np.inf]], np.float32), (NUM, 1))
    ranges[0] = (np.inf, 4.0)
    dataset = _dataset(tmp_path, a={"values": {"state": ranges, "action": np.ones((NUM, 1), np.float32)}})

    report = export(select_source(dataset), tmp_path / "out")

    (state,) = [each for each in report.features if each.feature == "state"]
    assert state.num_not_finite == NUM
    assert f"state: {NUM} numbers are infinite or nan, and are written so." in report.notes
    found = measure_normalisation(dataset).features["state"]
    assert (found.num_left_out, found.count) == ((1, NUM - 1), (NUM - 1, 1))
    assert (found.min, found.max, found.quantiles["0.5"]) == ((1.5, 4.0), (1.5, 4.0), (1.5, 4.0))
    if export is export_lerobot:
        stats = json.loads((tmp_path / "out/meta/stats.json").read_text())["observation.state"]
        assert (stats["min"], stats["max"], stats["count"]) == ([1.5, 4.0], [1.5, 4.0], [NUM])


def test_a_refusal_among_many_episodes_says_a_condition_that_works(tmp_path: Path) -> None:
    said = {
        "scale": ({}, {"scale_m": {"depth/cam": 0.00025}}),
        "names": ({"names": {"state": ("a", "b")}}, {"names": {"state": ("a", "c")}}),
        "units": ({"units": {"state": ("rad", "m")}}, {"units": {"state": ("rad", "mm")}}),
    }
    for kind, (one, other) in said.items():
        values = {"state": np.ones((2, 2)), "depth/cam": np.ones((2, 2, 2), np.uint16)}
        dataset = Dataset(tmp_path / kind)
        for number in range(12):
            of_kind = one if number % 2 else other
            publish_episode(dataset, PublishedEpisode(name=f"e{number:02}", num_ticks=2, values=values, **of_kind))
        make_snapshot(dataset)

        with pytest.raises(TrainingError) as caught:
            EpisodeDataset(dataset)

        (condition,) = re.findall(r"as `(features\.str\.contains[^`]*)`", str(caught.value.remedy))
        assert len(EpisodeDataset(dataset, where=condition)) == 12
        assert len(EpisodeDataset(dataset, where=f"not {condition}")) == 12
