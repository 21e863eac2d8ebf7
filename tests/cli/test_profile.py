import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from bagmill.errors import ProfileError
from bagmill.plan import resolve
from bagmill.profile import load_profile, parse_profile
from bagmill.streams import scan
from bagmill.testing import START_NS, empty, foreign_file, healthy

Command = Callable[..., Any]


def _words(text: str) -> str:
    """A text without the frame and the line breaks that a screen gives it."""
    return "".join(text.translate(str.maketrans("", "", "│╭╮╰╯─")).split())


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


def test_a_file_that_is_there_is_kept_unless_forced(command: Command, tmp_path: Path) -> None:
    out, recording = tmp_path / "robot.yaml", healthy(tmp_path / "wave.mcap")
    out.write_text("edited by hand")
    answer = command("profile", recording, "--out", out)
    assert (answer.code, answer.err.count("\n")) == (1, 1)
    assert "is there already. Name another file, or write over it with --force." in answer.err
    assert out.read_text() == "edited by hand"
    assert command("profile", recording, "--out", out, "--force").code == 0
    assert len(load_profile(out).features) == 5


def test_given_definitions_are_used_and_named_from_the_profile(command: Command, tmp_path: Path) -> None:
    """A database of Humble holds no definitions; the draft names the folder from where it lies itself."""
    with closing(sqlite3.connect(tmp_path / "a.db3")) as database:
        database.executescript(
            "CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT, type TEXT, serialization_format TEXT);"
            "CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, data BLOB);"
            "INSERT INTO topics VALUES (1, '/arm', 'my_robot/msg/Arm', 'cdr');"
        )
        rows = [(n, 1, START_NS + n * 50_000_000, b"\0\1\0\0" + struct.pack("<dd", n, -n)) for n in range(1, 41)]
        database.executemany("INSERT INTO messages VALUES (?, ?, ?, ?)", rows)
        database.commit()
    (tmp_path / "ws" / "my_robot" / "msg").mkdir(parents=True)
    (tmp_path / "ws" / "my_robot" / "msg" / "Arm.msg").write_text("float64[2] q\n")
    assert "comes without its definition" in command("scan", tmp_path / "a.db3").out
    scanned = command("scan", tmp_path / "a.db3", "--definitions", tmp_path / "ws", "--json").document
    assert scanned["recordings"][0]["channels"][0]["fields"] == {"q": 2}
    out = tmp_path / "profiles" / "arm.yaml"
    assert command("profile", tmp_path / "a.db3", "--definitions", tmp_path / "ws", "--out", out).code == 0
    assert "definitions: ../ws" in out.read_text()
    assert command("ingest", tmp_path / "a.db3", "-p", out, "-o", tmp_path / "d", "--no-preview").code == 0
    printed = command("profile", tmp_path / "a.db3", "--definitions", tmp_path / "ws").out
    assert f"definitions: {tmp_path / 'ws'}" in printed
    wrong = command("scan", tmp_path / "a.db3", "--definitions", tmp_path / "none")
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)


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


@pytest.mark.parametrize("rate", ["0", "-30", "fast", "1/0", "1e9", "1e-9", "1/86401", "1e-99999999"])
def test_a_rate_that_no_profile_takes_is_wrong_usage_in_the_profiles_words(
    command: Command, tmp_path: Path, rate: str
) -> None:
    answer = command("profile", tmp_path / "r.mcap", "--rate", rate)
    assert answer.code == 2
    assert "--rate" in answer.err
    with pytest.raises(ProfileError) as refused:
        parse_profile({"name": "p", "rate_hz": rate, "features": {"s": {"channel": "/s", "field": "q"}}})
    (problem,) = refused.value.problems
    assert _words(problem.removesuffix(" @ $.rate_hz")) in _words(answer.err)


def test_a_place_that_cannot_be_written_to_is_told(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    answer = command("profile", healthy(tmp_path / "wave.mcap"), "--out", tmp_path / "file" / "robot.yaml")
    assert answer.code == 1
    assert "cannot be written" in answer.err
