"""What a snapshot's table knows of columns, also of episodes and snapshots from before it did."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bagmill.dataset import (
    Dataset,
    EpisodeReport,
    FeatureReport,
    HeldFeature,
    episode_features,
    held_features,
    load_snapshot,
    make_snapshot,
    save_report,
)
from bagmill.episodes import EpisodeWriter
from bagmill.testing.published import PublishedEpisode, publish_episode

STATE = np.arange(6, dtype=np.float32).reshape(2, 3)


def old_episode(dataset: Dataset, name: str, attributes: dict[str, object], field: str | None = None) -> None:
    """As it was published before reports knew names, and attributes whether they were any."""
    with EpisodeWriter(dataset.path, name, "v") as writer:
        writer.put_array("time", np.arange(2))
        writer.put_array("valid/state", np.ones(2, np.bool_))
        writer.put_signal("state", STATE, attributes=attributes)
        writer.publish({"features": {"state": {"field": field}}} if field else {})
    features = (FeatureReport("state", "signal", (3,), "float32", "/j"),)
    report = EpisodeReport(name, "v", f"/{name}", "p", 1, rate_hz="30", num_ticks=2, features=features)
    save_report(dataset, report)


def held(dataset: Dataset) -> list[HeldFeature]:
    return [each["state"] for each in held_features(load_snapshot(dataset), dataset.path)]


def without_facts(dataset: Dataset) -> None:
    """Make a snapshot's table what it was before it knew names: its id does not depend on that."""
    (path,) = dataset.snapshots_dir.glob("*.parquet")
    table = pq.ParquetFile(path).read().replace_schema_metadata(None)  # nor did it have a checksum
    texts = [
        json.dumps(
            {name: {key: said[key] for key in ("kind", "shape", "dtype")} for name, said in json.loads(text).items()}
        )
        for text in table["features"].to_pylist()
    ]
    place = table.column_names.index("features")
    pq.write_table(table.set_column(place, "features", pa.array(texts)), path)


def test_a_new_table_says_all(tmp_path: Path) -> None:
    dataset = Dataset(tmp_path / "d")
    publish_episode(
        dataset,
        PublishedEpisode(
            name="a",
            num_ticks=2,
            values={"state": STATE, "force": STATE[:, :1], "depth/cam": np.ones((2, 4, 6), np.uint16)},
            names={"state": ("b", "a", "c")},
            units={"state": ("rad", "rad", None), "force": "N"},
            scale_m={"depth/cam": 0.00025},
        ),
    )
    make_snapshot(dataset)

    (row,) = load_snapshot(dataset)["features"]

    assert json.loads(row) == {
        "state": {
            "kind": "signal", "shape": [3], "dtype": "float32", "names": ["b", "a", "c"], "is_named": True,
            "units": ["rad", "rad", None],
        },
        "force": {
            "kind": "signal", "shape": [1], "dtype": "float32", "names": ["force"], "is_named": False, "units": "N",
        },
        "depth/cam": {"kind": "depth", "shape": [4, 6], "dtype": "uint16", "scale_m": 0.00025},
    }  # fmt: skip
    shutil.rmtree(dataset.path / "episodes")
    (found,) = held_features(load_snapshot(dataset), dataset.path)
    assert found["state"].units == ("rad", "rad", None)
    assert found["force"].named == (False,)
    assert found["depth/cam"].scale_m == 0.00025


def test_older_ones_are_completed_from_the_episodes(tmp_path: Path) -> None:
    dataset = Dataset(tmp_path / "d")
    old_episode(dataset, "a", {"names": ["x", "y", "z"], "units": "rad"}, field="position")
    old_episode(dataset, "b", {"names": ["position[0]", "position[1]", "position[2]"], "units": None}, field="position")
    old_episode(dataset, "c", {"names": ["q[0]", "q[1]", "q[2]"], "units": ["m", None, "m"]})
    old_episode(dataset, "d", {})
    old_episode(dataset, "e", {"names": ["x"], "units": 3})
    old_episode(dataset, "f", {"names": ["z", "y", "x"], "units": "rad"}, field="position")
    make_snapshot(dataset)
    from_reports = held(dataset)

    without_facts(dataset)

    assert held(dataset) == from_reports
    assert [each.names for each in from_reports] == [
        ("x", "y", "z"),
        ("position[0]", "position[1]", "position[2]"),
        ("q[0]", "q[1]", "q[2]"),
        (),
        (),
        ("z", "y", "x"),
    ]
    assert [each.is_named for each in from_reports] == [True, False, False, False, False, True]
    assert [each.units for each in from_reports[:4]] == [("rad",) * 3, (None,) * 3, ("m", None, "m"), ()]
    assert all(each.shape == (3,) for each in from_reports)


def test_of_an_episode_that_is_gone_nothing_more_is_known(tmp_path: Path) -> None:
    dataset = Dataset(tmp_path / "d")
    old_episode(dataset, "a", {"names": ["x", "y", "z"]})
    old_episode(dataset, "b", {"names": ["x", "y", "z"]})
    make_snapshot(dataset)
    without_facts(dataset)
    shutil.rmtree(dataset.episode_path("a", "v"))
    (dataset.episode_path("b", "v") / "zarr.json").write_text('{"attributes": [], "consolidated_metadata"')

    assert [(each.names, each.shape) for each in held(dataset)] == [((), (3,)), ((), (3,))]


def test_the_order_is_that_of_the_whole_snapshot(tmp_path: Path) -> None:
    """Else what is learnt from and what is judged by might differ in it."""
    dataset = Dataset(tmp_path / "d")
    for name, names in (("a", "xyz"), ("b", "zyx"), ("c", "yzx")):
        publish_episode(
            dataset, PublishedEpisode(name=name, num_ticks=2, values={"state": STATE}, names={"state": names})
        )
    make_snapshot(dataset)
    whole = load_snapshot(dataset)

    for chosen in ([0, 1, 2], [1, 2], [2]):
        rows = whole.iloc[chosen].reset_index(drop=True)
        joined = episode_features(rows, of=whole, folder=dataset.path).join("state")
        assert joined.held.names == ("x", "y", "z")
