"""Conditions that want more than to choose: none runs anything, fills the memory or takes its time."""

import time
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagmill.dataset import select, why_none
from bagmill.errors import QueryError

TABLE = pd.DataFrame(
    {
        "episode": ["a", "b", "c"],
        "task": ["pick", "a" * 40, None],
        "num_frames": [1, 2, 3],
        "start_ns": [0, 10**18, 2 * 10**18],
        "features": ["{}"] * 3,
        "quality.skew": [1.0, None, 2.0],
        "a`b#c\\": [1, 2, 3],
    }
)
CALL = '(task == (task.to_csv.__globals__.get("sys").modules.get("os").system("touch CANARY")))'
MOST_S = 0.5


@pytest.mark.parametrize(
    "where",
    [
        rf"task == '\\' or task == '`' #`' or {CALL} or task == ''",
        rf"task == '\\' or task == '`' #`' or _column_1 == {CALL} or _column_1 == ''",
        rf"task == '`' or `#` == 1 or {CALL} #`'",
        f"`task` == 'x' #` or {CALL}",
        f"task == 'x\\' or {CALL} or task == ''",
        f"task == '''x''' or {CALL}",
        f"task == 'x' '#' or {CALL}",
        f"task == r'\\' or {CALL} or task == '",
        f"task == 'x'\n or {CALL}",
        f"task == 'x'\r#\n or {CALL}",
        f"task == 'x\u2028' #\u2028 or {CALL}",
        f"task == 'x' \\\n or {CALL}",
        f"task == 'x'\0 or {CALL}",
        "num_frames > 0 or __import__('os').system('touch CANARY')",
        "num_frames > 0 or ＿import＿('os').system('touch CANARY')",
        "num_frames > 0 or num_frames.__clas\u017f__",
        "num_frames > 0 or num_frames.ｔo_csv('CANARY')",
        "num_frames.to_pickle('CANARY') == 1",
        "`num_frames`.to_csv('CANARY') == 1",
        "`__import__`('os').system('touch CANARY') == 1",
        "@__import__('os').system('touch CANARY') == 1",
        "@pd.eval('1') == num_frames",
        "abs(num_frames).to_csv('CANARY') == 1",
        "(num_frames + 1).to_csv('CANARY') == 1",
        "task.str.to_csv('CANARY') == 1",
        "task.str.lower().values.tofile('CANARY') == 1",
        "task.str.contains('x', flags=@CANARY)",
        "num_frames.rank(method=task.to_csv('CANARY')) == 1",
        "num_frames.quantile.__globals__ == 1",
        "f'{task.to_csv(\"CANARY\")}' == task",
        "[task.to_csv('CANARY') for x in [1]] == task",
        "(lambda: task.to_csv('CANARY'))() == task",
        "task in [task.to_csv('CANARY')]",
        "eval(\"task.to_csv('CANARY')\") == 1",
    ],
)
def test_nothing_is_run(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for ask in (select, why_none):
        # Some are harmless once they are read as they stand.
        with suppress(QueryError):
            ask(TABLE, where)  # type: ignore[operator]

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("where", "problem"),
    [
        ("num_frames < 9**9**9", "too large"),
        ("num_frames < 9**9**9**9**9", "too large"),
        ("num_frames < 10**18 * 10**18", "beyond 64 bits"),
        ("num_frames * 10**18 * 10 > 1", "beyond 64 bits"),
        (f"num_frames < {'9' * 5_000}", "has a number of 5,000 digits"),
        (f"num_frames < {'9' * 30}", "beyond 64 bits"),
        ('task == "a" * 20000000000', "computes with text"),
        ('task == "a" * 2e10', "computes with text"),
        ("task == task * 20000000000", "computes with text"),
        ("[1] * 10000000000 == num_frames", "a list where a single value should be"),
        ("num_frames > 1 or ...", "cannot be read"),
        ("... == num_frames", "cannot be read"),
        ("num_frames == None", r"\(None\).*isna"),
        ("num_frames == 1j", "no number"),
        ("task == b'x'", "names b, which is no column"),
        ("task == f'x'", "names f, which is no column"),
        ("task == 'a' 'b'", "cannot be read"),
        ("(x := 3) > num_frames", r"what no condition needs \(':'"),
        ("lambda: num_frames", "what no condition needs"),
        ("num_frames if num_frames > 1 else 3", "cannot be read"),
        ("*num_frames", "cannot be read"),
        ("num_frames[0] > 1", "behind a value"),
        ("num_frames[0:1] > 1", "what no condition needs"),
        ("{1: 2} == num_frames", "what no condition needs"),
        ("num_frames ^ 1", "what no condition needs"),
        ("num_frames > 1; num_frames", "what no condition needs"),
        ("num_frames << 3 > 1", "cannot be read"),
        ("not", "ends too early"),
        ("num_frames.", "cannot be read"),
        ("task == 'x", "has no end"),
        ("task == '\\ud800'", "half a character"),
        ("task == '\ud800'", "half a character"),
        ("task == '\\U99999999'", "no character"),
        ("task == '\\N{BULLET}'", "cannot be read"),
        ("num_frames\x00 > 1", r"what no condition needs \('\\x00'"),
        ("num_frames\u00a0> 1", "what no condition needs"),
        ("ｎum_frames > 1", "which is no column"),
        ("num_frames == ١", "no number"),
        ("(" * 200 + "num_frames" + ")" * 200 + " > 1", "inside one another"),
        ("not " * 200 + "num_frames > 1", "inside one another"),
        ("-" * 5_000 + "num_frames > 1", "inside one another"),
        ("num_frames" + " + 1" * 5_000 + " > 1", "inside one another"),
        ("num_frames" + " ** 1" * 5_000 + " > 1", "inside one another"),
        ("num_frames" + ".abs()" * 5_000 + " > 1", "inside one another"),
        ("[" * 5_000 + "]" * 5_000 + " == num_frames", "inside one another"),
        (" or ".join(["num_frames > 1"] * 2_000), "more than 1,000 operations"),
        (f"num_frames in [{', '.join(['1'] * 20_000)}]", "a list of more than 10,000"),
        (f"task == '{'x' * 200_000}'", "200,[0-9]+ characters"),
        ("task.str.contains('(?=a)')", "regular expression that cannot be used"),
        (r"task.str.contains('(a)\\1')", "regular expression that cannot be used"),
        ("task.str.contains('a**')", "regular expression that cannot be used"),
        ("task.str.contains('[[:alpha:]]')", "regular expression that cannot be used"),
        ("task.str.contains('a{,3}')", "regular expression that cannot be used"),
        ("task.str.contains('a{1000}{1000}')", "regular expression that cannot be used"),
        ("task.str.contains('((((a{99}){99}){99}){99})')", "regular expression that cannot be used"),
        (r"task.str.match(r'a\Qb')", "regular expression that cannot be used"),
        ("task.str.match('a)|(b')", "regular expression that cannot be used"),
        (f"task.str.contains('{'(a|b)' * 400}')", "more than 1,000 characters"),
        ("task.str.contains(task)", "a column, task, where a single value should be"),
        ("task.str.contains(1)", "not a text"),
        ("task.str.contains('a', flags=2)", "`flags`"),
        ("task.str.contains('a', 'b')", "`case`"),
        ("task.str.contains('a', pat='b')", "does not have, or twice"),
        ("task.str.contains(**{'pat': 'a'})", "what no condition needs"),
        ("task.str.contains(*'a')", "cannot be read"),
        ("task.str.len > 3", "without parentheses"),
        ("task.str == 'x'", "asks for `.str`"),
        ("num_frames.str.len() > 3", "asks for `.str.len` of a column of a number"),
        ("task.dt.year == 3", "asks for `.dt.year` of a column of text"),
        ("num_frames.round(10**9) > 1", "places that is none"),
        ("num_frames >= num_frames.quantile(2)", "a quantile that is none"),
        ("num_frames >= num_frames.quantile([0.5])", "a quantile that is none"),
        ("num_frames.rank(method='ordinal') > 1", "`method`"),
        ("num_frames.isin('12')", "without a list"),
        ("num_frames.fillna('x') > 1", "fills a number with something else"),
        (f"task.fillna('{'a' * 90_000}') == 'x'", "a text of more than 1,000"),
        ("num_frames in [1, 'x']", "compares a number with text"),
        ("task in ['x', 1]", "compares text with a number"),
        ("num_frames and task == 'x'", "neither true nor false"),
        ("~num_frames > 1", "neither true nor false"),
        ("num_frames > 1 / 0", "divides by 0"),
        ("start > 'now' * 3", "computes with text"),
        (f"start > '2026-{'1' * 100}'", "too long for one"),
        ("start > 'now'", "none"),
        ("start > '13/01/2020'", "none"),
        ("start > '2020-13-45'", "none between"),
        ("start > '99999999999999'", "none"),
        ("start > ''", "none"),
        ("start > 'nat'", "none"),
        ("start > '9999-01-01'", "between 1678 and 2262"),
        ("start > '2026-05-01 10:00 UTC+2'", "the opposite to others"),
        ("start > '2026-05-01T10:00Z-03:00'", "the opposite to others"),
        ("start + 1 > '2020-01-01'", "computes with a time"),
    ],
)
def test_what_it_may_cost_is_bounded(where: str, problem: str) -> None:
    began = time.thread_time()

    with pytest.raises(QueryError, match=problem) as told:
        select(TABLE, where)

    assert time.thread_time() - began < MOST_S
    assert len(str(told.value)) < 2_000


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*b", "(a|aa)+$", "(.*a){20}x", "^(([a-z])+.)+[A-Z]([a-z])+$", "(a?){40}a{40}b"]
)
def test_a_regular_expression_takes_no_more_time_than_its_text(pattern: str) -> None:
    table = TABLE.assign(task="a" * 5_000 + "!")
    began = time.thread_time()

    assert select(table, f"task.str.match({pattern!r}) and not task.str.match({pattern!r})").empty
    assert time.thread_time() - began < MOST_S


