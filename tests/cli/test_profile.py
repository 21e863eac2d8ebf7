from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from bagmill.plan import resolve
from bagmill.profile import load_profile
from bagmill.streams import scan
from bagmill.testing import empty, foreign_file, healthy

Command = Callable[..., Any]


def test_a_profile_is_printed_that_fits(command: Command, tmp_path: Path) -> None:
    recording = healthy(tmp_path / "wave.mcap")
    answer = command("profile", recording)
    assert answer.code == 0
    path = tmp_path / "robot.yaml"
    path.write_text(answer.out, encoding="utf-8")
    assert len(resolve(load_profile(path), scan(recording)).features) == 5


def test_a_profile_is_written_at_the_rate_asked_for(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "new" / "robot.yaml"
    answer = command("profile", healthy(tmp_path / "wave.mcap"), "--out", out, "--rate", "30000/1001")
    assert (answer.code, answer.out) == (0, "")
    assert "5 features" in answer.err
    assert load_profile(out).rate_hz == Fraction(30000, 1001)


def test_nothing_to_train_on_is_refused(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "robot.yaml"
    answer = command("profile", empty(tmp_path / "empty.mcap"), "--out", out)
    assert answer.code == 1
    assert "no messages in it" in answer.err
    assert not out.exists()


def test_what_is_no_recording_is_refused(command: Command, tmp_path: Path) -> None:
    answer = command("profile", foreign_file(tmp_path / "notes.txt"))
    assert (answer.code, answer.out) == (1, "")
    assert "bagmill: " in answer.err


@pytest.mark.parametrize("rate", ["0", "-30", "fast", "1/0", "1e9"])
def test_a_rate_that_is_none_is_wrong_usage(command: Command, tmp_path: Path, rate: str) -> None:
    answer = command("profile", tmp_path / "r.mcap", "--rate", rate)
    assert answer.code == 2
    assert "--rate" in answer.err


def test_a_place_that_cannot_be_written_to_is_told(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    answer = command("profile", healthy(tmp_path / "wave.mcap"), "--out", tmp_path / "file" / "robot.yaml")
    assert answer.code == 1
    assert "cannot be written" in answer.err
