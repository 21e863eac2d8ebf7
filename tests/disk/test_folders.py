"""Every level that was made has its name synced, and one that a killed process may have made, too."""

import os
from pathlib import Path

import pytest

import bagmill.disk.folders
from bagmill.disk import make_folders


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders synced since, in their order."""
    found: list[Path] = []
    monkeypatch.setattr(os, "fsync", lambda number: found.append(Path(f"/proc/self/fd/{number}").readlink()))
    return found


def test_each_new_level_is_named_for_good(tmp_path: Path, synced: list[Path]) -> None:
    make_folders(tmp_path / "a/b/c")
    assert (tmp_path / "a/b/c").is_dir()
    assert [path for path in synced if path.is_relative_to(tmp_path)] == [tmp_path, tmp_path / "a", tmp_path / "a/b"]

    synced.clear()
    make_folders(tmp_path / "a/b/c")
    assert synced == [], "known, and costs nothing more"
    (tmp_path / "a/b/c").rmdir()
    make_folders(tmp_path / "a/b/c")
    assert synced == [tmp_path / "a/b"]


def test_what_another_process_made_is_named_once(
    tmp_path: Path, synced: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    monkeypatch.setattr(bagmill.disk.folders, "_named", set())
    make_folders(tmp_path / "a/b")
    assert synced[:2] == [tmp_path / "a", tmp_path]
    synced.clear()
    make_folders(tmp_path / "a/b/c")
    assert synced == [tmp_path / "a/b"]


def test_a_file_in_the_way_and_a_folder_that_may_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="File exists"):
        make_folders(tmp_path / "file")
    with pytest.raises(OSError, match="Not a directory"):
        make_folders(tmp_path / "file/below")
    with pytest.raises(OSError, match="/proc"):
        make_folders(Path("/proc/none-such/x"))


def test_a_file_system_above_that_knows_no_sync_of_folders(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        folder = Path(f"/proc/self/fd/{descriptor}/a/b")
        with pytest.raises(OSError, match="Invalid argument"):
            bagmill.disk.folders.sync_folder(folder.parents[2])
        make_folders(folder)
    finally:
        os.close(descriptor)
    assert (tmp_path / "a/b").is_dir()