@pytest.mark.parametrize(
    ("where", "episodes"),
    [
        ("num_frames < 10**18", "abc"),
        ("num_frames < 1e300", "abc"),
        ("start_ns == 10**18", "b"),
        ("start_ns == 10**18 + 1", ""),
        ("start_ns > 1e18 - 1000", "bc"),
        ("task.str.startswith(('pi', 'x'))", "a"),
        ("num_frames in [1.0, 2.5, 1e300]", "a"),
        ("num_frames ** 2 == 9", "c"),
        ("num_frames ** -1 < 0.4", "c"),
        ("(num_frames) == ((3))", "c"),
        ("task == 'p\\x69ck' or task == 'p\\u0069ck' or task == '\\160ick'", "a"),
        ("task.str.contains(r'\\w{40}')", "b"),
        (r"task.str.contains('\w{40}')", "b"),
        ("start == '2001-09-09T03:46:40+02:00'", "b"),
        ("start in ['2001-09-09 01:46:40', '1970-01-01']", "ab"),
        ("start.dt.date == '2001-09-09'", "b"),
        ("start >= start.median()", "bc"),
        ("start.between('2000-01-01', '2010-01-01')", "b"),
        (" or ".join(f"episode == '{name}'" for name in "abcx" * 40), "abc"),
        (f"episode in [{', '.join(repr(str(i)) for i in range(9_000))}, 'c']", "c"),
    ],
)
def test_what_is_within_bounds_is_answered(where: str, episodes: str) -> None:
    assert "".join(select(TABLE, where)["episode"]) == episodes


