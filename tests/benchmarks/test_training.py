"""The benchmark runs at a tiny size, and what is trained on the same pixels has the same losses."""

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="policies are torch's")

from benchmarks.training.__main__ import main
from benchmarks.training.results import Result, bar_table, result_table


@pytest.mark.slow  # half a dozen processes, each of which imports torch
def test_a_tiny_run_has_equal_losses_where_the_pixels_are_equal(tmp_path: Path) -> None:
    file = tmp_path / "training.json"

    arguments = ["--quick", "--ticks", "40", "30", "--rounds", "1", "--seconds", "0.1", "--policy", "CNN-BC"]
    assert main([*arguments, "--folder", str(tmp_path), "--json", str(file)]) == 0

    rows, bars = (table["rows"] for table in json.loads(file.read_text())["tables"])
    assert {row["num_workers"] for row in rows} == {0, 2}
    same = {row["contender"]: row["has_our_losses"] for row in rows}
    assert same["bagmill"]
    assert same["bagmill, frames kept"]
    assert same["zarr-python"]
    assert same["JPEG folder"]
    assert not same["PNG folder"], "PNG holds the frames before they were JPEG"
    assert all(0 <= row["wait_percent"] <= 100 and row["start_s"] > 0 for row in rows)
    assert {row["wanted"] for row in bars} == {"≥ 7.7", "≥ 2"}


def test_contenders_are_compared_with_the_workers_that_suit_them() -> None:
    def result(contender: str, num_workers: int, step_s: float, losses: list[float]) -> Result:
        answer = {"num_steps": 2, "total_s": 2 * step_s, "wait_s": step_s, "start_s": 0.1, "losses": losses}
        return Result("scene", "MLP", num_workers, contender, [answer, answer])

    results = [
        result("bagmill", 0, 0.1, [3.0, 2.0, 1.0]),
        result("slow", 0, 1.0, [3.0, 2.0, 1.0]),
        result("quick", 0, 0.3, [3.0, 2.5, 1.0]),
        result("bagmill", 2, 0.2, [3.0, 2.0, 1.0]),
        result("slow", 2, 0.8, [3.0, 2.0, 1.0]),
        result("quick", 2, 0.9, [3.0, 2.5, 1.0]),
    ]

    slowest, fastest = bar_table(results).rows
    assert (slowest["found"], slowest["is_met"]) == (pytest.approx(8.0), True)
    assert (fastest["found"], fastest["is_met"]) == (pytest.approx(3.0), True)
    table = result_table(results, notes=())
    assert [row["has_our_losses"] for row in table.rows] == [True, True, False] * 2
    assert [row["ours_is_faster"] for row in table.rows] == pytest.approx([1, 10, 3, 1, 4, 4.5])
    assert {row["wait_percent"] for row in table.rows} == {50.0}
