"""Conditions over a snapshot's rows, judged by plain masks."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagmill.dataset import select
from bagmill.errors import QueryError

TABLE = pd.DataFrame(
    {
        "episode": ["a", "b", "c", "d"],
        "num_frames": [10, 200, 300, 50],
        "duration_s": [0.5, 10.0, 15.0, np.inf],
        "start_ns": [0, 1_000_000_000_000_000_000, 1_800_000_000_000_000_000, 1_000_000_001_000_000_000],
        "task": ["pick", "place", "pick", None],
        "features": [
            '{"images/left": {"kind": "images"}}',
            '{"state": {}}',
            "{}",
            '{"images/left": {}, "state": {}}',
        ],
        "is_checked": [True, False, True, False],
        "site name": ["lab", "hall", "lab", "hall"],
        "quality.skew": [1.0, np.nan, 9.0, 4.0],
        "quality.tick_coverage": [99.0, 100.0, 90.0, np.nan],
    }
)


@pytest.mark.parametrize(
    ("where", "episodes"),
    [
        ("num_frames > 100 and task == 'pick'", "c"),
        ("num_frames > 100 & task == 'pick'", "c"),
        ("(num_frames > 100) | (task == 'pick')", "abc"),
        ("10 < num_frames <= 200", "bd"),
        ("task in ['pick', 'place']", "abc"),
        ("task in ('place', 'x')", "b"),
        ("task != 'pick'", "bd"),
        ("not task == 'pick'", "bd"),
        ("~(task == 'pick') and num_frames < 100", "d"),
        ("task.isna()", "d"),
        ("task.str.startswith('p') and task.str.len() == 4", "ac"),
        ("features.str.contains('\"images/left\"', regex=False)", "ad"),
        ("is_checked", "ac"),
        ("not is_checked", "bd"),
        ("`site name` == 'lab'", "ac"),
        ("quality.skew < 5", "ad"),
        ("`quality.skew` < 5", "ad"),
        ("quality.skew != 9", "abd"),
        ("quality.skew.isna() or quality.tick_coverage < 95", "bc"),
        ("quality.skew <= quality.skew.quantile(0.5)", "ad"),
        ("num_frames / duration_s >= 20", "abc"),
        ("duration_s == inf", "d"),
        ("abs(num_frames - 200) < 101", "bc"),
        ("num_frames.between(50, 200)", "bd"),
        ("start >= '2001-09-09' and start < '2001-09-10'", "bd"),
        ("start >= '2001-09-09 01:46:41'", "cd"),
        ("start.dt.year == 2027", "c"),
        ("num_frames > 100\n  and task == 'pick'", "c"),
        ("episode == 'quality.skew' or episode == \"task\" or episode == 'b'", "b"),
        ("num_frames == 3e2", "c"),
        ("num_frames > 1000", ""),
        ("'images/left' in features", "ad"),
        ("'images/left' not in features", "bc"),
        ("not 'images/left' in features", "bc"),
        ("'images/left' in features and 'state' in features", "d"),
        ("('images/left' in features) & (num_frames > 20)", "d"),
        ('"state" in features or `site name` == "lab" and \'é\' not in features', "abcd"),
        ("'images' in features", ""),
        ("'kind' in features", ""),
    ],
)
def test_rows_for_which_it_holds(where: str, episodes: str) -> None:
    found = select(TABLE, where)

    assert "".join(found["episode"]) == episodes
    assert list(found.columns) == list(TABLE.columns)
    assert found.index.tolist() == list(range(len(episodes)))
    pd.testing.assert_frame_equal(found, TABLE[TABLE["episode"].isin(list(episodes))].reset_index(drop=True))


@pytest.mark.parametrize(
    ("where", "problem"),
    [
        (
            "num_frame > 3",
            "names num_frame, which is no column. Did you mean num_frames. There are episode, num_frames",
        ),
        ("skew < 3", "names skew, which is no column. Did you mean quality.skew"),
        ("quality.skw.isna()", "names quality.skw, which is no column. Did you mean quality.skew"),
        ("`quality.skw` < 1", "names quality.skw, which is no column"),
        ("tsak.str.len() > 3", "names tsak, which is no column. Did you mean task"),
        ("zzz > 1", "no column. There are episode, .*`site name`, quality.skew, quality.tick_coverage, start"),
        ("num_frames = 3", "has a single `=`. Compare with `==`"),
        ("num_frames >", "cannot be read"),
        ("num_frames > 3)", "cannot be read"),
        ("", "the condition is empty"),
        (" \n", "the condition is empty"),
        ("num_frames", "says of no episode whether it is meant"),
        ("num_frames.max() > 3", "says of no episode"),
        ("1 < 2", "says of no episode"),
        ("task < 3", "cannot be evaluated"),
        ("start >= 'yesteryear'", "cannot be evaluated"),
        ("task.str.match('(')", "cannot be evaluated"),
        ("num_frames + task > 3", "cannot be evaluated"),
        (
            "features == 'state'",
            "compares features, which is JSON.*Write `'images/wrist' in features and 'state' in features`",
        ),
        ("['state'] in features", "compares features, which is JSON"),
        ("features in ['state']", "compares features, which is JSON"),
        ("features.isin(['state'])", "compares features, which is JSON"),
        ("'state' in features == True", "compares features, which is JSON"),
        (
            "'pick' in task",
            r"has an `in` without a list behind it\. Write `task in \['pick', 'place'\]`, `task == 'pick'`, or `t",
        ),
        ("task in 'picking'", "has an `in` without a list behind it"),
        ("task in episode", "has an `in` without a list behind it"),
        ("'state' in features.str.lower()", "has an `in` without a list behind it"),
        ("50 not in num_frames", "has an `in` without a list behind it"),
    ],
)
def test_what_is_no_condition_is_told(where: str, problem: str) -> None:
    with pytest.raises(QueryError, match=problem):
        select(TABLE, where)


SECRET = 100


@pytest.mark.parametrize(
    "where",
    [
        "num_frames > @SECRET",
        "num_frames > SECRET",
        "task.apply(print)",
        "task.to_csv('/tmp/out')",
        "task.__class__.__mro__",
        "task.str.__class__ == 3",
        "__import__('os').system('true') == 0",
        "`__import__`('os')",
        "(lambda: 1)() == 1",
        "[x for x in task]",
        "f'{task}' == 'x'",
        "list(task) == 3",
        "eval('1') == 1",
        "(num_frames := 3) > 2",
        "num_frames if is_checked else 3",
        "num_frames @ num_frames",
        "num_frames is 3",
        "task.str.contains(**{'pat': 'x'})",
        "num_frames[0] > 3",
    ],
)
def test_it_does_nothing_but_choose(where: str) -> None:
    with pytest.raises(QueryError):
        select(TABLE, where)


def test_a_column_called_start_is_itself() -> None:
    table = TABLE.assign(start=[1, 2, 3, 4])

    assert select(table, "start > 2")["episode"].tolist() == ["c", "d"]


def test_columns_that_python_has_other_uses_for() -> None:
    table = pd.DataFrame({"episode": ["a", "b"], "class": [1, 2], "_column_0": [2, 1], "abs": [3, 4], "a`b": [1, 1]})

    assert select(table, "`class` > 1")["episode"].tolist() == ["b"]
    assert select(table, "_column_0 > 1 and abs == 3")["episode"].tolist() == ["a"]


def test_an_empty_table() -> None:
    assert select(TABLE[:0], "quality.skew < 5 and task == 'pick'").empty


@given(
    frames=st.lists(st.integers(0, 9), min_size=1, max_size=30),
    skews=st.lists(st.one_of(st.floats(0, 9), st.just(np.nan)), min_size=30, max_size=30),
    least=st.integers(-1, 10),
    most=st.floats(0, 9),
)
def test_it_agrees_with_plain_masks(frames: list[int], skews: list[float], least: int, most: float) -> None:
    table = pd.DataFrame({"num_frames": frames, "quality.skew": skews[: len(frames)]})

    found = select(table, f"num_frames >= {least} and not quality.skew > {most!r}")

    expected = [(num, skew) for num, skew in zip(frames, skews, strict=False) if num >= least and not skew > most]
    assert found["num_frames"].tolist() == [num for num, _ in expected]
    np.testing.assert_array_equal(found["quality.skew"], [skew for _, skew in expected])
