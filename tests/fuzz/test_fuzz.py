"""The short run: every target meets a few hundred damaged inputs, the same each time, and those that were wrong once."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz.mutation import mutate
from tests.fuzz.regressions import REGRESSIONS
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS
from tests.fuzz.watched import try_given, try_inputs

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = ROOT.parent / "shared" / "cases" / "hostile"


def test_no_damaged_input_gets_a_wrong_answer() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--inputs", "6000", "--seed", "0", "--json"]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=600)
    tallies = json.loads(done.stdout)
    assert [finding for tally in tallies for finding in tally["findings"]] == []
    assert {tally["target"] for tally in tallies} == set(TARGETS)
    assert sum(tally["num_inputs"] for tally in tallies) >= 5900


@pytest.mark.parametrize("name", REGRESSIONS)
def test_what_was_wrong_once(name: str) -> None:
    target, make = REGRESSIONS[name]
    assert try_given(TARGETS[target], [make()]).findings == []


@pytest.mark.skipif(not HOSTILE.is_dir(), reason=f"no hostile recordings in {HOSTILE}")
@pytest.mark.parametrize("suffix", ["mcap", "bag", "db3"])
def test_hostile_recordings(suffix: str) -> None:
    target = {"mcap": "mcap", "bag": "bag", "db3": "sqlite"}[suffix]
    inputs = [path.read_bytes() for path in sorted(HOSTILE.glob(f"*.{suffix}"))]
    assert inputs
    assert try_given(TARGETS[target], inputs).findings == []


def _hang(_: bytes, __: Path) -> None:
    while True:
        pass


def _crash(_: bytes, __: Path) -> None:
    import ctypes

    ctypes.string_at(0)


def _eat(_: bytes, __: Path) -> None:
    held = [bytearray(1 << 28) for _ in range(8)]
    assert held


def _raise(data: bytes, _: Path) -> None:
    if len(data) % 2:
        raise KeyError(data[:1])


@pytest.mark.parametrize(
    ("attempt", "kind"), [(_hang, "hang"), (_crash, "crash"), (_eat, "memory"), (_raise, "foreign")]
)
def test_what_goes_wrong_is_found(attempt: Any, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if kind == "hang":
        monkeypatch.setattr("tests.fuzz.watched.LONGEST_S", 0.5)
    target = Target("bad", attempt, lambda: [b"ab"])
    tally = try_given(target, [b"abc", b"abc"])
    assert [finding.kind for finding in tally.findings] == [kind] * 2
    assert tally.findings[0].data == b"abc"


def test_a_finding_does_not_end_the_others() -> None:
    tally = try_inputs(Target("odd", _raise, lambda: [b"abcdef"]), range(200), seed=1)
    assert tally.num_inputs == 200
    assert 0 < len(tally.findings) < 200


def test_the_same_seed_makes_the_same_inputs() -> None:
    from random import Random

    made = [mutate(Random(7), [b"abc" * 100], [b"token"]) for _ in range(2)]
    assert made[0] == made[1]
    assert len({mutate(Random(number), [b"abc" * 100], [b"token"]) for number in range(100)}) > 90