_ENDS = st.lists(st.text("aé日😀", max_size=3), min_size=1, max_size=12)


@given(st.lists(st.none() | st.text("aé日😀", max_size=4), min_size=1, max_size=12), _ENDS)
def test_texts_that_begin_or_end_with_one_of_several_are_those_that_python_finds(
    texts: list[str | None], ends: list[str]
) -> None:
    table = pd.DataFrame({"episode": [str(n) for n in range(len(texts))], "task": texts})
    several = f"({''.join(f'{end!r}, ' for end in ends)})"
    for method, find in (("startswith", str.startswith), ("endswith", str.endswith)):
        wanted = [str(n) for n, text in enumerate(texts) if text is not None and find(text, tuple(ends))]
        assert select(table, f"task.str.{method}({several})")["episode"].tolist() == wanted


def test_a_text_may_begin_with_thousands_of_others() -> None:
    table = pd.DataFrame({"episode": [f"{n:05d}x" for n in range(20_000)]})
    several = ",".join(f"'{n:05d}'" for n in range(5_000, 14_999))
    chosen = select(table, f"episode.str.startswith(({several}))")["episode"]
    assert (chosen.iloc[0], chosen.iloc[-1], len(chosen)) == ("05000x", "14998x", 9_999)


def test_columns_whose_names_would_be_something_else() -> None:
    table = pd.DataFrame({"episode": ["a", "b"], "and": [1, 2], "a#b\\": [1, 2], "x' or 'y": [1, 2], 7: [1, 2]})

    for where in ("`and` == 2", "`a#b\\` == 2", "`x' or 'y` == 2", "`7` == 2"):
        assert select(table, where)["episode"].tolist() == ["b"]


def test_tables_that_cannot_be_asked() -> None:
    doubled = pd.DataFrame([[1, 2]], columns=["a", "a"])
    with pytest.raises(QueryError, match="which 2 columns are called"):
        select(doubled, "a > 1")
    for column in ([[1], [2]], [1, "x"], [b"x", b"y"], [object(), object()]):
        with pytest.raises(QueryError, match="cannot be evaluated: `a` is a column of"):
            select(pd.DataFrame({"a": column}), "a == 'x'")
    for features in ("[]", "3", "{", "[" * 100_000):
        with pytest.raises(QueryError, match="features of an episode is"):
            select(pd.DataFrame({"features": [features]}), "'state' in features")


@pytest.mark.parametrize("kind", ["object", "category"])
def test_what_is_missing_is_filled_once_for_all_rows(kind: str) -> None:
    table = pd.DataFrame({"task": pd.Series(["pick", None, "place", None], dtype=kind), "n": [1, 2, 3, 4]})

    assert select(table, "task.fillna('none') == 'none'")["n"].tolist() == [2, 4]
    assert select(table, "task.fillna('none').str.upper() in ['NONE', 'PICK']")["n"].tolist() == [1, 2, 4]
    assert select(table, "task.fillna('pick') == task")["n"].tolist() == [1, 3]
    assert select(table, "task.fillna('none').isna()").empty
    assert select(table, "task.fillna('none').str.len() == 4")["n"].tolist() == [1, 2, 4]
