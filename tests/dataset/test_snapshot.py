import json
import math
from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bagmill.dataset import (
    Dataset,
    EpisodeReport,
    FeatureReport,
    QuarantineEntry,
    has_current,
    list_snapshot_names,
    load_snapshot,
    make_snapshot,
    put_quarantine,
    save_report,
)
from bagmill.errors import StorageError
from bagmill.quality.metric import CheckResult

MakeReport = Callable[..., EpisodeReport]
MakeCheck = Callable[..., CheckResult]
Publish = Callable[[EpisodeReport], EpisodeReport]


def _rows(dataset: Dataset) -> list[tuple[str, str]]:
    table = load_snapshot(dataset)
    return list(zip(table["episode"], table["version"], strict=True))


def test_one_row_an_episode(dataset: Dataset, publish: Publish, make_report: MakeReport, make_check: MakeCheck):
    features = (
        FeatureReport("images/left", "image", (48, 64, 3), "uint8", "/camera"),
        FeatureReport("state", "signal", (7,), "float32", "/joints"),
    )
    publish(make_report("b.mcap", "b1", make_check("skew", 3.0, 9.0), make_check("rate", math.nan), features=features))
    publish(make_report("a.mcap", "a1", make_check("gaps", math.inf)))

    snapshot = make_snapshot(dataset)

    assert (snapshot.num_episodes, snapshot.is_reused) == (2, False)
    assert snapshot.path == dataset.path / "snapshots" / f"{snapshot.id}.parquet"
    table = pq.ParquetFile(snapshot.path).read()
    assert table.column_names == [
        *("episode", "version", "path", "num_ticks", "num_frames", "duration_s", "start_ns", "rate_hz"),
        *("task", "robot", "profile", "recording_path", "recording_hash", "raw_bytes", "stored_bytes"),
        *("is_salvaged", "num_messages_lost", "lost_s", "features"),
        *("quality.gaps", "quality.rate", "quality.skew"),
    ]
    assert table.schema.field("start_ns").type == pa.int64()
    assert table.schema.field("quality.rate").type == pa.float64()
    first, second = table.to_pylist()
    assert (first["episode"], first["quality.gaps"], first["quality.skew"]) == ("a.mcap", math.inf, None)
    assert second.pop("start_ns") == 1_700_000_000_000_000_000
    assert second.pop("rate_hz") == pytest.approx(29.97, abs=1e-3)
    assert json.loads(second.pop("features")) == {
        "images/left": {"kind": "image", "shape": [48, 64, 3], "dtype": "uint8"},
        "state": {"kind": "signal", "shape": [7], "dtype": "float32"},
    }
    assert second == {
        "episode": "b.mcap",
        "version": "b1",
        "path": "episodes/b.mcap/b1.zarr",
        "num_ticks": 300,
        "num_frames": 600,
        "duration_s": pytest.approx(9.976633333),
        "task": "pick up the cup",
        "robot": "arm7",
        "profile": "arm",
        "recording_path": "/recordings/b.mcap",
        "recording_hash": "xxh3_128:" + "0" * 32,
        "raw_bytes": 4_000_000,
        "stored_bytes": 1_000_000,
        "is_salvaged": False,
        "num_messages_lost": 0,
        "lost_s": 0.0,
        "quality.gaps": None,
        "quality.rate": None,
        "quality.skew": 9.0,
    }
    assert (dataset.path / second["path"]).is_dir()


def test_the_version_last_asked_for_counts(dataset: Dataset, publish: Publish, make_report: MakeReport):
    publish(make_report("run", "c1", requested_ns=1))
    publish(make_report("run", "a3", requested_ns=3))
    publish(make_report("run", "b2", requested_ns=2))
    save_report(dataset, make_report("run", "d4", requested_ns=4))  # not published

    make_snapshot(dataset)

    assert _rows(dataset) == [("run", "a3")]


