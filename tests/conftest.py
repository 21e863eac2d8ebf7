"""What every test may ask for."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says something about the machine, and nothing about what is tested.
settings.register_profile("bagmill", deadline=None)
settings.load_profile("bagmill")


@pytest.fixture(autouse=True)
def _takes_no_priority() -> Iterator[None]:
    """A test process that is left at real-time priority hands it on to all it starts, and one of those can stop the machine."""
    yield
    if os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        pytest.fail("the test left its process at real-time priority: see previews.encoder_process.leave_real_time")


@pytest.fixture(autouse=True)
def _leaves_no_handler() -> Iterator[None]:
    """A handler of SIGTERM that a library leaves behind goes on to forked processes, which a signal then may not end.

    It is run by the main thread; where that waits, and another thread gets the signal, it never is.
    """
    yield
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@pytest.fixture(scope="session")
def recordings_dir() -> Path:
    """The folder of real recordings, made by others; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("BAGMILL_RECORDINGS", Path(__file__).parents[2] / "shared" / "recordings"))
    if not folder.is_dir():
        pytest.skip(f"no real recordings at {folder}: set BAGMILL_RECORDINGS to their folder")
    return folder


@pytest.fixture(scope="session")
def odd_recordings_dir() -> Path:
    """The folder of small odd recordings, made by others; tests that need it skip where it is absent."""
    folder = Path(
        os.environ.get("BAGMILL_ODD_RECORDINGS", Path(__file__).parents[2] / "shared" / "cases" / "recordings")
    )
    if not folder.is_dir():
        pytest.skip(f"no odd recordings at {folder}: set BAGMILL_ODD_RECORDINGS to their folder")
    return folder
