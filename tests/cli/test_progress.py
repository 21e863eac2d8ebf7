import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from bagmill.cli.progress import Steps
from bagmill.testing import Settings, healthy


def test_where_nobody_watches_every_step_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    steps = Steps("episode", num_subjects=2)
    for subject in ("a", "b\x1b"):
        with steps.subject(subject):
            for done in range(100):
                steps.report("recording", done, 100)
            steps.report("episode", 0, 0)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["a: recording", "a: episode", "b\\x1b: recording", "b\\x1b: episode"]


def test_a_subject_that_fails_leaves_the_next_one_whole(capsys: pytest.CaptureFixture[str]) -> None:
    steps = Steps("episode", num_subjects=2)

    def fail() -> None:
        with steps.subject("a"):
            steps.report("recording", 1, 2)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    with steps.subject("b"):
        steps.report("recording", 1, 2)
    assert capsys.readouterr().err.splitlines() == ["a: recording", "b: recording"]


def test_on_a_terminal_bars_are_drawn_and_results_still_go_to_standard_output(tmp_path: Path) -> None:
    recordings = [healthy(tmp_path / f"{name}.mcap", settings=Settings(num_frames=10)) for name in "ab"]
    primary, secondary = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", "from bagmill.cli import main; main()", "scan", *recordings],
        stdout=subprocess.PIPE,
        stderr=secondary,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "200"},
    ) as process:
        os.close(secondary)
        seen = bytearray()
        while True:
            try:
                part = os.read(primary, 4096)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            seen += part
        assert process.stdout is not None
        out = process.stdout.read().decode()
    os.close(primary)
    assert process.returncode == 0
    assert b"\x1b[" in seen
    assert b"recordings" in seen
    assert out.count("/joint_states") == 2
    assert "\x1b" not in out
