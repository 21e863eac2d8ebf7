import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from bagmill.cli.app import VERBS
from bagmill.testing import healthy, write_small_profile

Command = Callable[..., Any]
BAGMILL = (sys.executable, "-c", "from bagmill.cli import main; main()")


def test_the_version_is_told(command: Command) -> None:
    answer = command("--version")
    assert (answer.code, answer.out) == (0, f"bagmill {version('bagmill')}\n")


def test_help_lists_every_verb(command: Command) -> None:
    answer = command("--help")
    assert answer.code == 0
    said = re.sub(r"[\s│]+", " ", answer.out)
    places = [said.index(f" {verb} {sentence} ") for verb, sentence in VERBS.items()]
    assert places == sorted(places)
    assert "bagmill ingest recordings/" in answer.out


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["fly"]], ids=str)
def test_verbs_that_are_not_named_are_not_imported(arguments: list[str]) -> None:
    script = f"import sys; from bagmill.cli import run; run({arguments}); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    imported = done.stderr.split()
    assert "bagmill.cli.app" in imported
    assert not {f"bagmill.cli.{verb}" for verb in VERBS} & set(imported)


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_every_verb_teaches_by_example(command: Command, verb: str) -> None:
    answer = command(verb, "--help")
    assert answer.code == 0
    assert VERBS[verb] in re.sub(r"\s+", " ", answer.out)
    assert "Examples" in answer.out
    assert f"bagmill {verb}" in answer.out.split("Examples")[1]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["scan"],
        ["scan", "--fast"],
        ["ingest", "r.mcap"],
        ["ingest", "r.mcap", "-p", "p.yaml", "-o", "d", "--threads", "0"],
        ["ingest", "r.mcap", "-p", "p.yaml", "-o", "d", "--threads", "many"],
        ["show"],
    ],
)
def test_wrong_usage_is_2_and_one_line(command: Command, arguments: list[str]) -> None:
    answer = command(*arguments)
    assert answer.code == 2
    if arguments:
        assert answer.err.startswith("bagmill: ")
        assert answer.err.count("\n") == 1
    if arguments and arguments[0] in VERBS:
        assert f"Try `bagmill {arguments[0]} --help`." in answer.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["scan", "s3://bucket/a.mcap"],
        ["profile", "a.mcap", "--out", "s3://bucket/p.yaml"],
        ["ingest", "a.mcap", "-p", "p.yaml", "-o", "s3://bucket/dataset"],
        ["ingest", "gs://bucket/recordings", "-p", "p.yaml", "-o", "d"],
        ["show", "https://example.org/d/episodes/a"],
        ["verify", "s3://bucket/dataset"],
        ["snapshot", "make", "s3://bucket/dataset"],
        ["snapshot", "make", "d", "--include-from=s3://bucket/list"],
        ["stats", "az://bucket/dataset"],
        ["export", "lerobot", "d", "--out=s3://bucket/out"],
        ["prune", "s3://bucket/dataset"],
    ],
)
def test_an_address_makes_no_folder(
    command: Command, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = command(*arguments)
    assert answer.code == 2
    assert "is an address, not a path on this machine" in answer.err
    assert "EpisodeDataset" in answer.err
    assert answer.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_what_the_system_refuses_is_one_line(command: Command, tmp_path: Path) -> None:
    answer = command("ingest", tmp_path / ("x" * 300), "-p", write_small_profile(tmp_path / "p.yaml"), "-o", tmp_path)
    assert answer.code == 1
    assert "File name too long" in answer.err
    assert answer.err.count("\n") == 1


def test_the_command_runs_as_a_process(tmp_path: Path) -> None:
    recording = healthy(tmp_path / "wave.mcap")
    # Not None: readline, in this process, may have set COLUMNS behind Python's back.
    environment = dict(os.environ)
    done = subprocess.run(
        [*BAGMILL, "scan", recording], capture_output=True, check=False, encoding="utf-8", env=environment
    )
    assert done.returncode == 0
    assert "/joint_states" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    assert done.stderr == "wave.mcap: scan\n"


def test_a_terminal_without_unicode_is_no_end(tmp_path: Path) -> None:
    recording = healthy(tmp_path / "wave.mcap")
    environment = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
    done = subprocess.run([*BAGMILL, "scan", recording], capture_output=True, check=False, env=environment)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert b"64\\xd748" in done.stdout


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    recording = healthy(tmp_path / "wave.mcap")
    with subprocess.Popen(
        [*BAGMILL, "scan", "--json", *[recording] * 20], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        said = process.stderr.read().decode()
        process.wait(timeout=60)
    assert "Traceback" not in said
    assert "BrokenPipe" not in said


def test_an_interrupt_is_130_without_a_traceback(tmp_path: Path) -> None:
    recording = healthy(tmp_path / "wave.mcap")
    # A shell has what it starts in the background ignore interrupts, and so would we if these tests were started there.
    heeding = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {BAGMILL[-1]}"
    command = [*BAGMILL[:-1], heeding, "scan", *[recording] * 2_000]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        process.stderr.readline()  # the first scan has begun
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
        process.wait(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
