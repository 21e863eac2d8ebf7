"""A version made anew takes the old one's place: killed at any call, there is a whole one, and the next writer tidies up."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bagmill.episodes import Episode, EpisodeWriter, verify_episode
from bagmill.episodes.staging import abandoned_staging, sweep_staging

_SCRIPT = """
import json, os, shutil, signal, sys
from pathlib import Path
import numpy as np
import bagmill.episodes.staging as staging
from bagmill.episodes import EpisodeWriter

folder, can_exchange = Path(sys.argv[1]), sys.argv[2] == "exchange"
if not can_exchange:
    staging.exchange = lambda first, second: False
exchange = staging.exchange
CALLS = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree"}

def write(dataset, value, *, replaces, kill_at=-1):
    seen = []
    def count(call):
        if len(seen) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        seen.append(call)
    def watch(event, arguments):
        if is_on and event in CALLS:
            count(event)
    def exchanged(first, second):
        count("exchange")
        return exchange(first, second)
    staging.exchange = exchanged if can_exchange else staging.exchange
    is_on = False
    sys.addaudithook(watch)
    with EpisodeWriter(dataset, "e", "v", replaces=replaces) as writer:
        writer.put_array("time", np.arange(3) + value)
        is_on = True
        writer.publish({"made": value})
    is_on = False
    return seen

calls = None
kill_at = 0
while calls is None or kill_at < len(calls):
    dataset = folder / str(kill_at)
    child = os.fork()
    if child == 0:
        if calls is None:
            write(folder / "first", 0, replaces=False)
        shutil.copytree(folder / "first", dataset)
        seen = write(dataset, 1, replaces=True, kill_at=-1 if calls is None else kill_at)
        if calls is None:
            (folder / "calls.json").write_text(json.dumps(seen))
        os._exit(0)
    os.waitpid(child, 0)
    if calls is None:
        calls = json.loads((folder / "calls.json").read_text())
        os.rename(dataset, folder / "whole")
    else:
        kill_at += 1
print(json.dumps(calls))
"""


@pytest.mark.parametrize("how", ["exchange", "two renames"])
def test_killed_at_any_call_a_whole_version_is_there(tmp_path: Path, how: str) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(tmp_path), how],
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        check=True,
        timeout=120,
    )
    calls = json.loads(done.stdout)
    assert calls[:2] == (["exchange", "shutil.rmtree"] if how == "exchange" else ["os.rename", "os.rename"])
    made = []
    for kill_at in range(len(calls)):
        folder = tmp_path / str(kill_at) / "episodes/e"
        is_there = (folder / "v.zarr").exists()
        assert is_there or how != "exchange"
        assert abandoned_staging(folder)

        assert sweep_staging(folder) == 1

        assert [path.name for path in folder.iterdir()] == ["v.zarr"]
        assert verify_episode(folder / "v.zarr").damages == ()
        made.append(Episode.open(folder / "v.zarr").attributes["made"])
    # The old one stands until the new one is in its place.
    assert made == sorted(made)
    assert made[0] == 0
    assert made[-1] == 1


def test_a_reader_of_the_old_one_goes_on(tmp_path: Path) -> None:
    for value in (0, 1):
        with EpisodeWriter(tmp_path, "e", "v", replaces=True) as writer:
            writer.put_array("time", np.arange(3) + value)
            writer.publish({})
        if value == 0:
            (chunk,) = (path for path in (tmp_path / "episodes/e/v.zarr/time/c").rglob("*") if path.is_file())
            before = chunk.read_bytes()
            reader = chunk.open("rb")
    with reader:
        assert reader.read() == before
    assert (tmp_path / "episodes/e/v.zarr/time/c/0").read_bytes() != before


def test_what_lost_its_lock_in_a_power_cut_is_swept_too(tmp_path: Path) -> None:
    (tmp_path / ".staging-v-1-abcd/time").mkdir(parents=True)
    (tmp_path / ".staging-w-1-abcd.old").mkdir()
    (tmp_path / ".staging-w-1-abcd.old/zarr.json").write_text("{}")
    assert sweep_staging(tmp_path) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["w.zarr"], "what was taken out of the way is back"
