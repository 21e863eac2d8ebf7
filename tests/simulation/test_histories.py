"""Random histories of a dataset, each from its seed: whatever happens, what was promised holds, and the end is as if nothing had.

On failure, the message says how to replay a history call by call.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.__main__ import NUM_STEPS, how_to_replay, live

NUM_HISTORIES = 200
PER_TEST = 10


@pytest.mark.parametrize("first", range(0, NUM_HISTORIES, PER_TEST))
def test_histories(first: int) -> None:
    for seed in range(first, first + PER_TEST):
        told = live(seed)
        assert not told.problems, f"{told.problems[0]}\nreplay it: {how_to_replay(seed, NUM_STEPS)}"


def test_one_seed_makes_the_same_calls_each_time_in_any_process() -> None:
    seeds = (11, 77, 83)
    journals = [live(seed).journal for seed in seeds]
    assert live(seeds[0]).journal == journals[0]
    assert len({*journals}) == len(seeds)
    program = f"from tests.simulation.__main__ import live; print(*(live(seed).journal for seed in {seeds}))"
    root = Path(__file__).parents[2]
    said = subprocess.run(
        [sys.executable, "-c", program],
        cwd=root,
        env={"PYTHONHASHSEED": "7", "PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == journals
