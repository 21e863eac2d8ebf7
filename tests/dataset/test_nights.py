import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from bagmill.dataset import (
    Dataset,
    EarlierNights,
    EpisodeReport,
    Night,
    QuarantineEntry,
    list_quarantine,
    load_night,
    load_nights_before,
    make_snapshot,
    put_quarantine,
    save_night,
    take_night,
)
from bagmill.errors import StorageError
from bagmill.quality.metric import CheckResult

MakeReport = Callable[..., EpisodeReport]
MakeCheck = Callable[..., CheckResult]
Publish = Callable[[EpisodeReport], EpisodeReport]
NONE = EarlierNights((), ())


def _end(dataset: Dataset, date: str, *, now_ns: int) -> Night:
    earlier = load_nights_before(dataset, date, most=30)
    snapshot_id, refused = make_snapshot(dataset).id, list_quarantine(dataset)
    night = take_night(dataset, date=date, now_ns=now_ns, snapshot_id=snapshot_id, refused=refused, earlier=earlier)
    save_night(dataset, night)
    return night


def _refuse(dataset: Dataset, episode: str, *, since_ns: int, failed_checks: tuple[str, ...] = ()) -> None:
    put_quarantine(dataset, QuarantineEntry(episode, "/r", "episode", "It is bad.", since_ns, None, failed_checks))


def test_new_is_what_was_not_in_the_snapshot_of_the_night_before(
    dataset: Dataset, publish: Publish, make_report: MakeReport, make_check: MakeCheck
):
    publish(make_report("a", "a1", make_check("skew", 4.0)))
    publish(make_report("b", "b1", make_check("skew", 6.0)))
    first = _end(dataset, "2026-03-01", now_ns=100)
    assert (first.compared_with, first.new.num_episodes, first.dataset.num_episodes) == (None, 2, 2)

    publish(make_report("b", "b2", make_check("skew", 8.0), requested_ns=2 * 10**18, robot="arm8"))
    publish(make_report("c", "c1", make_check("skew", math.nan), duration_ns=5 * 10**9, robot="arm9"))
    second = _end(dataset, "2026-03-02", now_ns=200)
    assert (second.compared_with, second.since_ns) == ("2026-03-01", 100)
    assert (second.dataset.num_episodes, second.new.num_episodes, second.new.num_frames) == (3, 2, 1200)
    assert [(group.names, group.totals.num_episodes) for group in second.new_by_robot_and_task] == [
        (("arm8", "pick up the cup"), 1),
        (("arm9", "pick up the cup"), 1),
    ]
    assert (second.spreads["skew"].num, second.spreads["skew"].median) == (1, 8.0)

    third = _end(dataset, "2026-03-03", now_ns=300)
    assert (third.new.num_episodes, third.spreads, third.new_by_robot_and_task) == (0, {}, ())


def test_the_same_night_again_says_the_same(dataset: Dataset, publish: Publish, make_report: MakeReport):
    publish(make_report("a", "a1"))
    _end(dataset, "2026-03-01", now_ns=100)
    publish(make_report("b", "b1"))
    once = _end(dataset, "2026-03-02", now_ns=200)
    again = _end(dataset, "2026-03-02", now_ns=250)
    assert replace(again, made_ns=200) == once
    assert [path.name for path in sorted(dataset.nights_dir.iterdir())] == ["2026-03-01.json", "2026-03-02.json"]


def test_refusals_are_counted_by_what_they_failed_of(dataset: Dataset, publish: Publish, make_report: MakeReport):
    publish(make_report("a", "a1"))
    _refuse(dataset, "x", since_ns=50)
    _end(dataset, "2026-03-01", now_ns=100)
    _refuse(dataset, "y", since_ns=150, failed_checks=("frames_black", "skew"))
    _refuse(dataset, "z", since_ns=160, failed_checks=("frames_black",))
    night = _end(dataset, "2026-03-02", now_ns=200)
    assert (night.num_refused, night.num_newly_refused) == (3, 2)
    assert dict(night.refused_by) == {"check frames_black": 2, "error at stage episode": 1}


def test_a_night_without_a_snapshot_has_its_refusals(dataset: Dataset):
    _refuse(dataset, "x", since_ns=50)
    refused = list_quarantine(dataset)
    night = take_night(dataset, date="2026-03-01", now_ns=100, snapshot_id=None, refused=refused, earlier=NONE)
    save_night(dataset, night)
    assert load_night(dataset, "2026-03-01") == night
    assert (night.new.num_episodes, night.num_newly_refused) == (0, 1)


def test_what_is_read_is_what_was_written(
    dataset: Dataset, publish: Publish, make_report: MakeReport, make_check: MakeCheck
):
    publish(make_report("a", "a1", make_check("gaps", math.inf)))
    night = _end(dataset, "2026-03-01", now_ns=100)
    assert night.spreads["gaps"].median == math.inf
    assert load_night(dataset, "2026-03-01") == night


def test_where_the_snapshot_of_the_night_before_is_gone_the_one_before_it_tells(
    dataset: Dataset, publish: Publish, make_report: MakeReport
):
    publish(make_report("a", "a1"))
    _end(dataset, "2026-03-01", now_ns=100)
    publish(make_report("b", "b1"))
    gone = _end(dataset, "2026-03-02", now_ns=200)
    publish(make_report("c", "c1"))
    (dataset.snapshots_dir / f"{gone.snapshot_id}.parquet").unlink()
    night = _end(dataset, "2026-03-03", now_ns=300)
    assert (night.compared_with, night.new.num_episodes) == ("2026-03-01", 2)


def test_only_so_many_nights_before_are_read_and_what_cannot_be_is_said(dataset: Dataset):
    for day in range(1, 8):
        date = f"2026-03-0{day}"
        save_night(dataset, take_night(dataset, date=date, now_ns=day, snapshot_id=None, refused=(), earlier=NONE))
    (dataset.nights_dir / "2026-03-05.json").write_text("{}")
    (dataset.nights_dir / "notes.json").write_text("no night")
    earlier = load_nights_before(dataset, "2026-03-07", most=3)
    assert [night.date for night in earlier.nights] == ["2026-03-04", "2026-03-06"]
    assert len(earlier.problems) == 1
    assert "2026-03-05.json: holds no night's figures: expected schema bagmill-night-1" in earlier.problems[0]


@pytest.mark.parametrize("date", ["", "../x", "2026-3-1", "2026-03-011"])
def test_what_is_no_date_is_refused(dataset: Dataset, date: str):
    with pytest.raises(StorageError, match="is no night's date"):
        load_night(dataset, date)
