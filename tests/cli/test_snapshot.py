import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bagmill.cli import run
from bagmill.dataset import Dataset, load_curation, load_snapshot, make_snapshot
from bagmill.testing import Settings, healthy, write_small_profile
from bagmill.testing.published import PublishedEpisode, publish_episode

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of three episodes, without a snapshot; not to be written to."""
    folder = tmp_path_factory.mktemp("three")
    (folder / "recordings").mkdir()
    for n, num_frames in enumerate((20, 30, 40)):
        healthy(folder / "recordings" / f"e{n}.mcap", settings=Settings(num_frames=num_frames))
    profile = write_small_profile(folder / "robot.yaml")
    arguments = [
        "ingest",
        folder / "recordings",
        "-p",
        profile,
        "-o",
        folder / "dataset",
        "--threads",
        "2",
        "--no-preview",
    ]
    assert run([*map(str, arguments)]) == 0
    return folder / "dataset"


@pytest.fixture
def library(three: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(three, tmp_path / "dataset"))


def test_a_way_from_all_episodes_to_a_curated_snapshot(library: Path, command: Command, tmp_path: Path) -> None:
    assert "No snapshot yet" in command("snapshot", "list", library).out

    made = command("snapshot", "make", library, "--name", "all", "--json").document
    assert (made["num_episodes"], made["name"], made["is_reused"]) == (3, "all", False)
    assert "stood already: 3 episodes" in command("snapshot", "make", library).out

    least = sorted(load_snapshot(Dataset(library))["num_ticks"])[1]
    told = command("snapshot", "query", library, "--where", f"num_ticks >= {least}")
    assert (told.code, "2 of 3 episodes" in told.out, "e0.mcap" in told.out) == (0, True, False)

    listed = tmp_path / "names.txt"
    listed.write_text("# these as well\ne0.mcap\n\n")
    curated = command(
        *("snapshot", "make", library, "--where", f"num_ticks >= {least}", "--include-from", listed),
        *("--exclude", "e2.mcap", "--split", "train=0.5", "--split", "test=0.5", "--salt", "x", "-n", "mine"),
    )
    assert curated.code == 0
    assert f"Chosen from {made['id']}: 1 left out" in curated.out
    table = load_snapshot(Dataset(library), "mine")
    assert table["episode"].tolist() == ["e0.mcap", "e1.mcap"]
    assert set(table["split"]) <= {"train", "test"}
    recipe = load_curation(Dataset(library), "mine")
    assert recipe is not None
    assert (recipe.steps[0].include, recipe.steps[0].salt) == (("e0.mcap",), "x")

    shown = command("snapshot", "list", library)
    assert [line.split()[1] for line in shown.out.splitlines() if "UTC" in line] == ["all,", "mine"]
    assert "curated" in shown.out
    first, second = command("snapshot", "list", library, "--json").document["snapshots"]
    assert (first["names"], first["num_episodes"], first["is_curated"]) == (["all", "latest"], 3, False)
    assert (second["names"], second["num_episodes"], second["is_curated"]) == (["mine"], 2, True)
    assert 0 < second["duration_s"] < first["duration_s"]


def test_rows_as_csv_and_json(library: Path, command: Command) -> None:
    command("snapshot", "make", library)

    rows = list(csv.DictReader(io.StringIO(command("snapshot", "query", library, "--csv").out)))
    assert [row["episode"] for row in rows] == ["e0.mcap", "e1.mcap", "e2.mcap"]
    assert float(rows[0]["quality.tick_coverage"]) > 50
    two = command(
        "snapshot", "query", library, "-w", "episode != 'e0.mcap'", "--csv", "-c", "episode", "-c", "num_ticks"
    ).out
    assert [line.split(",")[0] for line in two.splitlines()] == ["episode", "e1.mcap", "e2.mcap"]

    document = command("snapshot", "query", library, "-w", "episode == 'e1.mcap'", "--json").document
    (row,) = document["episodes"]
    assert (document["num_episodes"], row["episode"]) == (1, "e1.mcap")
    assert row["features"]["images/cam_wrist"]["kind"] == "image"
    assert document["where"] == "episode == 'e1.mcap'"


def test_the_table_has_the_columns_asked_for(library: Path, command: Command) -> None:
    command("snapshot", "make", library)

    told = command("snapshot", "query", library, "-c", "quality.tick_coverage", "--limit", "2")

    assert "quality.tick_coverage" in told.out
    assert ("e1.mcap" in told.out, "e2.mcap" in told.out) == (True, False)
    assert "… and 1 more" in told.err
    assert "0 of 3 episodes" in command("snapshot", "query", library, "-w", "num_ticks > 1e9").out


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["query", "-w", "num_tick > 3"], "names num_tick, which is no column. Did you mean num_ticks"),
        (["query", "-w", "num_ticks >"], "cannot be read"),
        (["query", "-c", "speed"], "has no column speed"),
        (["query", "--csv", "--json"], "two forms of the same"),
        (["make", "--split", "train"], "'train' is no split"),
        (["make", "--split", "train=0.5"], "0.5 together"),
        (["make", "--split", "a=0.5", "--split", "a=0.5"], "named twice"),
        (["make", "--exclude", "e9.mcap"], "has no episode called e9.mcap"),
        (["make", "--where", "num_ticks > 1e9"], "no episode of the 3"),
    ],
)
def test_what_is_asked_wrongly_is_2_and_one_line(
    library: Path, command: Command, arguments: list[str], problem: str
) -> None:
    command("snapshot", "make", library)

    answer = command("snapshot", arguments[0], library, *arguments[1:])

    assert answer.code == 2
    assert problem in answer.err
    assert answer.err.count("\n") == 1


def test_what_is_not_there(library: Path, command: Command, tmp_path: Path) -> None:
    assert command("snapshot", "query", library).code == 1
    assert "no snapshot is called 'latest'" in command("snapshot", "query", library).err
    assert "is no dataset" in command("snapshot", "list", tmp_path).err
    assert "No such file" in command("snapshot", "make", library, "--include-from", tmp_path / "none.txt").err
    assert command("snapshot").code == 2
    assert command("snapshot", "fly", library).code == 2


@pytest.mark.parametrize("action", ["make", "list", "query"])
def test_every_action_has_its_help(command: Command, action: str) -> None:
    told = command("snapshot", action, "-h")
    assert told.code == 0
    assert "--json" in told.out


def test_statistics_are_measured_once(library: Path, command: Command) -> None:
    command("snapshot", "make", library)

    first = command("stats", library, "--frames", "20")

    assert first.code == 0
    assert "Kept in" in first.err
    assert "images/cam_wrist" in first.out
    (kept,) = library.glob("snapshots/*.normalisation.json")
    again = command("stats", library, "--frames", "20", "--json")
    assert again.err == ""
    document = again.document
    assert document["num_episodes"] == 3
    assert len(document["features"]["images/cam_wrist"]["mean"]) == 3
    written = json.loads(kept.read_bytes())
    assert written["features"]["state"]["mean"] == document["features"]["state"]["mean"]
    assert "Kept in" in command("stats", library, "--frames", "10").err
    assert "has no split train" in command("stats", library, "--split", "train").err


def test_features_that_do_not_agree_are_refused_and_the_others_measured(tmp_path: Path, command: Command) -> None:
    dataset = Dataset(tmp_path / "data")
    for name, scale_m in (("a", 0.001), ("b", 0.00025)):
        depth = np.ones((4, 2, 2), np.uint16)
        ranges = np.array([[1.0, np.inf]] * 4, np.float32)
        publish_episode(
            dataset,
            PublishedEpisode(
                name=name,
                num_ticks=4,
                values={"depth/cam": depth, "ranges": ranges},
                units={"ranges": ("m", "s")},
                scale_m={"depth/cam": scale_m},
            ),
        )
    make_snapshot(dataset)

    for answer in (command("stats", dataset.path), command("stats", dataset.path)):
        assert answer.code == 1
        lines = [" ".join(line.split()) for line in answer.out.splitlines()]
        refused = next(line for line in lines if line.startswith("refused"))
        assert refused.startswith(
            "refused depth/cam has 0.001 m a count in a and 0.00025 m a count in b. Say the true scale"
        )
        assert "note ranges: columns without names (ranges[0], ranges[1]) are put together by place." in lines
        assert "left out ranges: 8 of 16 values are nan or infinite." in lines
        assert any(line.startswith("ranges ranges[0] m 1 0 1") for line in lines)
        assert any(line.startswith("ranges ranges[1] s") for line in lines)
    document = command("stats", dataset.path, "--json").document
    assert list(document["features"]) == ["ranges"]
    assert list(document["left_out"]) == ["depth/cam"]
