"""The benchmark runs at a tiny size, who reads the same bytes gives the same pixels, and a process that stays answers."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.loader.__main__ import main
from benchmarks.loader.arrays import open_dataset
from benchmarks.loader.cases import ACTION, EIGHT, LEFT, STATE, Case, Timelines, past
from benchmarks.loader.readers import HDF5, JPEG, KINDS, PNG, ZARR, Reader
from benchmarks.loader.scenes import SCENES
from benchmarks.loader.stores import Stores, write_stores
from benchmarks.standing import StandingChild

_SIMULATED = SCENES[-1]


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Stores:
    return write_stores(_SIMULATED, tmp_path_factory.mktemp("stores"), [9, 12])


@pytest.mark.slow  # a dozen processes, most of which import torch
def test_a_tiny_run_has_every_contender(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch", reason="the loaders give tensors")
    monkeypatch.setenv("BAGMILL_RECORDINGS", str(tmp_path))  # the sample scene, wherever this runs
    file = tmp_path / "loader.json"
    sizes = ["--ticks", "40", "30", "--episodes", "60", "--samples", "300", "--rounds", "1"]

    arguments = ["--quick", *sizes, "--only", "natural 640", "--folder", str(tmp_path), "--json", str(file)]
    assert main(arguments) == 0

    tables = {table["title"]: table["rows"] for table in json.loads(file.read_text())["tables"]}
    arrays = tables["Batches of arrays"]
    contenders = {row["contender"] for row in arrays if row["case"] == "8 frames"}
    assert {"bagmill", "ceiling: the decoder alone", ZARR, JPEG, PNG} <= contenders
    assert all(row["samples_per_s"] > 0 and row["memory_mib"] > 0 for row in arrays)
    assert {row["ratio_to_ceiling"] for row in arrays if row["contender"].startswith("ceiling")} == {1.0}
    assert {row["cache"] for row in tables["Depth"]} == {"warm", "cold"}
    loaders = tables["Batches of tensors, by loaders"]
    assert {(row["num_workers"], row["cache"]) for row in loaders} == {
        (0, "warm"),
        (2, "warm"),
        (0, "cold"),
        (2, "cold"),
    }
    assert [row["name"] for row in tables["Memory over many samples"]] == [
        "bagmill, batch",
        "a worker of bagmill's loader",
    ]
    assert tables["Opening"][0]["num_episodes"] == 60
    bars = {row["bar"] for row in tables["Against what is wanted"]}
    assert {"random full frame, × the ceiling's rate", "opening a snapshot, s"} <= bars
    assert "| bagmill |" in capsys.readouterr().out


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("offsets", [(), past(3)])
def test_readers_and_bagmill_give_the_same_sample(kind: str, offsets: tuple[int, ...], stores: Stores) -> None:
    if kind == HDF5:
        pytest.importorskip("h5py", reason="HDF5 files")
    case = Case("compared", cameras=(LEFT,), offsets=offsets, has_signals=True, horizon=4)
    reader, dataset = Reader(kind, stores.folder, case), open_dataset(stores.folder, case)

    assert len(reader) == len(dataset) == 21
    for sample in (0, 8, 9, 20):  # the first and last ticks of both episodes, where windows reach beyond them
        expected, found = dataset[sample], reader[sample]
        np.testing.assert_array_equal(found[STATE], expected[STATE])
        np.testing.assert_array_equal(found[ACTION], expected[ACTION])
        if kind in (ZARR, JPEG):
            np.testing.assert_array_equal(found[LEFT], expected[LEFT])
        else:  # the frames before they were JPEG
            assert np.abs(found[LEFT].astype(int) - expected[LEFT]).mean() < 2


def test_samples_are_ticks_counted_through_the_episodes() -> None:
    timelines = Timelines([3, 20])

    assert [timelines.locate(sample) for sample in (0, 2, 3, 22)] == [(0, 0), (0, 2), (1, 0), (1, 19)]
    assert timelines.ticks(1, 1, past(4)) == [0, 0, 0, 1]
    drawn = np.concatenate([next(timelines.draw(seed=seed, batch_size=50)) for seed in range(4)])
    # A window of eight lies within its episode wherever one is long enough for that.
    assert set(drawn.tolist()) <= {2, *range(3 + 7, 23)}
    np.testing.assert_array_equal(*(next(timelines.draw(seed=3, batch_size=9)) for _ in range(2)))


def test_a_process_that_stays_answers_until_it_is_left(stores: Stores) -> None:
    arguments = {"folder": str(stores.folder), "num_threads": 1}
    with StandingChild("benchmarks.loader.arrays:prepare_bagmill", arguments) as child:
        answers = [child.ask(case=EIGHT.as_json(), seed=seed, seconds=0.0) for seed in (1, 2)]
    assert all(answer["num_samples"] == 2 * EIGHT.batch_size and answer["pss_bytes"] > 0 for answer in answers)
    assert Case.from_json(json.loads(json.dumps(EIGHT.as_json()))) == EIGHT


def test_a_process_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="plan.json"):
        StandingChild("benchmarks.loader.arrays:prepare_bagmill", {"folder": str(tmp_path), "num_threads": 1})


def test_a_scene_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--only", "moon"])
    assert caught.value.code == 2
    assert "the scenes are natural 640×480" in capsys.readouterr().err
