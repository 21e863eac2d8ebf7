"""What a kill leaves behind, and what the next writer makes of it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from bagmill.episodes import Episode, EpisodeWriter, verify_episode
from bagmill.errors import StorageError

_SCRIPT = """
import resource
import sys
from pathlib import Path
import numpy as np
from numcodecs import zstd
from bagmill.episodes import EpisodeWriter

dataset, version, num_ticks, pause_at = Path(sys.argv[1]), sys.argv[2], 300, int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]), resource.RLIM_INFINITY))
print("start", flush=True)
with EpisodeWriter(dataset, "e", version) as writer:
    sink = writer.add_depth("depth/a", num_ticks=num_ticks, height=16, width=24)
    for tick in range(num_ticks):
        if tick == pause_at:
            print("paused", flush=True)
            sys.stdin.readline()
        sink.put(tick, zstd.compress(np.full(16 * 24, tick, "<u2"), 3))
    writer.put_array("time", np.arange(num_ticks))
    writer.put_array("valid/depth/a", np.ones(num_ticks, bool))
    writer.put_array("source/depth/a", np.arange(num_ticks))
    writer.publish({})
print("published", flush=True)
"""


@contextmanager
def _writer(
    dataset: Path, version: str, *, pause_at: int = -1, max_file_bytes: int = 1 << 30
) -> Iterator[subprocess.Popen[str]]:
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", _SCRIPT, str(dataset), version, str(pause_at), str(max_file_bytes)],
        env={**os.environ, "PYTHONPATH": str(root)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def _said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _names(dataset: Path) -> list[str]:
    return sorted(path.name for path in (dataset / "episodes/e").iterdir())


def _publish(dataset: Path, version: str) -> Path:
    with EpisodeWriter(dataset, "e", version) as writer:
        writer.put_array("time", np.arange(3))
        return writer.publish({})


def test_a_writer_killed_in_mid_write_leaves_no_episode_and_the_next_one_publishes(tmp_path: Path) -> None:
    with _writer(tmp_path, "v", pause_at=200) as process:
        assert [_said(process), _said(process)] == ["start", "paused"]
        process.send_signal(signal.SIGKILL)
        process.wait()
        left = _names(tmp_path)
        assert len(left) == 2
        assert all(name.startswith(".staging-v-") for name in left)
        with pytest.raises(StorageError, match="there is no published episode"):
            Episode.open(tmp_path / "episodes/e/v.zarr")

    with _writer(tmp_path, "v") as process:
        assert [_said(process), _said(process)] == ["start", "published"]

    assert _names(tmp_path) == ["v.zarr"]
    assert verify_episode(tmp_path / "episodes/e/v.zarr").damages == ()


def test_a_living_writers_folder_is_left_alone(tmp_path: Path) -> None:
    with _writer(tmp_path, "slow", pause_at=200) as process:
        assert [_said(process), _said(process)] == ["start", "paused"]
        before = _names(tmp_path)

        _publish(tmp_path, "quick")

        assert _names(tmp_path) == sorted([*before, "quick.zarr"])
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        assert _said(process) == "published"
    assert _names(tmp_path) == ["quick.zarr", "slow.zarr"]
    assert verify_episode(tmp_path / "episodes/e/slow.zarr").damages == ()


def test_at_whatever_moment_the_kill_comes_there_is_a_whole_episode_or_none(tmp_path: Path) -> None:
    path = tmp_path / "episodes/e/v.zarr"
    for n in range(8):
        with _writer(tmp_path, "v") as process:
            assert _said(process) == "start"
            # Writing takes some tens of milliseconds: the kills are spread over it and a little beyond.
            time.sleep(n * 0.01)
            process.kill()
            process.wait()
        if path.exists():
            assert verify_episode(path).damages == ()
            path.rename(tmp_path / f"kept-{n}.zarr")
    _publish(tmp_path, "last")
    assert _names(tmp_path) == ["last.zarr"]


def test_abandoned_folders_without_their_writer_are_swept_whatever_is_in_them(tmp_path: Path) -> None:
    folder = tmp_path / "episodes/e"
    (folder / ".staging-v-1-abcd/images/a").mkdir(parents=True)
    (folder / ".staging-v-1-abcd/images/a/zarr.json").write_text("{}")
    (folder / ".staging-v-1-abcd.lock").touch()
    (folder / ".staging-w-2-abcd.lock").touch()
    (folder / ".staging-w-2-abcd.old/time").mkdir(parents=True)
    (folder / "other").write_text("not ours")

    _publish(tmp_path, "v")

    assert _names(tmp_path) == ["other", "v.zarr"]


@pytest.mark.parametrize("max_file_bytes", [1000, 3000, 5000])
def test_a_disk_that_takes_no_more_is_a_storage_error_and_leaves_nothing(tmp_path: Path, max_file_bytes: int) -> None:
    with _writer(tmp_path, "v", max_file_bytes=max_file_bytes) as process:
        _, errors = process.communicate()
    assert process.returncode == 1
    assert errors.splitlines()[-1].startswith("bagmill.errors.StorageError:")
    assert "cannot be written" in errors.splitlines()[-1]
    assert _names(tmp_path) == []
