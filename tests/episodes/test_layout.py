"""Names and sizes."""

from pathlib import Path

import pytest

from bagmill.episodes import episode_path, is_episode, layout
from bagmill.errors import StorageError


def test_an_episodes_path() -> None:
    assert episode_path(Path("/data"), "pick_1", "0123") == Path("/data/episodes/pick_1/0123.zarr")


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "../../etc", "a\0"])
def test_names_that_would_leave_the_dataset_or_hide_in_it_are_refused(name: str) -> None:
    with pytest.raises(StorageError, match="no episode can be called"):
        episode_path(Path("/data"), name, "0123")
    with pytest.raises(StorageError, match="no episode version can be called"):
        episode_path(Path("/data"), "pick", name)


def test_only_a_folder_with_root_metadata_and_the_right_name_is_an_episode(tmp_path: Path) -> None:
    for name in ("v.zarr", ".staging-v.zarr", "v"):
        (tmp_path / name).mkdir()
        assert not is_episode(tmp_path / name)
        (tmp_path / name / "zarr.json").write_text("{}")
    assert is_episode(tmp_path / "v.zarr")
    assert not is_episode(tmp_path / ".staging-v.zarr")
    assert not is_episode(tmp_path / "v")


@pytest.mark.parametrize(("num_ticks", "expected"), [(0, 1), (1, 1), (127, 127), (128, 128), (129, 128), (9999, 128)])
def test_shards_hold_128_frames_or_the_whole_array(num_ticks: int, expected: int) -> None:
    assert layout.shard_ticks(num_ticks) == expected


def test_chunks_of_values_are_about_a_mebibyte() -> None:
    assert layout.chunk_ticks(1000, tick_bytes=28) == 1000
    assert layout.chunk_ticks(1_000_000, tick_bytes=64) == 16384
    assert layout.chunk_ticks(10, tick_bytes=10**9) == 1
    assert layout.chunk_ticks(0, tick_bytes=8) == 1


def test_features_are_told_from_what_describes_the_ticks() -> None:
    assert layout.is_feature("images/wrist")
    assert layout.is_feature("validity")
    for name in ("time", "source/state", "valid/state", "interpolated/images/wrist", "sequence/state"):
        assert not layout.is_feature(name)


def test_arrays_inside_arrays_are_found() -> None:
    assert layout.names_that_clash(["a", "b/c", "b/d", "ab"]) == []
    assert layout.names_that_clash(["a", "a/b/c", "b/c", "b/c/d"]) == ["a/b/c", "b/c/d"]
