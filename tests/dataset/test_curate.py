"""Curated snapshots: who is in them, that they stand for ever, and that they say how they came about."""

import json
from collections.abc import Callable

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bagmill.dataset import (
    CurationStep,
    Dataset,
    EpisodeReport,
    apply_prune,
    assign_splits,
    curate,
    list_snapshot_names,
    load_curation,
    load_snapshot,
    make_snapshot,
    plan_prune,
)
from bagmill.dataset.snapshot_file import put_table
from bagmill.errors import QueryError, StorageError

MakeReport = Callable[..., EpisodeReport]
Publish = Callable[[EpisodeReport], EpisodeReport]
HALVES = {"train": 0.5, "test": 0.5}


@pytest.fixture
def library(dataset: Dataset, publish: Publish, make_report: MakeReport) -> Dataset:
    """Eight episodes of two robots, `e0` with 0 frames to `e7` with 700, and their snapshot."""
    for n in range(8):
        publish(make_report(f"e{n}", f"v{n}", num_frames=100 * n, robot="arm" if n % 2 else "hand"))
    make_snapshot(dataset)
    return dataset


def _episodes(dataset: Dataset, snapshot: str) -> str:
    return "".join(load_snapshot(dataset, snapshot)["episode"].str.removeprefix("e"))


@pytest.mark.parametrize(
    ("choice", "episodes"),
    [
        ({}, "01234567"),
        ({"where": "num_frames >= 500"}, "567"),
        ({"where": "num_frames >= 500", "include": ["e1", "e6"]}, "1567"),
        ({"where": "num_frames >= 500", "include": ["e1"], "exclude": ["e6", "e1"]}, "57"),
        ({"exclude": ["e0", "e7"]}, "123456"),
        ({"include": ["e3", "e2"]}, "23"),
        ({"include": ["e3", "e2"], "exclude": ["e3"]}, "2"),
        ({"where": "robot == 'arm' and num_frames > 200"}, "357"),
    ],
)
def test_include_wins_over_where_and_exclude_over_both(library: Dataset, choice: dict[str, object], episodes: str):
    curated = curate(library, **choice)

    assert _episodes(library, curated.id) == episodes
    assert (curated.num_episodes, curated.num_left_out) == (len(episodes), 8 - len(episodes))
    whole = load_snapshot(library)
    rows = whole[whole["episode"].isin([f"e{n}" for n in episodes])].reset_index(drop=True)
    # With every column of the snapshot it is chosen from; categories of rows that were left out are not there any more.
    pd.testing.assert_frame_equal(load_snapshot(library, curated.id), rows, check_categorical=False)


def test_latest_stays_where_it_is(library: Dataset):
    whole = make_snapshot(library).id

    curated = curate(library, where="num_frames > 300", name="long")

    assert load_snapshot(library)["episode"].count() == 8
    assert curated.id != whole
    assert curated.base_id == whole
    assert list_snapshot_names(library) == ["latest", "long"]
    assert _episodes(library, "long") == "4567"


def test_the_same_choice_is_the_same_snapshot(library: Dataset):
    first = curate(library, where="num_frames > 300", splits=HALVES)
    data = first.path.read_bytes()

    again = curate(library, where="num_frames > 300", splits=HALVES)

    assert (again.id, first.is_reused, again.is_reused) == (first.id, False, True)
    first.path.unlink()
    assert curate(library, where="num_frames > 300", splits=HALVES).path.read_bytes() == data
    others = [
        curate(library, where="num_frames > 301", splits=HALVES),  # the same rows
        curate(library, where="num_frames > 300"),
        curate(library, where="num_frames > 300", splits={"test": 0.5, "train": 0.5}),
        curate(library, where="num_frames > 300", splits=HALVES, salt="x"),
        curate(library, where="num_frames > 300", splits=HALVES, exclude=["e0"]),
    ]
    assert len({first.id, *(each.id for each in others)}) == 6


def test_splits_are_a_column(library: Dataset):
    curated = curate(library, splits=HALVES, salt="s")

    table = load_snapshot(library, curated.id)
    assert table["split"].tolist() == assign_splits(table["episode"], HALVES, salt="s")
    assert curated.num_by_split == {name: int((table["split"] == name).sum()) for name in ("train", "test")}


def test_what_is_added_later_moves_nothing(library: Dataset, publish: Publish, make_report: MakeReport):
    before = load_snapshot(library, curate(library, splits=HALVES).id).set_index("episode")["split"]
    for n in range(20, 40):
        publish(make_report(f"e{n}", "v"))
    make_snapshot(library)

    after = load_snapshot(library, curate(library, splits=HALVES).id).set_index("episode")["split"]

    assert len(after) == 28
    assert after[before.index].equals(before)


def test_splits_by_another_column(library: Dataset):
    seen = set()
    for salt in "abcdefgh":
        table = load_snapshot(library, curate(library, splits=HALVES, by="robot", salt=salt).id)
        robots = table.groupby("robot")["split"].unique()
        assert all(len(splits) == 1 for splits in robots), "a robot is in one split"
        seen |= {tuple(splits) for splits in robots}
    assert seen == {("train",), ("test",)}


