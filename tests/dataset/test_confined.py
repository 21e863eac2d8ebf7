"""A dataset made by others: no name in it and no link leads out of its folder, whoever asks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bagmill.dataset import (
    Dataset,
    apply_prune,
    curate,
    load_report,
    load_snapshot,
    make_snapshot,
    plan_prune,
    save_report,
)
from bagmill.dataset.snapshot import load_rows
from bagmill.dataset.snapshot_file import put_table
from bagmill.episodes import Episode, verify_episode
from bagmill.errors import StorageError
from bagmill.exports.source import select_source
from bagmill.normalisation import measure_normalisation
from bagmill.testing.published import PublishedEpisode, publish_episode
from bagmill.training import EpisodeDataset

OLD = "1" * 20
PATH = f"episodes/a/{'0' * 20}.zarr"


def unsealed(table: pa.Table) -> pa.Table:
    """Without the checksum, which whoever means harm would take anew."""
    metadata = table.schema.metadata or {}
    return table.replace_schema_metadata({key: said for key, said in metadata.items() if key != b"bagmill_checksum"})


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two datasets, `dataset` and `other`, each with an older version of its first episode."""
    folder = tmp_path_factory.mktemp("confined")
    signal = {"state": np.ones((4, 2), np.float32)}
    for root in (Dataset(folder / "dataset"), Dataset(folder / "other")):
        for name in ("a", "b"):
            publish_episode(root, PublishedEpisode(name=name, num_ticks=4, values=signal))
        make_snapshot(root)
        publish_episode(root, PublishedEpisode(name="a", num_ticks=4, values=signal), version=OLD)
        save_report(root, replace(load_report(root, "a", version=OLD), requested_ns=1))
        preview = root.preview_path("a", OLD)
        preview.parent.mkdir(parents=True)
        preview.write_bytes(b"film")
    # Written after all arrays, as reports are.
    for report in folder.glob("*/reports/*/*.json"):
        report.touch()
    return folder


@pytest.fixture
def published(made: Path, tmp_path: Path) -> Dataset:
    """Episodes a and b, each with a signal, and a snapshot of both; beside it a dataset of somebody else's."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return Dataset(tmp_path / "dataset")


def rewrite(dataset: Dataset, **columns: list[str | None]) -> str:
    """Change columns of the snapshot's file as somebody would who knows that only names are hashed."""
    (file,) = dataset.snapshots_dir.glob("*.parquet")
    table = pq.ParquetFile(file).read()
    for name, values in columns.items():
        table = table.set_column(table.column_names.index(name), name, pa.array(values, pa.string()))
    pq.write_table(unsealed(table), file)
    return file.stem


DOORS: dict[str, Callable[[Dataset], object]] = {
    "load": load_snapshot,
    "loader": lambda dataset: EpisodeDataset(dataset)[0],
    "export": select_source,
    "stats": measure_normalisation,
    "curate": lambda dataset: curate(dataset, include=["b"]),
    "prune": plan_prune,
}


@pytest.mark.parametrize("door", DOORS)
def test_every_door_looks_at_the_rows(published: Dataset, door: str) -> None:
    snapshot = rewrite(published, path=[f"../other/{PATH}", f"episodes/b/{'0' * 20}.zarr"])

    with pytest.raises(StorageError, match=f"row 0 of snapshot {snapshot} names what is no episode of this dataset"):
        DOORS[door](published)


@pytest.mark.parametrize(
    "path",
    [
        f"../other/{PATH}",
        f"episodes/../../other/{PATH}",
        f"/etc/../{PATH}",
        "/etc/passwd",
        "../../../../../../etc",
        "",
        ".",
        None,
        f"episodes/b/{'0' * 20}.zarr",
        f"./{PATH}",
        f"episodes//a/{'0' * 20}.zarr",
        f"{PATH}/",
        f"episodes\\a\\{'0' * 20}.zarr",
        "C:\\Windows",
        f"{PATH}\0",
        f"s3://bucket/{PATH}",
    ],
)
def test_a_row_whose_path_is_another(published: Dataset, path: str | None) -> None:
    snapshot = rewrite(published, path=[path, f"episodes/b/{'0' * 20}.zarr"])

    with pytest.raises(StorageError, match=f"row 0 of snapshot {snapshot} names what is no episode of this dataset"):
        load_snapshot(published)


