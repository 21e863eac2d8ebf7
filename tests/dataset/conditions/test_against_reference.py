"""Conditions over tables, judged row by row in plain Python; and whatever is no condition is told as such, and at once."""

import string
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bagmill.dataset import select
from bagmill.dataset.query import find_rows
from bagmill.errors import QueryError
from tests.dataset.conditions.reference import Part, Row, conditions, rows

MOST_S = 0.5


def table_of(rows: list[Row], *, has_categories: bool) -> pd.DataFrame:
    table = pd.DataFrame(rows).astype({"quality.skew": float, "grip N": float, "episode": "str", "task": "str"})
    return table.astype({"task": "category"}) if has_categories else table


@settings(max_examples=60)
@given(rows=rows, condition=conditions, has_categories=st.booleans())
def test_the_same_rows_as_plain_python(rows: list[Row], condition: Part, *, has_categories: bool) -> None:
    assert_same(rows, condition, has_categories=has_categories)


@pytest.mark.slow
@settings(max_examples=3_000)
@given(rows=rows, condition=conditions, has_categories=st.booleans())
def test_the_same_rows_as_plain_python_at_length(rows: list[Row], condition: Part, *, has_categories: bool) -> None:
    assert_same(rows, condition, has_categories=has_categories)


def assert_same(rows: list[Row], condition: Part, *, has_categories: bool) -> None:
    found = find_rows(table_of(rows, has_categories=has_categories), condition.text)

    assert found.tolist() == [bool(condition.of(row)) for row in rows], condition.text


ALPHABET = [
    *(
        "and",
        "or",
        "not",
        "in",
        "is",
        "None",
        "True",
        "...",
        "lambda",
        "@x",
        "`",
        "'",
        '"',
        "\\",
        "#",
        "\n",
        "\r",
        "\0",
    ),
    *(
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ":",
        ":=",
        ",",
        ".",
        ";",
        "=",
        "==",
        "!=",
        "<",
        "**",
        "9**9",
        "1e999",
        "0x",
        "1j",
        "b''",
    ),
    *(
        "~",
        "&",
        "|",
        "^",
        "@",
        "-",
        "*",
        "%",
        "f'{task}'",
        "__class__",
        ".str",
        ".dt",
        ".str.match('",
        ".rank(",
        "_column_0",
    ),
    *(
        "\u2028",
        "\u00a0",
        "\ufe33",
        "\uff3f",
        "\ud800",
        "ｎｕｍ",
        "０",
        "é",
        "for x in",
        "if",
        "else",
        "*task",
        "yield",
        "import",
    ),
    *("num_frames", "task", "features", "start", "quality.skew", "inf", "9" * 400, "(" * 60, "-" * 200, "not " * 60),
]


@st.composite
def damaged(draw: st.DrawFn) -> str:
    text = draw(conditions).text
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(text)))
        end = draw(st.integers(place, min(len(text), place + 4)))
        text = text[:place] + draw(st.sampled_from(ALPHABET) | st.sampled_from(string.punctuation)) + text[end:]
    return text


ROWS: list[Row] = [
    *(
        {
            "episode": f"e{i}",
            "task": task,
            "num_frames": i,
            "quality.skew": skew,
            "grip N": 1.0,
            "is_checked": i % 2 == 0,
        }
        for i, (task, skew) in enumerate([("pick", 1.0), (None, None), ("place", 4.5)])
    ),
]


hostile = damaged() | st.text(max_size=40) | st.lists(st.sampled_from(ALPHABET), max_size=12).map(" ".join)


@settings(max_examples=60)
@given(where=hostile)
def test_what_is_no_condition_is_told_and_at_once(where: str) -> None:
    assert_told(where)


@pytest.mark.slow
@settings(max_examples=5_000)
@given(where=hostile)
def test_what_is_no_condition_is_told_and_at_once_at_length(where: str) -> None:
    assert_told(where)


def assert_told(where: str) -> None:
    table = table_of(ROWS, has_categories=True).assign(features="{}", start_ns=10**18)
    began = time.thread_time()
    try:
        found = find_rows(table, where)
    except QueryError as err:
        assert len(str(err)) < 5_000
    else:
        assert found.dtype == np.bool_
        assert found.shape == (3,)
    assert time.thread_time() - began < MOST_S


@pytest.mark.parametrize(
    "where",
    [
        "num_frames > 1 & task == 'pick' | num_frames == 0",
        "not num_frames > 1 & is_checked",
        "not num_frames > 1 and is_checked | num_frames == 2",
        "~is_checked & num_frames > 0 or task == 'pick'",
        "num_frames == 1 | num_frames == 2 & is_checked",
        "-num_frames ** 2 < 0 and 2 ** -1 < num_frames",
        "2 ** num_frames ** 2 > 3",
        "num_frames - 1 - 1 >= 0 or 8 // 3 * num_frames == 4",
        "0 <= num_frames < 2 != is_checked",
        "task == ['pick', 'place']",
        "task != ['pick', 'place']",
        "num_frames == [0, 2]",
        "num_frames in [0, 1 + 1]",
        "is_checked == True",
        "num_frames > -1e-3 and num_frames < 0x10 and num_frames <= 1_0",
        "`grip N` / num_frames > 2",
        "num_frames % 2 == 1 or num_frames // 0 > 3",
        "sqrt(num_frames) > 1 or log(num_frames + 1) < 1",
        "num_frames.rank(pct=True) > 0.5",
        "num_frames.rank(method='max', ascending=False) > 1",
        "episode.duplicated(keep=False)",
        "num_frames.between(0, 2, inclusive='neither')",
        "num_frames.quantile(0.4, interpolation='lower') <= num_frames",
        "num_frames.std() > 0.5 and num_frames >= 0",
        "num_frames.sum() == 3 and is_checked.sum() == 2 and is_checked",
        "quality.skew.round(0).fillna(7) == 7",
        "task.str.contains('P', case=False)",
        "task.str.contains('^p.*k$')",
        "task.str.match('pi')",
        "task.str.fullmatch('p(ic|lac)[ek]')",
        "task.str.strip('pk') == 'ic'",
        "task.isin(['pick'])",
    ],
)
def test_the_same_rows_as_pandas(where: str) -> None:
    table = table_of(ROWS, has_categories=False)

    expected = table.query(where.replace("quality.skew", "`quality.skew`"), engine="python")

    pd.testing.assert_frame_equal(select(table, where), expected.reset_index(drop=True))
