"""Every episode has its turn, however often somebody looks."""

import os
from pathlib import Path

import pytest

from bagmill.dataset import Dataset
from bagmill.health import Turn, save_turn, take_turn


@pytest.mark.parametrize(("fraction", "num_turns"), [(1.0, 1), (0.5, 2), (0.34, 3), (1 / 3, 3), (0.01, 100)])
def test_all_have_had_their_turn(tmp_path: Path, fraction: float, num_turns: int) -> None:
    dataset = Dataset(tmp_path)
    episodes = {f"run{number}.mcap" for number in range(500)}
    seen: list[str] = []
    for _ in range(num_turns):
        turn = take_turn(dataset, fraction)
        assert turn.num_turns == num_turns
        seen += [each for each in episodes if turn.has(each)]
        save_turn(dataset, turn)
    assert sorted(seen) == sorted(episodes), "each of them once"
    assert take_turn(dataset, fraction).number == 0


def test_a_lost_or_damaged_note_begins_anew_and_another_part_goes_on(tmp_path: Path) -> None:
    dataset = Dataset(tmp_path)
    save_turn(dataset, Turn(7, 10))
    assert take_turn(dataset, 0.5) == Turn(0, 2)
    assert take_turn(dataset, 0.01) == Turn(8, 100)
    path = tmp_path / "verified.json"
    path.write_bytes(path.read_bytes().replace(b"7", b"9"))
    assert take_turn(dataset, 0.01) == Turn(0, 100)
    path.unlink()
    os.mkfifo(path)
    assert take_turn(dataset, 0.01) == Turn(0, 100)
