import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import bagmill.dataset.prune
from bagmill.dataset import (
    Dataset,
    EpisodeReport,
    apply_prune,
    load_nights_before,
    load_snapshot,
    make_snapshot,
    plan_prune,
    save_night,
    save_report,
    take_night,
)
from bagmill.disk import holding
from bagmill.episodes import EpisodeWriter
from bagmill.errors import StorageError
from bagmill.quality.metric import CheckResult

MakeReport = Callable[..., EpisodeReport]
MakeCheck = Callable[..., CheckResult]
Publish = Callable[[EpisodeReport], EpisodeReport]

FIRST, SECOND, THIRD = 1_000, 2_000, 3_000


@pytest.fixture
def put(dataset: Dataset, publish: Publish, make_report: MakeReport):
    """`put("a", "v1", asked_ns)`: an episode version with arrays, report and pictures."""

    def publish_version(episode: str, version: str, requested_ns: int, *checks: CheckResult) -> None:
        publish(make_report(episode, version, *checks, requested_ns=requested_ns))
        for path in (dataset.preview_path(episode, version), dataset.contact_sheet_path(episode, version)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"picture")

    return publish_version


def _planned(dataset: Dataset, **kwargs: object) -> list[tuple[str, str]]:
    return [(each.episode, each.version) for each in plan_prune(dataset, **kwargs).versions]


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def _size(dataset: Dataset, version: str) -> int:
    return sum(path.stat().st_size for path in dataset.path.rglob("*") if path.is_file() and version in path.as_posix())


def test_the_older_version_goes_whole_and_the_current_one_stays_whole(dataset: Dataset, put):
    put("a", "v1", FIRST)
    put("a", "v2", SECOND)
    put("b", "v3", FIRST)
    size_bytes = _size(dataset, "v1")
    stays = {name for name in _files(dataset.path) if "v1" not in name}

    plan = plan_prune(dataset)
    assert [(each.episode, each.version, each.size_bytes) for each in plan.versions] == [("a", "v1", size_bytes)]
    assert plan.versions[0].reason == "no snapshot names it; the current version is v2"
    assert (plan.num_current, plan.num_named, plan.num_in_making, plan.size_bytes) == (2, 0, 0, size_bytes)
    assert {name for name in _files(dataset.path) if "v1" in name}, "a plan changes nothing"

    pruned = apply_prune(dataset, plan)
    assert (pruned.versions, pruned.skipped, pruned.size_bytes) == (plan.versions, (), size_bytes)
    assert _files(dataset.path) == stays
    assert plan_prune(dataset).size_bytes == 0


def test_what_a_snapshot_names_stays(dataset: Dataset, put):
    put("a", "v1", FIRST)
    make_snapshot(dataset, name="paper")
    put("a", "v2", SECOND)
    put("a", "v3", THIRD)
    plan = plan_prune(dataset)
    assert [each.version for each in plan.versions] == ["v2"]
    assert plan.num_named == 1
    apply_prune(dataset, plan)
    assert dataset.published("a") == ["v1", "v3"]
    assert (dataset.path / load_snapshot(dataset, "paper")["path"][0]).is_dir()


def test_the_last_one_asked_for_stays_though_it_was_refused(dataset: Dataset, put, make_check: MakeCheck):
    put("a", "v1", FIRST)
    put("a", "v2", SECOND)
    put("a", "v3", THIRD, make_check("skew", 30.0, failed=("feature0",)))
    assert _planned(dataset) == [("a", "v1")]


def test_a_report_alone_goes_when_it_is_not_the_last(dataset: Dataset, put, make_report: MakeReport):
    save_report(dataset, make_report("a", "v1", requested_ns=FIRST))
    save_report(dataset, make_report("b", "v9", requested_ns=FIRST))
    put("a", "v2", SECOND)
    (only,) = plan_prune(dataset).versions
    assert (only.version, only.reason) == (
        "v1",
        "it was refused, and no snapshot names it; the current version is v2",
    )
    apply_prune(dataset, plan_prune(dataset))
    assert not dataset.report_path("a", "v1").exists()
    assert dataset.report_path("b", "v9").exists()


def test_what_is_in_the_making_stays(dataset: Dataset, put):
    put("a", "v1", FIRST)
    put("a", "v2", SECOND)
    assert _planned(dataset) == [("a", "v1")]
    with EpisodeWriter(dataset.path, "a", "v1", replaces=True):  # its arrays are being written
        assert _planned(dataset) == []
        assert plan_prune(dataset).num_in_making == 1
    assert _planned(dataset) == [("a", "v1")]
    with holding(dataset.episode_path("a", "v1").parent):  # published, its report to come, whatever the clock says
        assert _planned(dataset) == []
    assert _planned(dataset) == [("a", "v1")]
    later = dataset.report_path("a", "v1").stat().st_mtime_ns + 10**9
    os.utime(dataset.episode_path("a", "v1") / "zarr.json", ns=(later, later))  # written anew, the report to come
    assert _planned(dataset) == []
    dataset.report_path("a", "v1").unlink()  # published, the first report to come
    assert _planned(dataset) == []


