import re
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from bagmill.dataset import Dataset, load_snapshot
from bagmill.errors import ExportError, StorageError
from bagmill.exports import select_source

MakeDataset = Callable[..., Dataset]


def test_everything_of_the_latest_snapshot(make_dataset: MakeDataset, recipe):
    dataset = make_dataset(recipe("b", num_ticks=7), recipe("a", task="wave"))

    source = select_source(dataset)

    assert [(each.name, each.version, each.num_ticks, each.task) for each in source.episodes] == [
        ("a", "v1", 12, "wave"),
        ("b", "v1", 7, "pick up the cup"),
    ]
    assert source.num_ticks == 19
    assert source.rate_hz == Fraction(30)
    assert source.left_out == {}
    assert {name: (each.kind, each.shape, str(each.dtype)) for name, each in source.features.items()} == {
        "images/cam_high": ("image", (64, 96, 3), "uint8"),
        "depth/cam_high": ("depth", (48, 64), "uint16"),
        "state": ("signal", (3,), "float32"),
        "action": ("signal", (2,), "float32"),
    }
    assert source.episodes[1].open().num_ticks == 7
    assert source.snapshot_id == select_source(dataset, snapshot="paper").snapshot_id
    assert len(load_snapshot(dataset, source.snapshot_id)) == 2


def test_a_condition_and_features(make_dataset: MakeDataset, recipe):
    dataset = make_dataset(recipe("a"), recipe("b", num_ticks=7))

    source = select_source(dataset, where="num_ticks < 10", features=["state"])

    assert [each.name for each in source.episodes] == ["b"]
    assert list(source.features) == ["state"]
    assert source.left_out == dict.fromkeys(("images/cam_high", "depth/cam_high", "action"), "not asked for")
    with pytest.raises(ExportError, match="none of the 2 episodes of snapshot"):
        select_source(dataset, where="num_ticks > 100")
    with pytest.raises(ExportError, match=r"no episode has stat\. There are images/cam_high"):
        select_source(dataset, features=["stat"])


def test_what_not_every_episode_has(make_dataset: MakeDataset, recipe):
    dataset = make_dataset(recipe("a"), recipe("b", signals={"state": 3}))

    source = select_source(dataset)

    assert "action" not in source.features
    assert source.left_out == {"action": "only 1 of 2 episodes have it"}
    with pytest.raises(ExportError, match=r"action is missing in b\. "):
        select_source(dataset, features=["action"])


def test_episodes_that_have_nothing_in_common(make_dataset: MakeDataset, recipe):
    kinds = [recipe(name, cameras={}, signals={name: 3}) for name in ("a", "b")]
    dataset = make_dataset(*kinds)

    with pytest.raises(ExportError, match="there is no feature that all 2 episodes have"):
        select_source(dataset)


def test_rates_that_differ(make_dataset: MakeDataset, recipe):
    dataset = make_dataset(recipe("a"), recipe("b", rate_hz="30000/1001"), recipe("c", rate_hz="30000/1001"))

    with pytest.raises(ExportError, match=re.escape("29.97 Hz (2), 30 Hz (1)")):
        select_source(dataset)
    assert select_source(dataset, where="rate_hz < 30").rate_hz == Fraction(30000, 1001)


def test_shapes_and_dtypes_that_differ(make_dataset: MakeDataset, recipe):
    dataset = make_dataset(recipe("a"), recipe("b", signals={"state": 4, "action": 2}, dtypes={"action": "float64"}))

    with pytest.raises(ExportError, match="state has several shapes: 3 in a; 4 in b"):
        select_source(dataset)
    assert select_source(dataset, features=["action"]).features["action"].dtype == np.float64


def test_an_episode_without_a_tick(make_dataset: MakeDataset, recipe):
    dataset = make_dataset(recipe("a"), recipe("b", num_ticks=0, cameras={}))

    with pytest.raises(ExportError, match="episodes without a tick: b"):
        select_source(dataset)


def test_unknown_snapshots(make_dataset: MakeDataset, recipe):
    with pytest.raises(StorageError, match="Known names: latest, paper"):
        select_source(make_dataset(recipe("a")), snapshot="papre")
