"""What every test may ask for."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says something about the machine, and nothing about what is tested.
settings.register_profile("bagmill", deadline=None)
settings.load_profile("bagmill")


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