def test_the_recipe_is_kept(library: Dataset):
    whole = make_snapshot(library).id
    assert load_curation(library) is None

    curate(
        library,
        where="num_frames > 0",
        include=["e0"],
        exclude=["e7", "e6"],
        splits=HALVES,
        by="robot",
        salt="s",
        name="a",
    )
    first = load_curation(library, "a")
    curated = curate(library, "a", where="split == 'train' or robot == 'hand'", name="b")

    assert first is not None
    assert first.steps == (
        CurationStep(whole, "num_frames > 0", ("e0",), ("e6", "e7"), {"train": 0.5, "test": 0.5}, "robot", "s"),
    )
    assert list(first.steps[0].splits) == ["train", "test"]
    second = load_curation(library, "b")
    assert second is not None
    assert second.steps[0] == first.steps[0]
    assert second.steps[1].where == "split == 'train' or robot == 'hand'"
    assert load_curation(library, second.steps[1].base_id) == first
    assert "split" in load_snapshot(library, "b"), "the base's splits stay"
    metadata = pq.ParquetFile(curated.path).schema_arrow.metadata
    assert json.loads(metadata[b"bagmill_curation"])["steps"][0]["where"] == "num_frames > 0", "plain JSON in the file"


def test_splits_again_take_the_place_of_the_base_s(library: Dataset):
    first = curate(library, splits=HALVES)

    second = load_snapshot(library, curate(library, first.id, splits={"all": 1.0}).id)

    assert second["split"].tolist() == ["all"] * 8
    assert second.columns.tolist().count("split") == 1


def test_a_changed_file_is_found_out(library: Dataset):
    curated = curate(library, where="num_frames > 300", splits=HALVES)
    table = pq.read_table(curated.path)
    metadata = table.schema.metadata
    moved = table.set_column(table.column_names.index("split"), "split", pa.array(["train"] * len(table)))
    changed = {
        "a split": moved,
        "a row less": table[:-1],
        "no splits": table.drop_columns(["split"]),
        "the recipe": table.replace_schema_metadata(
            metadata | {b"bagmill_curation": metadata[b"bagmill_curation"].replace(b"300", b"301")}
        ),
        "no recipe": table.replace_schema_metadata({}),
    }
    for other in changed.values():
        pq.write_table(other, curated.path)
        with pytest.raises(StorageError, match="not those that its id was taken over"):
            load_snapshot(library, curated.id)


def test_a_recipe_of_another_version_is_said(library: Dataset):
    """Its rows can be trained on all the same."""
    table = pq.read_table(make_snapshot(library).path)
    snapshot_id, path, _ = put_table(library, table, curation=b'{"schema": "bagmill-curation-9"}')

    assert len(load_snapshot(library, snapshot_id)) == 8
    for use in (load_curation, curate):
        with pytest.raises(StorageError, match=f"the recipe of snapshot {snapshot_id} cannot be read: expected schema"):
            use(library, snapshot_id)
    assert path.exists()


def test_names_that_no_episode_has(library: Dataset):
    with pytest.raises(QueryError, match="has no episode called e71, nothing. Did you mean e7"):
        curate(library, include=["nothing", "e1", "e71"])
    with pytest.raises(QueryError, match="x0, .*, x8, x9, and 2 more"):
        curate(library, exclude=[f"x{n}" for n in "0123456789ab"])


def test_choices_that_cannot_be(library: Dataset):
    before = sorted(library.snapshots_dir.iterdir())
    for choice, problem in (
        ({"where": "num_frames > 9000"}, "no episode of the 8 in snapshot .* is left"),
        ({"where": "frames > 9000"}, "names frames, which is no column"),
        ({"splits": {"train": 0.5}}, "0.5 together"),
        ({"splits": HALVES, "by": "robots"}, "by robots, which is no column. Did you mean robot"),
        ({"splits": HALVES, "by": "duration_s"}, "neither text nor whole numbers"),
    ):
        with pytest.raises(QueryError, match=problem):
            curate(library, **choice)
    for name, problem in (
        ("latest", "cannot be called 'latest'"),
        ("a b", "is no name"),
        ("0" * 20 + ".x", "is no name"),
    ):
        with pytest.raises(StorageError, match=problem):
            curate(library, name=name)
    with pytest.raises(StorageError, match="no snapshot is called 'none'"):
        curate(library, "none")
    assert sorted(library.snapshots_dir.iterdir()) == before, "nothing was written"


def test_a_name_is_given_once(library: Dataset):
    curate(library, where="num_frames > 300", name="mine")
    curate(library, where="num_frames > 300", name="mine")

    with pytest.raises(StorageError, match="'mine' is given to snapshot"):
        curate(library, where="num_frames > 400", name="mine")


def test_prune_keeps_what_a_curated_snapshot_names(library: Dataset, publish: Publish, make_report: MakeReport):
    """The snapshot it was chosen from goes, and so do the versions that nobody names any more."""
    whole = make_snapshot(library)
    curated = curate(library, where="num_frames > 500", name="mine")
    unnamed = curate(library, where="num_frames > 600")
    library.normalisation_path(whole.id).write_text("{}")
    library.normalisation_path(curated.id).write_text("{}")
    for n in range(8):
        publish(make_report(f"e{n}", f"w{n}", requested_ns=2_000_000_000_000_000_000))
    make_snapshot(library)

    pruned = apply_prune(library, plan_prune(library, keep_snapshots=0))

    assert {each.id for each in pruned.snapshots} == {whole.id, unnamed.id}
    assert sorted(each.version for each in pruned.versions) == [f"v{n}" for n in range(6)]
    assert all((library.path / path).is_dir() for path in load_snapshot(library, "mine")["path"])
    assert not library.normalisation_path(whole.id).exists()
    assert library.normalisation_path(curated.id).exists()