@pytest.mark.parametrize("name", ["..", "../b", "/etc", "", ".hidden", "a\0b", "a/../../c"])
@pytest.mark.parametrize("column", ["episode", "version"])
def test_a_row_whose_names_are_none(published: Dataset, column: str, name: str) -> None:
    (file,) = published.snapshots_dir.glob("*.parquet")
    table = pq.ParquetFile(file).read()
    names = [*table[column].to_pylist()[:1], name]
    table = table.set_column(table.column_names.index(column), column, pa.array(names, pa.string()))
    rows = list(zip(table["episode"].to_pylist(), table["version"].to_pylist(), strict=True))
    paths = [f"episodes/{episode}/{version}.zarr" for episode, version in rows]
    table = table.set_column(table.column_names.index("path"), "path", pa.array(paths, pa.string()))
    # Under the id that these rows have.

    file.unlink()
    snapshot, _, _ = put_table(published, table)

    with pytest.raises(StorageError, match=rf"row 1 of snapshot {snapshot} names what is no episode"):
        load_rows(published, snapshot)


@pytest.mark.parametrize("place", ["episodes/a", PATH])
@pytest.mark.parametrize("door", ["loader", "export", "stats"])
def test_a_link_to_somebody_elses_episode(published: Dataset, door: str, place: str) -> None:
    shutil.rmtree(published.path / place)
    (published.path / place).symlink_to(published.path.parent / "other" / place)

    with pytest.raises(StorageError, match="leads out of its dataset by a link, to .*/other/"):
        DOORS[door](published)


def test_a_dataset_and_its_episodes_may_be_links_themselves(published: Dataset, tmp_path: Path) -> None:
    (published.path / "episodes").rename(tmp_path / "large disk")
    (published.path / "episodes").symlink_to(tmp_path / "large disk")
    (tmp_path / "link").symlink_to(published.path)

    assert len(EpisodeDataset(tmp_path / "link")) == 8
    assert EpisodeDataset(tmp_path / "link")[0]["state"].tolist() == [1, 1]


@pytest.mark.parametrize(
    "feature", ["../../../other/x", "images/../../x", "/etc/passwd", "images//x", "images/.x", "a\0b", "."]
)
def test_a_feature_that_lies_elsewhere(published: Dataset, feature: str) -> None:
    features = json.dumps({feature: {"kind": "signal", "shape": [2], "dtype": "float32", "names": ["x", "y"]}})
    rewrite(published, features=[features, features])
    for door in ("loader", "export", "stats"):
        with pytest.raises(StorageError, match="names a feature .* outside of its episode"):
            DOORS[door](published)

    metadata = published.path / PATH / "zarr.json"
    content = json.loads(metadata.read_text())
    nodes = content["consolidated_metadata"]["metadata"]
    nodes[feature] = nodes["state"]
    metadata.write_text(json.dumps(content))
    with pytest.raises(StorageError, match="name an array .* lie elsewhere"):
        Episode(published.path / PATH)
    assert not verify_episode(published.path / PATH).is_whole


@pytest.mark.parametrize(
    "features", ["[]", "{", "[" * 50_000, '{"a": 1}', '{"a": {"kind": "signal"}}', '{"a": {"shape": 3}}']
)
@pytest.mark.parametrize("door", ["loader", "export", "stats"])
def test_features_that_cannot_be_read(published: Dataset, door: str, features: str) -> None:
    rewrite(published, features=[features, features])

    with pytest.raises(StorageError, match="features cannot be read|names a feature"):
        DOORS[door](published)


def test_rows_that_are_no_texts(published: Dataset) -> None:
    (file,) = published.snapshots_dir.glob("*.parquet")
    table = pq.ParquetFile(file).read()
    table = table.set_column(table.column_names.index("path"), "path", pa.array([1, 2]))
    pq.write_table(unsealed(table), file)

    with pytest.raises(StorageError, match="column path of snapshot .* is no text"):
        load_snapshot(published)


