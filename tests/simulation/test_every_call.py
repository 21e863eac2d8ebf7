"""Each kind of step, interrupted at its system calls in turn: by kills, power cuts and errors, as SQLite tests its own.

The quick tests take some of the calls of each step, other ones for each kind of interruption; the slow ones take every
call for crashes, every seventh for errors.
"""

import errno
from collections.abc import Iterator

import pytest

from tests.simulation.every_call import CASES, ERRORS, crashes, errors, interrupted
from tests.simulation.faults import Faults

_SOME = 41
"""The quick tests take every so many calls."""


def problems_of(runs: Iterator[tuple[int, list[str]]]) -> tuple[int, dict[int, str]]:
    """How many calls were interrupted, and by call what was wrong then."""
    found = [(at, problems) for at, problems in runs]
    return len(found), {at: problems[0] for at, problems in found if problems}


@pytest.mark.parametrize("name", CASES)
def test_a_crash_at_some_calls(name: str) -> None:
    for is_power_cut in (False, True):
        first = 1 + sum(map(ord, name)) % 4
        num_met, wrong = problems_of(crashes(CASES[name], is_power_cut=is_power_cut, first=first, every=_SOME))
        assert not wrong
        assert num_met


@pytest.mark.parametrize("name", CASES)
def test_an_error_at_some_calls(name: str) -> None:
    for n, error in enumerate(ERRORS):
        first = 1 + (sum(map(ord, name)) + 3 * n) % 11
        _, wrong = problems_of(errors(CASES[name], error=error, is_lasting=bool(n % 2), first=first, every=3 * _SOME))
        assert not wrong, errno.errorcode[error]


@pytest.mark.slow
@pytest.mark.parametrize("is_power_cut", [False, True], ids=["kill", "power cut"])
@pytest.mark.parametrize("name", CASES)
def test_a_crash_at_every_call(name: str, is_power_cut: bool) -> None:
    for seed in (0, 10_000, 20_000) if is_power_cut else (0,):
        num_met, wrong = problems_of(crashes(CASES[name], is_power_cut=is_power_cut, seed=seed))
        assert not wrong
        assert num_met >= 8


@pytest.mark.slow
@pytest.mark.parametrize("is_lasting", [False, True], ids=["once", "lasting"])
@pytest.mark.parametrize("error", ERRORS, ids=[errno.errorcode[error] for error in ERRORS])
@pytest.mark.parametrize("name", CASES)
def test_an_error_at_every_seventh_call(name: str, error: int, is_lasting: bool) -> None:
    # Looks and reads can fail, too: with all of them it would be hours.
    num_met, wrong = problems_of(errors(CASES[name], error=error, is_lasting=is_lasting, first=1 + error % 7, every=7))
    assert not wrong
    assert num_met


def test_without_a_fault_nothing_is_interrupted() -> None:
    assert interrupted(CASES["snapshot"], seed=0, faults=Faults(crash_at=10_000)) == (False, [])
