"""The sample recordings, made tiny."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from examples.sample_recordings.__main__ import main
from tests.once import made_once


@dataclass(frozen=True)
class Samples:
    """A folder with all of them, not to be written to, and what they were made with."""

    folder: Path
    seconds: float = 0.5
    seed: int = 11


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    def make(folder: Path) -> None:
        arguments = ["--out", str(folder), "--seconds", str(Samples.seconds), "--seed", str(Samples.seed)]
        assert main(arguments) == 0

    return Samples(made_once(tmp_path_factory, "sample_recordings", make))