def test_what_failed_or_is_refused_stays_out_and_is_counted(
    dataset: Dataset, publish: Publish, make_report: MakeReport, make_check: MakeCheck
):
    failed = make_check("skew", 30.0, failed=("feature0",))
    warned = make_check("skew", 30.0, failed=("feature0",), severity="warn")
    publish(make_report("blocked", "a1", failed))
    publish(make_report("earlier_is_good", "a1", requested_ns=1))
    publish(make_report("earlier_is_good", "b2", failed, requested_ns=2))
    publish(make_report("quarantined", "a1"))
    put_quarantine(dataset, QuarantineEntry("quarantined", "/r", stage="recording", reason="no.", since_ns=1))
    put_quarantine(dataset, QuarantineEntry("never_an_episode", "/r", stage="recording", reason="no.", since_ns=1))
    publish(make_report("warned", "a1", warned))
    (dataset.episodes_dir / "unfinished").mkdir()

    snapshot = make_snapshot(dataset)

    assert _rows(dataset) == [("earlier_is_good", "a1"), ("warned", "a1")]
    assert (snapshot.num_episodes, snapshot.num_quarantined, snapshot.num_blocked, snapshot.num_unpublished) == (
        2,
        2,
        1,
        1,
    )


def test_the_same_episodes_are_the_same_snapshot(dataset: Dataset, publish: Publish, make_report: MakeReport):
    publish(make_report("a", "a1"))
    publish(make_report("b", "b1"))
    first = make_snapshot(dataset)
    data = first.path.read_bytes()

    again = make_snapshot(dataset)

    assert again == replace(first, is_reused=True)
    first.path.unlink()
    assert make_snapshot(dataset) == first
    assert first.path.read_bytes() == data, "the same bytes"


def test_another_version_is_another_snapshot(dataset: Dataset, publish: Publish, make_report: MakeReport):
    publish(make_report("a", "a1", requested_ns=1))
    old = make_snapshot(dataset)
    publish(make_report("a", "a2", requested_ns=2))
    new = make_snapshot(dataset)

    assert old.id != new.id
    assert load_snapshot(dataset, old.id)["version"].tolist() == ["a1"]
    assert load_snapshot(dataset, new.id)["version"].tolist() == ["a2"]
    assert load_snapshot(dataset)["version"].tolist() == ["a2"]


def test_names_are_not_run_together(tmp_path, make_report: MakeReport):
    """("a", "b1") and ("ab", "1") would be one text without separators."""
    ids = []
    for episode, version in (("a", "b1"), ("ab", "1")):
        dataset = Dataset(tmp_path / episode)
        folder = dataset.episode_path(episode, version)
        folder.mkdir(parents=True)
        (folder / "zarr.json").write_text("{}")
        save_report(dataset, make_report(episode, version))
        ids.append(make_snapshot(dataset).id)

    assert ids[0] != ids[1]


def test_a_name_is_given_once(dataset: Dataset, publish: Publish, make_report: MakeReport):
    publish(make_report("a", "a1", requested_ns=1))
    first = make_snapshot(dataset, name="paper")
    assert make_snapshot(dataset, name="paper").id == first.id, "to the same snapshot as often as wanted"
    publish(make_report("a", "a2", requested_ns=2))

    with pytest.raises(StorageError, match=f"'paper' is given to snapshot {first.id} already"):
        make_snapshot(dataset, name="paper")

    assert load_snapshot(dataset, "paper")["version"].tolist() == ["a1"]
    make_snapshot(dataset, name="rebuttal")
    assert list_snapshot_names(dataset) == ["latest", "paper", "rebuttal"]
    assert load_snapshot(dataset, "rebuttal")["version"].tolist() == ["a2"]


@pytest.mark.parametrize("name", ["", "../x", ".hidden", "a b", "0123456789abcdef0123", "x" * 101])
def test_what_cannot_be_a_name(dataset: Dataset, publish: Publish, make_report: MakeReport, name: str):
    publish(make_report("a", "a1"))

    with pytest.raises(StorageError, match="is no name"):
        make_snapshot(dataset, name=name)

    assert not dataset.snapshots_dir.exists(), "refused before anything was written"


def test_nothing_to_put_in_one(dataset: Dataset):
    with pytest.raises(StorageError, match="no episode for a snapshot.*Ingest recordings first"):
        make_snapshot(dataset)


def test_a_published_version_without_its_report_is_not_finished(
    dataset: Dataset, publish: Publish, make_report: MakeReport
):
    publish(make_report("a", "a1"))
    publish(make_report("b", "b1", requested_ns=1))
    publish(make_report("b", "b2", requested_ns=2))
    publish(make_report("c", "c1"))
    dataset.report_path("b", "b2").unlink()
    dataset.report_path("c", "c1").unlink()

    snapshot = make_snapshot(dataset)

    assert _rows(dataset) == [("a", "a1"), ("b", "b1")]
    assert snapshot.num_unpublished == 1


