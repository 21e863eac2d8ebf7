"""A snapshot's statistics, against NumPy over everything at once."""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from bagmill.dataset import curate, load_snapshot, make_snapshot, resolve_id
from bagmill.errors import QueryError, StorageError
from bagmill.normalisation import (
    QUANTILES,
    FeatureStatistics,
    find_normalisation,
    load_normalisation,
    measure,
    measure_normalisation,
    save_normalisation,
)
from bagmill.normalisation.frames import choose_ticks
from tests.normalisation.conftest import Library

MakeLibrary = Callable[..., Library]


def _assert_describes(found: FeatureStatistics, values: np.ndarray) -> None:
    """Against NumPy, dimension by dimension, over what is finite."""
    for dimension, column in enumerate(values.reshape(-1, values.shape[-1]).T.astype(np.float64)):
        finite = column[np.isfinite(column)]
        assert found.count[dimension] == len(finite)
        assert found.num_left_out[dimension] == len(column) - len(finite)
        assert found.mean[dimension] == pytest.approx(finite.mean(), rel=1e-12)
        assert found.std[dimension] == pytest.approx(finite.std(), rel=1e-10)
        assert (found.min[dimension], found.max[dimension]) == (finite.min(), finite.max())
        for fraction in QUANTILES:
            assert found.quantiles[str(fraction)][dimension] == pytest.approx(np.quantile(finite, fraction), rel=1e-13)


def test_everything_against_numpy(make_library: MakeLibrary) -> None:
    library = make_library(40, 1, 200, 13)

    found = measure_normalisation(library.dataset, num_frames=10_000)

    assert list(found.features) == ["depth/wrist", "images/wrist", "state"]
    state, images, depth = (found.features[name] for name in ("state", "images/wrist", "depth/wrist"))
    _assert_describes(state, np.concatenate(library.values["state"]))
    _assert_describes(images, np.concatenate(library.values["images/wrist"]))
    readings = np.concatenate(library.values["depth/wrist"])
    _assert_describes(replace(depth, num_left_out=(0,)), readings[readings > 0].reshape(-1, 1))
    assert depth.num_left_out == ((readings == 0).sum(),)
    assert (state.names, state.unit, state.num_ticks) == (("joint0", "joint1", "joint2"), "rad", len(readings))
    assert (images.names, images.num_ticks) == (("red", "green", "blue"), len(readings))
    assert (depth.scale_m, depth.num_ticks) == (0.001, len(readings))
    assert (found.num_episodes, found.split) == (4, None)


