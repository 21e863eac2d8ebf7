import json
import math
import statistics
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from bagmill.dataset import (
    Dataset,
    EpisodeReport,
    Outlier,
    Totals,
    find_outliers,
    find_spreads,
    load_snapshot,
    make_snapshot,
    measures,
    total,
    total_by,
    usual_range,
)


def _table(num: int = 20, **columns: object) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "episode": [f"e{n:04d}" for n in range(num)],
            "version": [f"v{n:04d}" for n in range(num)],
            "duration_s": 10.0,
            "num_frames": 100,
            "raw_bytes": 4_000,
            "stored_bytes": 1_000,
            "robot": "arm",
            "task": "cup",
            "profile": "p",
            **columns,
        }
    )


def test_sums_per_group_add_up_to_the_sums_of_all(
    dataset: Dataset, publish: Callable[..., object], make_report: Callable[..., EpisodeReport]
):
    for number, (robot, task) in enumerate([("arm", "cup"), ("arm", "cup"), ("arm", ""), ("rover", "cup")]):
        publish(make_report(f"r{number}", "v", robot=robot, task=task, duration_ns=(number + 1) * 10**9))
    make_snapshot(dataset)
    table = load_snapshot(dataset)
    assert total(table) == Totals(4, 2_400, 10.0, 16_000_000, 4_000_000)
    groups = total_by(table, ("robot", "task"))
    assert [(group.names, group.totals.num_episodes, group.totals.duration_s) for group in groups] == [
        (("rover", "cup"), 1, 4.0),
        (("arm", ""), 1, 3.0),
        (("arm", "cup"), 2, 3.0),
    ]
    assert sum(group.totals.stored_bytes for group in groups) == 4_000_000


def test_what_is_measured_has_its_unit_and_its_good_side():
    table = _table(3, **{"quality.skew": [1.0, None, 3.0], "quality.jpeg_psnr": 40.0, "quality.strange": 1.0})
    table.loc[2, "num_frames"] = 0
    found = measures(table)
    assert {name: (measure.unit, measure.direction) for name, (measure, _) in found.items()} == {
        "duration": ("s", None),
        "frame_size": ("bytes", None),
        "recording_to_stored": ("ratio", None),
        "skew": ("ms", "lower"),
        "jpeg_psnr": ("dB", "higher"),
        "strange": ("", None),
    }
    np.testing.assert_array_equal(found["frame_size"][1], [10.0, 10.0, np.nan])
    np.testing.assert_array_equal(found["skew"][1], [1.0, np.nan, 3.0])


def test_a_spread_leaves_out_what_was_not_measured():
    values = [float(value) for value in range(101)]
    spreads = find_spreads(_table(103, **{"quality.skew": [*values, math.nan, math.nan]}))
    skew = spreads["skew"]
    assert (skew.num, skew.low, skew.median, skew.high, skew.unit) == (101, 5.0, 50.0, 95.0, "ms")
    assert "rates" not in spreads
    assert find_spreads(_table(2, **{"quality.skew": math.nan})).get("skew") is None


def test_the_usual_range_is_that_of_a_plain_loop():
    values = [3.0, 1.0, 4.0, 1.5, 9.0, 2.6, 5.0, 3.5, 8.0]
    median = statistics.median(values)
    deviation = statistics.median(abs(value - median) for value in values)
    assert usual_range(np.array(values)) == pytest.approx((median - 5 * deviation, median + 5 * deviation))
    assert usual_range(np.array(values[:7])) is None
    assert usual_range(np.array([*values[:7], np.nan, np.inf])) is None


def test_the_usual_range_of_values_that_are_mostly_the_same():
    low, high = usual_range(np.array([100.0] * 60 + [44.0] * 40))
    assert (low < 44.0, high > 100.0) == (True, True)
    assert usual_range(np.full(10, 10.0)) == pytest.approx((9.5, 10.5))
    assert usual_range(np.zeros(10)) == (0.0, 0.0)
    assert usual_range(np.append(np.zeros(999), 4.0))[1] < 4.0


def test_outliers_are_named_with_number_and_limit_the_farthest_first():
    skew = [5.0 + 0.1 * (n % 5) for n in range(20)]  # median 5.2, deviation 0.1
    skew[3], skew[7], skew[9] = 9.0, 0.5, math.inf  # low skew is good
    found = find_outliers(_table(**{"quality.skew": skew}))
    assert [(each.episode, each.measure) for each in found] == [("e0009", "skew"), ("e0003", "skew")]
    assert found[1] == Outlier("e0003", "v0003", "p", "skew", "ms", 9.0, found[1].limit, found[1].num_deviations)
    usual = [value for value in skew if math.isfinite(value)]
    median = statistics.median(usual)
    deviation = statistics.median(abs(value - median) for value in usual)
    assert found[1].limit == pytest.approx(median + 5 * deviation)
    assert found[1].num_deviations == pytest.approx((9.0 - median) / deviation)
    assert found[0].num_deviations == math.inf


@pytest.mark.parametrize(("metric", "bad", "good"), [("jpeg_psnr", 20.0, 90.0), ("skew", 90.0, 1.0)])
def test_only_the_bad_side_of_a_metric_counts(metric: str, bad: float, good: float):
    values = [40.0 + n % 3 for n in range(20)]
    values[0], values[1] = bad, good
    assert [each.episode for each in find_outliers(_table(**{f"quality.{metric}": values}))] == ["e0000"]


def test_of_a_duration_either_side_counts():
    durations = [10.0 + 0.1 * (n % 3) for n in range(20)]
    durations[0], durations[1] = 0.5, 60.0
    assert {each.episode for each in find_outliers(_table(duration_s=durations))} == {"e0000", "e0001"}


def test_what_is_usual_is_asked_for_each_profile():
    durations = [10.0, 10.1] * 10 + [600.0, 610.0] * 10
    profiles = ["short"] * 20 + ["long"] * 20
    assert find_outliers(_table(40, duration_s=durations, profile=profiles)) == []
    durations[0] = 600.0
    (only,) = find_outliers(_table(40, duration_s=durations, profile=profiles))
    assert (only.episode, only.profile, only.value) == ("e0000", "short", 600.0)


def test_a_table_without_rows_has_no_outliers():
    assert find_outliers(_table(0)) == []
    assert total(_table(0)) == Totals()
    assert json.dumps(find_spreads(_table(0))) == "{}"