def test_a_damaged_report_leaves_its_own_episode_out(dataset: Dataset, publish: Publish, make_report: MakeReport):
    publish(make_report("a", "a1"))
    path = dataset.report_path("a", "a1")
    path.write_bytes(path.read_bytes()[:200])

    with pytest.raises(StorageError, match="no episode for a snapshot.*1 with a damaged report"):
        make_snapshot(dataset)

    publish(make_report("b", "b1"))
    made = make_snapshot(dataset)
    assert _rows(dataset) == [("b", "b1")]
    (told,) = made.damaged
    assert told.startswith(f"{path}: is no report")
    assert has_current(dataset)

    publish(make_report("b", "b2", requested_ns=2 * 10**18))
    dataset.report_path("b", "b1").write_bytes(b"")
    with pytest.raises(StorageError, match="2 with a damaged report"):
        make_snapshot(dataset)  # which of b's versions was asked for last is not known any more


@pytest.mark.parametrize("rate", ["1e-99999999", "1e99999999", "9" * 100_000, "fast", "1/0", "-1"])
def test_a_rate_that_cannot_be_read_leaves_its_own_episode_out(
    dataset: Dataset, publish: Publish, make_report: MakeReport, rate: str
):
    publish(make_report("a", "a1", rate_hz=rate))
    publish(make_report("b", "b1"))

    (told,) = make_snapshot(dataset).damaged

    assert _rows(dataset) == [("b", "b1")]
    assert "is no report: '" in told
    assert "is not a number or a fraction" in told


def test_unknown_names_and_ids(dataset: Dataset, publish: Publish, make_report: MakeReport):
    with pytest.raises(StorageError, match="no snapshot is called 'latest'.*none yet"):
        load_snapshot(dataset)
    publish(make_report("a", "a1"))
    make_snapshot(dataset, name="paper")

    with pytest.raises(StorageError, match="Known names: latest, paper"):
        load_snapshot(dataset, "papre")
    with pytest.raises(StorageError, match="no snapshot has the id 00000000000000000000"):
        load_snapshot(dataset, "0" * 20)


def test_damaged_files_are_named(dataset: Dataset, publish: Publish, make_report: MakeReport):
    publish(make_report("a", "a1"))
    snapshot = make_snapshot(dataset, name="paper")
    data = snapshot.path.read_bytes()
    for damaged in (b"", data[: len(data) // 2], b"PAR1" + bytes(100)):
        snapshot.path.write_bytes(damaged)
        with pytest.raises(StorageError, match="is no snapshot") as caught:
            load_snapshot(dataset, snapshot.id)
        assert caught.value.path == snapshot.path
        assert not make_snapshot(dataset).is_reused, "made again, it is mended"
        assert len(load_snapshot(dataset, snapshot.id)) == 1
    name = dataset.snapshots_dir / "paper.json"
    for damaged in (b"", b'{"schema": "bagmill-snapshot-name-1", "id": "../x"}'):
        name.write_bytes(damaged)
        with pytest.raises(StorageError, match="snapshot's") as caught:
            load_snapshot(dataset, "paper")
        assert caught.value.path == name


def test_a_table_that_is_not_what_its_id_says(dataset: Dataset, publish: Publish, make_report: MakeReport):
    publish(make_report("a", "a1"))
    snapshot = make_snapshot(dataset)
    for table in (
        pa.table({"episode": ["a"], "version": ["a2"]}),
        pa.table({"episode": ["a", None], "version": ["a1", "x"]}),
        pa.table({"other": [1]}),
    ):
        pq.write_table(table, snapshot.path)
        with pytest.raises(StorageError, match="is no snapshot|its rows are not those"):
            load_snapshot(dataset, snapshot.id)


def test_a_folder_that_looks_like_a_partition_is_no_column(tmp_path, make_report: MakeReport):
    dataset = Dataset(tmp_path / "site=lab")
    folder = dataset.episode_path("a", "a1")
    folder.mkdir(parents=True)
    (folder / "zarr.json").write_text("{}")
    save_report(dataset, make_report("a", "a1"))
    make_snapshot(dataset)

    assert "site" not in load_snapshot(dataset).columns


def test_a_recording_whose_name_is_not_utf8(dataset: Dataset, publish: Publish, make_report: MakeReport):
    publish(make_report("a", "a1", recording_path="/recordings/caf\udce9.bag"))

    make_snapshot(dataset)

    assert load_snapshot(dataset)["recording_path"].tolist() == ["/recordings/caf\\xe9.bag"]
