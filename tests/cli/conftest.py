"""The command, run in this process, and small recordings to run it on."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bagmill.cli import run
from bagmill.testing import Settings, healthy, write_small_profile


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as strict JSON."""

        def refuse(constant: str) -> None:
            raise AssertionError(f"{constant} is no JSON")

        return json.loads(self.out, parse_constant=refuse)


@pytest.fixture(autouse=True)
def _no_width_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    # Test runners that work in parallel set it, and tables would be cut to it.
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """`command("scan", path)`: what it says; no error may be told by a traceback."""

    def run_it(*arguments: Path | str) -> Answer:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Answer(code, out, err)

    return run_it


@pytest.fixture(scope="session")
def small_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of one episode, `wave.mcap`, made by the command; not to be written to."""
    folder = tmp_path_factory.mktemp("small")
    recording = healthy(folder / "wave.mcap", settings=Settings(num_frames=20))
    profile = write_small_profile(folder / "robot.yaml")
    assert run(["ingest", str(recording), "-p", str(profile), "-o", str(folder / "dataset"), "--threads", "2"]) == 0
    return folder / "dataset"


@pytest.fixture
def dataset(small_dataset: Path, tmp_path: Path) -> Path:
    """A copy of it that may be damaged."""
    return Path(shutil.copytree(small_dataset, tmp_path / "dataset"))