def test_values_that_memory_does_not_hold(make_library: MakeLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    library = make_library(300, 200)
    in_memory = measure_normalisation(library.dataset, num_frames=0)

    monkeypatch.setattr(measure, "_MEMORY_BYTES", 1000)

    assert measure_normalisation(library.dataset, num_frames=0) == in_memory


def test_frames_are_sampled(make_library: MakeLibrary) -> None:
    library = make_library(100, 50, 350)

    found = measure_normalisation(library.dataset, num_frames=100, seed=3)

    images = found.features["images/wrist"]
    assert 60 <= images.num_ticks <= 100, "a fifth of the ticks has no frame"
    whole = np.concatenate(library.values["images/wrist"]).reshape(-1, 3)
    # Six standard errors: pixels are independent here.
    assert np.abs(np.array(images.mean) - whole.mean(axis=0)).max() < 6 * 74 / np.sqrt(images.count[0])
    assert measure_normalisation(library.dataset, num_frames=100, seed=3) == found
    assert measure_normalisation(library.dataset, num_frames=100, seed=4) != found
    _assert_describes(found.features["state"], np.concatenate(library.values["state"]))


def test_ticks_are_chosen_evenly() -> None:
    chosen = choose_ticks([100, 0, 7, 893], num_frames=50, seed=0)

    assert [len(each) for each in chosen] == [5, 0, pytest.approx(0, abs=1), pytest.approx(45, abs=1)]
    everywhere = np.concatenate([chosen[0], chosen[2] + 100, chosen[3] + 107])
    assert (everywhere // 20).tolist() == list(range(50)), "one of each twenty"
    assert [each.tolist() for each in choose_ticks([3, 2], num_frames=5, seed=0)] == [[0, 1, 2], [0, 1]]
    assert [each.tolist() for each in choose_ticks([3, 2], num_frames=99, seed=0)] == [[0, 1, 2], [0, 1]]
    assert choose_ticks([], num_frames=5, seed=0) == []
    assert 1 <= sum(map(len, choose_ticks([1000], num_frames=700, seed=0))) <= 700


def test_a_split_and_some_features(make_library: MakeLibrary) -> None:
    library = make_library(20, 30, 40, 50, 60, 70)
    curated = curate(library.dataset, splits={"train": 0.5, "test": 0.5})
    table = load_snapshot(library.dataset, curated.id)
    rows = np.flatnonzero(table["split"] == "train")
    assert 0 < len(rows) < 6

    found = measure_normalisation(library.dataset, curated.id, split="train", features=["state"])

    assert list(found.features) == ["state"]
    _assert_describes(found.features["state"], np.concatenate([library.values["state"][row] for row in rows]))
    assert found.num_episodes == len(rows)
    with pytest.raises(QueryError, match="has no split val. It has test, train"):
        measure_normalisation(library.dataset, curated.id, split="val")
    with pytest.raises(QueryError, match="has no split train. Give it splits"):
        measure_normalisation(library.dataset, split="train")
    with pytest.raises(QueryError, match="no episode of snapshot .* has velocity. There are depth/wrist"):
        measure_normalisation(library.dataset, features=["velocity"])


def test_episodes_of_other_widths_and_types(make_library: MakeLibrary) -> None:
    library = make_library(20, 30)
    library.add("wide", num_ticks=25, width=5, dtype=np.float64, seed=9)
    make_snapshot(library.dataset)

    found = measure_normalisation(library.dataset, num_frames=0).features["state"]

    narrow, wide = np.concatenate(library.values["state"][:2]), library.values["state"][2]
    both = np.concatenate([np.pad(narrow.astype(float), ((0, 0), (0, 2)), constant_values=np.nan), wide])
    _assert_describes(replace(found, num_left_out=tuple(np.isnan(both).sum(axis=0).tolist())), both)
    assert found.num_left_out[3:] == (0, 0), "what an episode does not have is not left out of it"
    assert found.names == ("joint0", "joint1", "joint2", "joint3", "joint4")


def test_it_is_kept_beside_the_snapshot(make_library: MakeLibrary) -> None:
    library = make_library(20, 5)
    dataset = library.dataset
    with pytest.raises(StorageError, match="is not there. Measure it with `bagmill stats`"):
        load_normalisation(dataset)
    assert find_normalisation(dataset, num_frames=9, seed=0) is None
    library.add("nothing", num_ticks=0)
    make_snapshot(dataset)
    found = measure_normalisation(dataset, num_frames=9)

    path = save_normalisation(dataset, found)

    assert path == dataset.snapshots_dir / f"{resolve_id(dataset, 'latest')}.normalisation.json"
    assert load_normalisation(dataset) == found
    assert find_normalisation(dataset, num_frames=9, seed=0) == found
    assert find_normalisation(dataset, num_frames=8, seed=0) is None
    assert find_normalisation(dataset, num_frames=9, seed=1) is None
    for damaged in (b"", b"{}", path.read_bytes().replace(b'"mean"', b'"means"'), path.read_bytes()[:-9]):
        path.write_bytes(damaged)
        with pytest.raises(StorageError, match="is no normalisation"):
            load_normalisation(dataset)
    other = replace(found, snapshot_id="0" * 20)
    save_normalisation(dataset, other).rename(path)
    with pytest.raises(StorageError, match="is that of snapshot 00000000000000000000"):
        load_normalisation(dataset)


def test_progress_is_told(make_library: MakeLibrary) -> None:
    said: list[tuple[str, int, int]] = []

    measure_normalisation(make_library(5, 6, 7).dataset, progress=lambda *step: said.append(step))

    assert said[:3] == [("read episodes", n, 3) for n in range(3)]
    assert said[-1] == ("find quantiles", 0, 1)


def test_a_damaged_episode_is_named(make_library: MakeLibrary) -> None:
    library = make_library(20)
    path = library.dataset.episode_path("e0", "v")
    (chunk,) = (path / "state" / "c" / "0").iterdir()
    chunk.write_bytes(chunk.read_bytes()[:-1] + b"?")

    with pytest.raises(StorageError) as caught:
        measure_normalisation(library.dataset)

    assert caught.value.path == path


def test_what_was_measured_column_by_column_is_measured_again(make_library: MakeLibrary) -> None:
    library = make_library(20)
    found = measure_normalisation(library.dataset, num_frames=9)
    path = save_normalisation(library.dataset, found)
    content = json.loads(path.read_bytes()) | {"schema": "bagmill-normalisation-1"}
    del content["checksum"]  # nor did it have one
    path.write_text(json.dumps(content))

    assert find_normalisation(library.dataset, num_frames=9, seed=0) is None
    with pytest.raises(StorageError, match="expected schema bagmill-normalisation-2.* Measure it with `bagmill stats`"):
        load_normalisation(library.dataset)
