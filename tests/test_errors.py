import pickle
from pathlib import Path

import pytest

from bagmill.errors import BagmillError, DecodeError, PlanError, ProfileError, RecordingError


def test_sentence_says_what_where_and_what_to_do():
    error = DecodeError(
        "expected 921600 bytes, found 30", path="run.mcap", channel="/cam", stamp_ns=17, remedy="Check the driver"
    )
    assert str(error) == "run.mcap, channel /cam, message at 17 ns: expected 921600 bytes, found 30. Check the driver."
    assert str(RecordingError("is empty")) == "is empty."


@pytest.mark.parametrize(
    "error",
    [
        RecordingError("is empty", path="a.bag", remedy="Record again"),
        DecodeError("too short", channel="/cam", stamp_ns=5),
        PlanError(["no channel /a", "no channel /b"], path="a.bag"),
    ],
)
def test_errors_cross_processes_whole(error: BagmillError):
    back = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert vars(back) == vars(error)


def test_listed_problems_are_all_told():
    error = ProfileError(["rate_hz must be > 0 @ $.rate_hz", "no such setting @ $.colour"], path=Path("p.yaml"))
    assert error.problems == ("rate_hz must be > 0 @ $.rate_hz", "no such setting @ $.colour")
    assert str(error) == "p.yaml: rate_hz must be > 0 @ $.rate_hz; no such setting @ $.colour."


def test_a_text_without_end_is_told_by_its_beginning_and_its_end() -> None:
    names = ", ".join(f"n{number}" for number in range(50_000))
    error = ProfileError([f"no joint called {names}; it has hip"])
    assert len(str(error)) < 10_000
    assert "no joint called n0, n1" in str(error)
    assert "characters left out" in str(error)
    assert "n49999; it has hip" in str(error)
