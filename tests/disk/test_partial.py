"""Files in the making: a dead writer's is swept, a living one's never."""

import os
import subprocess
import sys
from pathlib import Path

from bagmill.disk import partial_file, sweep_partial, sweep_partials
from bagmill.disk.partial import dead_partials


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_writer_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from bagmill.disk import partial_file\n"
        "with partial_file(Path(sys.argv[1])) as (partial, file):\n"
        "    file.write(b'half'); file.flush()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "dead.json")],
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
    )
    assert _names(tmp_path) == [".dead.json.partial"]

    with partial_file(tmp_path / "living.json"):
        assert dead_partials(tmp_path) == [tmp_path / ".dead.json.partial"]
        assert sweep_partials(tmp_path) == 1
        assert not sweep_partial(tmp_path / "living.json")
        assert _names(tmp_path) == [".living.json.partial"]
    assert _names(tmp_path) == []


def test_the_next_writer_of_the_same_file_begins_anew(tmp_path: Path) -> None:
    (tmp_path / ".a.json.partial").write_bytes(b"much longer than what comes now")
    with partial_file(tmp_path / "a.json") as (partial, file):
        assert partial.name == ".a.json.partial"
        file.write(b"new")
        file.flush()
        partial.replace(tmp_path / "a.json")
    assert (tmp_path / "a.json").read_bytes() == b"new"
    assert _names(tmp_path) == ["a.json"]


def test_two_writers_at_once_do_not_share_a_name_and_neither_removes_the_others(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with partial_file(path) as (first, one):
        one.write(b"one")
        one.flush()
        first.replace(path)
        with partial_file(path) as (second, two), partial_file(path) as (third, three):
            assert second == first != third, "the name is free once it was renamed"
            one.close  # noqa: B018 - it is open still, and its name is another's
            for file, text in ((two, b"two"), (three, b"three")):
                file.write(text)
                file.flush()
            third.replace(path)
            second.replace(path)
    assert path.read_bytes() == b"two"
    assert _names(tmp_path) == ["a.json"]


def test_the_end_of_one_writer_leaves_the_next_ones_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with partial_file(path) as (first, _):
        first.replace(path)
        later = partial_file(path)
        second, file = later.__enter__()
    assert second.exists()
    file.write(b"second")
    file.flush()
    second.replace(path)
    later.__exit__(None, None, None)
    assert path.read_bytes() == b"second"


def test_links_and_pipes_are_nobodys_left_overs(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_bytes(b"not ours")
    (tmp_path / ".a.json.partial").symlink_to(tmp_path / "theirs")
    os.mkfifo(tmp_path / ".b.json.partial")
    assert sweep_partials(tmp_path) == 0
    assert not sweep_partial(tmp_path / "a.json")
    assert _names(tmp_path) == [".a.json.partial", ".b.json.partial", "theirs"]


def test_a_second_name_that_a_kill_left_is_not_written_to(tmp_path: Path) -> None:
    # As after `write_new`, killed between giving the file its name and taking the unfinished one's away.
    published = tmp_path / "a"
    published.write_bytes(b"published")
    (tmp_path / ".a.partial").hardlink_to(published)
    with partial_file(published) as (partial, file):
        file.write(b"next")
        file.flush()
        assert published.read_bytes() == b"published"
        partial.replace(published)
    assert published.read_bytes() == b"next"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
