"""The benchmark runs at a tiny size, and its contenders agree."""

import json
from pathlib import Path

from benchmarks.query.__main__ import main
from benchmarks.query.questions import QUESTIONS


def test_a_tiny_run_has_both_tables(tmp_path: Path) -> None:
    file = tmp_path / "query.json"

    assert main(["--rounds", "1", "--episodes", "300", "--json", str(file)]) == 0

    asked, opened = json.loads(file.read_text())["tables"]
    assert [row["question"] for row in asked["rows"]] == [question.name for question in QUESTIONS]
    assert all(0 < row["num_rows"] < 300 for row in asked["rows"])
    assert all(row["select_ms"] > 0 and row["mask_ms"] > 0 for row in asked["rows"])
    (row,) = opened["rows"]
    assert row["num_episodes"] == 300
    assert row["first_s"] * 1e3 > row["open_ms"] > 0