def test_rows_of_large_texts_are_rows(published: Dataset) -> None:
    (file,) = published.snapshots_dir.glob("*.parquet")
    table = pq.ParquetFile(file).read()
    for name in ("episode", "path"):
        table = table.set_column(table.column_names.index(name), name, table[name].cast(pa.large_string()))
    pq.write_table(unsealed(table), file)

    assert len(load_snapshot(published)) == 2


def test_a_name_that_points_at_a_path(published: Dataset) -> None:
    for said in ("../../other/snapshots/x", "..", "/etc/passwd", "0" * 19 + "\n"):
        name = json.dumps({"schema": "bagmill-snapshot-name-1", "id": said})
        (published.snapshots_dir / "latest.json").write_text(name)
        with pytest.raises(StorageError, match="which is no snapshot's id"):
            load_snapshot(published)
        with pytest.raises(StorageError, match="no snapshot's id"):
            load_rows(published, said)


@pytest.mark.parametrize(
    ("key", "said"), [("episode", "../../other"), ("episode", "b"), ("version", "*"), ("version", "v")]
)
def test_a_report_of_another_episode(published: Dataset, key: str, said: str) -> None:
    file = published.report_path("a", "0" * 20)
    content = json.loads(file.read_text())
    del content["checksum"]  # whoever means harm would take it anew
    file.write_text(json.dumps({**content, key: said}))

    with pytest.raises(StorageError, match="is the report of another"):
        load_report(published, "a", version="0" * 20)
    try:
        assert "is the report of another" in make_snapshot(published).damaged[0]
        assert "a" not in load_snapshot(published)["episode"].tolist()
    except StorageError as err:
        assert "1 with a damaged report" in str(err)
    plan = plan_prune(published)
    assert plan.num_unknown == len(published.published("a"))
    assert "a" not in {each.episode for each in plan.versions}


def everything(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_a_prune_removes_what_lies_in_the_dataset(published: Dataset) -> None:
    pruned = apply_prune(published, plan_prune(published))

    assert [(each.episode, each.version) for each in pruned.versions] == [("a", OLD)]
    assert not any(OLD in path for path in everything(published.path))


@pytest.mark.parametrize("place", [".pruned", "reports", "reports/a", "episodes", "episodes/a", "previews/a"])
def test_a_prune_removes_nothing_through_a_link(published: Dataset, place: str) -> None:
    other = published.path.parent / "other"
    if place != ".pruned":
        shutil.rmtree(published.path / place)
    (published.path / place).symlink_to(other if place == ".pruned" else other / place)
    before = everything(other)

    with pytest.raises(StorageError, match="reached through a link, and is not removed"):
        apply_prune(published, plan_prune(published))

    assert everything(other) == before


def test_a_prune_removes_no_snapshot_through_a_link(published: Dataset) -> None:
    other = published.path.parent / "other"
    shutil.rmtree(published.snapshots_dir)
    published.snapshots_dir.symlink_to(other / "snapshots")
    (other / "snapshots" / "latest.json").unlink()
    before = everything(other)

    with pytest.raises(StorageError, match="reached through a link, and is not removed"):
        apply_prune(published, plan_prune(published, keep_snapshots=0))

    assert everything(other) == before


def test_a_link_that_is_in_the_way_of_a_prune_goes_and_what_it_leads_to_stays(published: Dataset) -> None:
    other = published.path.parent / "other"
    arrays = published.episode_path("a", OLD)
    shutil.rmtree(arrays)
    arrays.symlink_to(other / "episodes" / "a" / f"{OLD}.zarr")
    before = everything(other)

    apply_prune(published, plan_prune(published))

    assert everything(other) == before
    assert not arrays.is_symlink()


def test_a_version_with_signs_of_a_pattern_takes_nothing_else_along(dataset: Dataset, publish, make_report) -> None:
    publish(make_report("a", "*", requested_ns=1))
    publish(make_report("a", "v2", requested_ns=2))
    for version in ("*", "v2"):
        path = dataset.preview_path("a", version)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"film")

    apply_prune(dataset, plan_prune(dataset))

    assert [path.name for path in dataset.preview_path("a", "v2").parent.iterdir()] == ["v2.mp4"]
