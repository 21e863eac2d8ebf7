"""A folder in which recordings crash, hang and exhaust the memory of their processes, for real: the others are made."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bagmill.dataset import Dataset, list_quarantine, read_quarantine
from bagmill.ingest import IngestOutcome, IngestRequest, attempt_name, is_same_attempt
from bagmill.ingest.fingerprint import fingerprint
from bagmill.limits import Limits, limits, set_limits
from bagmill.profile import parse_profile
from bagmill.testing import Settings, healthy, small_profile, write_small_profile
from bagmill.workers import Crash, end_servers, ingest_in_children, refuse_crash
from tests.deployed import of_sessions
from tests.processes import living_children
from tests.workers.faults import install_plugin

ROOT = Path(__file__).parents[2]
INGEST = (sys.executable, "-c", "from bagmill.cli import main; main()", "ingest")
NAMES = ("a_healthy", "b_segfault", "c_spin", "d_eat_memory", "e_recurse", "f_fail", "g_healthy")
KINDS = {
    "b_segfault.mcap": "crashed",
    "c_spin.mcap": "hung",
    "d_eat_memory.mcap": "out of memory",
    "e_recurse.mcap": "crashed",
    "f_fail.mcap": "crashed",
}


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    folder.mkdir()
    for number, name in enumerate(NAMES):
        healthy(folder / f"{name}.mcap", settings=Settings(num_frames=8 + number))
    return folder


@pytest.fixture
def strict() -> Iterator[Limits]:
    before = limits()
    wanted = Limits(episode_memory_bytes=1 << 29, episode_silent_s=8)
    set_limits(wanted)
    yield wanted
    set_limits(before)


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The faulty metric, for servers that are started from now on."""
    folder = install_plugin(tmp_path / "plugin")
    end_servers()
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    end_servers()


def test_by_the_command_two_are_published_and_five_refused_with_their_kinds(
    tmp_path: Path, recordings: Path, strict: Limits
) -> None:
    plugin, dataset = install_plugin(tmp_path / "plugin"), tmp_path / "dataset"
    table = tmp_path / "limits.yaml"
    table.write_text(
        f"episode_memory_bytes: {strict.episode_memory_bytes}\nepisode_silent_s: {strict.episode_silent_s}\n"
    )
    profile = write_small_profile(tmp_path / "robot.yaml")
    done = subprocess.run(
        [*INGEST, recordings, "-p", profile, "-o", dataset, "--no-preview", "--processes", "2", "--json"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(plugin)]), "BAGMILL_LIMITS": str(table)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    told = {each["episode"]: each for each in json.loads(done.stdout)["episodes"]}
    assert list(told) == [f"{name}.mcap" for name in NAMES]
    assert {name for name, each in told.items() if each["state"] == "published"} == {"a_healthy.mcap", "g_healthy.mcap"}
    assert {name: each["refusal"]["kind"] for name, each in told.items() if each["refusal"]} == KINDS
    entries = {entry.episode: entry for entry in list_quarantine(Dataset(dataset))}
    assert {name: entry.kind for name, entry in entries.items()} == KINDS
    assert {entry.stage for entry in entries.values()} == {"timeline"}
    assert not any(entry.is_passing for entry in entries.values())
    assert "segmentation fault" in entries["b_segfault.mcap"].reason
    assert "string_at" in entries["b_segfault.mcap"].details
    assert "KeyError" in entries["f_fail.mcap"].details
    assert "needed more than 0.5 GiB" in done.stderr
    assert "c_spin.mcap refused (hung) at stage timeline: made no progress for 8 s" in done.stderr


@pytest.mark.usefixtures("plugin", "strict")
def test_what_crashed_is_not_tried_again_until_something_is_another(tmp_path: Path, recordings: Path) -> None:
    request = _requests(recordings, tmp_path)[1]
    (crash,) = ingest_in_children([request])
    assert isinstance(crash, Crash)
    outcome = refuse_crash(request, crash)
    assert outcome.refusal is not None
    attempt = attempt_name(request, fingerprint(request.recording))
    entry = read_quarantine(Dataset(request.dataset), request.episode)
    assert entry == outcome.refusal
    assert is_same_attempt(entry, attempt)
    set_limits(Limits())
    assert not is_same_attempt(entry, attempt)


@pytest.mark.usefixtures("strict")
def test_a_process_killed_from_outside_leaves_nothing_and_may_be_tried_again(tmp_path: Path, recordings: Path) -> None:
    (request,) = _requests(recordings, tmp_path, settings=Settings(num_frames=600))[:1]
    episode = tmp_path / "dataset" / "episodes" / request.episode

    def kill() -> None:
        _wait_for(lambda: list(episode.glob(".staging-*/images/*/c/*/*")))  # frames are being written
        os.kill(int(next(episode.glob(".staging-*")).name.split("-")[2]), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    (crash,) = ingest_in_children([request])
    killer.join()
    assert isinstance(crash, Crash)
    assert (crash.kind, crash.stage, crash.is_passing) == ("killed", "episode", True)
    assert not list(tmp_path.rglob(".staging-*"))
    (outcome,) = ingest_in_children([request])
    assert isinstance(outcome, IngestOutcome)
    assert outcome.refusal is None


def test_a_server_killed_in_the_middle_costs_what_was_under_way(tmp_path: Path, recordings: Path) -> None:
    requests = _requests(recordings, tmp_path)
    results = ingest_in_children(requests, processes=1)
    first = next(results)
    (server,) = living_children(os.getpid(), program="server_process")
    os.kill(server, signal.SIGKILL)
    rest = list(results)
    assert isinstance(first, IngestOutcome)
    assert sorted(each.episode for each in (first, *rest)) == sorted(each.episode for each in requests)
    assert sum(isinstance(each, Crash) for each in rest) <= 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=str)
def test_an_interrupted_command_ends_at_once_and_keeps_what_is_done(
    tmp_path: Path, recordings: Path, number: signal.Signals
) -> None:
    healthy(recordings / "b_segfault.mcap", settings=Settings(num_frames=2000))
    profile, dataset = write_small_profile(tmp_path / "robot.yaml"), tmp_path / "dataset"
    command = subprocess.Popen(
        [*INGEST, recordings, "-p", profile, "-o", dataset],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    with command:
        assert command.stderr is not None
        for line in command.stderr:
            if line.startswith("b_segfault.mcap: episode"):
                break
        command.send_signal(number)
        said = command.stderr.read()
    code = command.returncode
    assert "Traceback" not in said
    if number == signal.SIGINT:
        assert code == 130
        assert "interrupted; 1 episode of 7 done before that stay as they are" in said
    assert list((dataset / "episodes" / "a_healthy.mcap").glob("*.zarr"))
    _wait_for(lambda: not of_sessions([command.pid]))


def _requests(recordings: Path, folder: Path, **change: Any) -> list[IngestRequest]:
    if change:
        healthy(recordings / f"{NAMES[0]}.mcap", **change)
    profile = parse_profile(small_profile())
    return [
        IngestRequest(f"{name}.mcap", recordings / f"{name}.mcap", folder / "dataset", profile, until="episode")
        for name in NAMES
    ]


def _wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