def test_what_is_needed_again_by_the_time_it_would_go_stays(dataset: Dataset, put, make_report: MakeReport):
    put("a", "v1", FIRST)
    put("a", "v2", SECOND)
    put("b", "v3", FIRST)
    put("b", "v4", SECOND)
    plan = plan_prune(dataset)
    save_report(dataset, make_report("a", "v1", requested_ns=THIRD))  # the earlier profile is back
    pruned = apply_prune(dataset, plan)
    assert [each.version for each in pruned.skipped] == ["v1"]
    assert [each.version for each in pruned.versions] == ["v3"]
    assert dataset.published("a") == ["v1", "v2"]


def test_a_snapshot_made_after_the_plan_counts(dataset: Dataset, put):
    put("a", "v1", FIRST)
    put("a", "v2", SECOND)
    plan = plan_prune(dataset)
    shutil.move(dataset.report_path("a", "v2"), dataset.path / "aside")
    make_snapshot(dataset)  # of v1
    shutil.move(dataset.path / "aside", dataset.report_path("a", "v2"))
    assert [each.version for each in apply_prune(dataset, plan).skipped] == ["v1"]


def test_old_snapshots_without_a_name_go_first_and_then_what_only_they_named(dataset: Dataset, put):
    ids = []
    for number in range(1, 6):
        put("a", f"v{number}", number)
        ids.append(make_snapshot(dataset, name="paper" if number == 2 else None).id)
        then = 1_000_000_000 + number
        os.utime(dataset.snapshots_dir / f"{ids[-1]}.parquet", (then, then))
    earlier = load_nights_before(dataset, "2026", most=9)
    night = take_night(dataset, date="2026-01-01", now_ns=1, snapshot_id=ids[2], refused=(), earlier=earlier)
    save_night(dataset, night)

    assert _planned(dataset) == []
    plan = plan_prune(dataset, keep_snapshots=1)
    # Kept: 2 has a name, 3 is of the last night, 5 is the newest.
    assert [each.id for each in plan.snapshots] == [ids[0], ids[3]]
    assert [each.version for each in plan.versions] == ["v1", "v4"]
    apply_prune(dataset, plan)
    assert dataset.published("a") == ["v2", "v3", "v5"]
    assert sorted(path.stem for path in dataset.snapshots_dir.glob("*.parquet")) == sorted((ids[1], ids[2], ids[4]))
    assert [each.id for each in plan_prune(dataset, keep_snapshots=0).snapshots] == [], "the newest is `latest`"


@pytest.mark.parametrize("step", range(6))
def test_a_crash_anywhere_leaves_no_half_version_and_the_next_prune_ends_it(
    dataset: Dataset, put, monkeypatch: pytest.MonkeyPatch, step: int
):
    put("a", "v1", FIRST)
    put("a", "v2", SECOND)
    stays = {name for name in _files(dataset.path) if "v1" not in name}
    plan = plan_prune(dataset)
    steps = iter(range(100))

    class KilledError(BaseException):
        pass

    def killed_at_step(function):
        def call(*args, **kwargs):
            if next(steps) == step:
                raise KilledError
            return function(*args, **kwargs)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed_at_step(Path.rename))
        patch.setattr(bagmill.dataset.prune.shutil, "rmtree", killed_at_step(shutil.rmtree))
        patch.setattr(os, "unlink", killed_at_step(os.unlink))
        with contextlib.suppress(KilledError):
            apply_prune(dataset, plan)
    if (left := dataset.episode_path("a", "v1")).exists():
        assert dataset.published("a") == ["v1", "v2"]
        assert (left / "time" / "zarr.json").exists()
    else:
        assert dataset.published("a") == ["v2"]
    make_snapshot(dataset, name="between")
    apply_prune(dataset, plan_prune(dataset))
    assert {name for name in _files(dataset.path) if not name.startswith("snapshots/")} == stays
    assert plan_prune(dataset).num_leftovers == 0


def test_nothing_goes_where_it_is_not_known_what_is_needed(dataset: Dataset, put):
    put("a", "v1", FIRST)
    snapshot = make_snapshot(dataset)
    put("a", "v2", SECOND)
    data = snapshot.path.read_bytes()
    snapshot.path.write_bytes(b"damaged")
    with pytest.raises(StorageError, match="is no snapshot") as caught:
        plan_prune(dataset)
    assert caught.value.path == snapshot.path
    snapshot.path.write_bytes(data)
    put("b", "v3", FIRST)
    put("b", "v4", SECOND)
    dataset.report_path("a", "v2").write_bytes(b"{")
    plan = plan_prune(dataset)
    assert [each.version for each in plan.versions] == ["v3"], "of the episode whose report is damaged, all stays"
    assert plan.num_unknown == 2


def test_an_empty_dataset_has_nothing_to_prune(dataset: Dataset):
    plan = plan_prune(dataset, keep_snapshots=3)
    assert (plan.versions, plan.snapshots, plan.size_bytes) == ((), (), 0)
    assert apply_prune(dataset, plan).size_bytes == 0
