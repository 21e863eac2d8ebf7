"""What a condition that chooses nothing says of the episodes there are."""

import pytest

from bagmill.dataset import select, why_none
from bagmill.errors import QueryError
from tests.dataset.test_query import TABLE


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("num_frames > 1000", "of 4 episodes, `num_frames > 1000` rules out 4 (num_frames is 10 to 300)"),
        (
            "num_frames > 100 and quality.skew < 0.5",
            "of 4 episodes, `num_frames > 100` rules out 2 (num_frames is 10 to 300), `quality.skew < 0.5` rules out 4 "
            "(quality.skew is 1 to 9, and not known of 1 episode); no episode meets all of them",
        ),
        (
            "(num_frames > 100) & (task == 'throw')",
            "of 4 episodes, `num_frames > 100` rules out 2 (num_frames is 10 to 300), `task == 'throw'` rules out 4 "
            "(task is 'pick', 'place', and not known of 1 episode); no episode meets all of them",
        ),
        (
            "`site name` == 'yard' and (is_checked or num_frames > 0)",
            "of 4 episodes, ``site name` == 'yard'` rules out 4 (site name is 'lab', 'hall'), "
            "`is_checked or num_frames > 0` rules out 0; no episode meets all of them",
        ),
        (
            "'depth/left' in features",
            "of 4 episodes, `'depth/left' in features` rules out 4 (there are images/left, state)",
        ),
        (
            "start > '2030-01-01'",
            "of 4 episodes, `start > '2030-01-01'` rules out 4 (start is 1970-01-01 00:00:00 to 2027-01-15 08:00:00)",
        ),
        (
            "num_frames == 200 and\ntask == 'pick'",
            "of 4 episodes, `num_frames == 200` rules out 3 (num_frames is 10 to 300), `task == 'pick'` rules out 2 "
            "(task is 'pick', 'place', and not known of 1 episode); no episode meets all of them",
        ),
        ("episode == 'é'", "of 4 episodes, `episode == 'é'` rules out 4 (episode is 'a', 'b', 'c', 'd')"),
    ],
)
def test_every_part_says_what_it_rules_out(where: str, told: str) -> None:
    assert not len(select(TABLE, where))
    assert why_none(TABLE, where) == told


def test_columns_of_one_value_of_none_and_of_many() -> None:
    table = TABLE.assign(rate_hz=30.0, recording_path=[f"/{name}" for name in TABLE["episode"]], grip=float("nan"))
    assert "(rate_hz is 30)" in why_none(table, "rate_hz > 40")
    assert "(grip is not known of any)" in why_none(table, "grip > 4")
    many = TABLE.loc[[0] * 7].assign(task=list("abcdefg"))
    assert "(task is 'a', 'b', 'c', 'd', 'e' and 2 others)" in why_none(many, "task == 'x'")
    assert "of 1 episode, " in why_none(TABLE[:1], "task == 'x'")


def test_what_is_no_condition_is_told() -> None:
    with pytest.raises(QueryError, match="names frames, which is no column"):
        why_none(TABLE, "frames > 3")
